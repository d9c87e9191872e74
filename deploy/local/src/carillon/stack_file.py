"""`stack.json`: where everything of a running stack is, for people, tests and other commands."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from carillon.errors import PlainError
from carillon.files import OWNER_ONLY, write_atomically

DEFAULT_FOLDER = Path(".carillon")
FILE_NAME = "stack.json"


class NoStackError(PlainError):
    """There is no stack running on this data folder; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process: None as pid while it is down, or when it is somebody else's server."""

    pid: int | None
    url: str


@dataclass(frozen=True, slots=True)
class StackFile:
    """What `stack.json` says."""

    url: str
    nats_url: str
    mongo_url: str
    services: Mapping[str, Place]
    token_file: str

    def write(self, data: Path) -> None:
        """Replace the file in one step; it holds passwords, so it is its owner's only."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        write_atomically(data / FILE_NAME, text, mode=OWNER_ONLY)


def read_stack_file(data: Path) -> StackFile:
    """What the launcher on this data folder wrote last.

    Raises:
        NoStackError: nothing was started there.
    """
    file = data / FILE_NAME
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise NoStackError(
            f"No platform is running on {data}: start it with `carillon up --data {data}`, "
            "or name another folder with --data."
        ) from error
    places = {name: Place(**place) for name, place in found.pop("services").items()}
    return StackFile(services=places, **found)


def remove_stack_file(data: Path) -> None:
    """Say that nothing runs here any more."""
    (data / FILE_NAME).unlink(missing_ok=True)
