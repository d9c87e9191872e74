"""Whether made-up traffic stays on this machine: with the bundled carrier and phone network."""

import tomllib
from pathlib import Path

from carillon.api_client import Person
from carillon.errors import PlainError
from carillon.services import PHONES_PROCESS, SIMULATED_LINK, SIMULATED_LINK_NAME
from carillon.stack_file import StackFile
from carillon.telephony_file import SIMULATED

TELEPHONY = "telephony.toml"


class NoSimulatorError(PlainError):
    """Demo campaigns would reach a real carrier or phone network."""


async def must_stay_here(data: Path, stack: StackFile, author: Person, instead: str) -> None:
    """Return when the platform uses both bundled simulators.

    Raises:
        NoSimulatorError: it does not; the text ends with what to do instead.
    """
    links = await author.ask("GET", "/links")
    names = {link["id"]: link["name"] for link in links["items"]}
    is_ours = names.get(SIMULATED_LINK) == SIMULATED_LINK_NAME
    if is_ours and PHONES_PROCESS in stack.services and _only_simulated(data / TELEPHONY):
        return
    raise NoSimulatorError(
        "This platform does not use the bundled simulators, so no demo campaigns are sent. "
        f"{instead}"
    )


def _only_simulated(telephony: Path) -> bool:
    tables = tomllib.loads(telephony.read_text("utf-8")).get("telephony", [])
    return bool(tables) and all(table.get("type") == SIMULATED for table in tables)
