"""Our own processes: the services, the carrier simulator, the simulated phone network."""

import asyncio
import contextlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from carillon.asking import asking
from carillon.errors import PlainError
from carillon.servers.ports import Ports
from carillon.supervisor import Program

SERVICES = ("campaign", "moderation", "dispatcher", "dialler", "read_model")
CARRIER = "smsc"
SIMULATED_LINK = "sim"
SIMULATED_LINK_NAME = "Bundled simulator"
PHONES = "phones"
PHONES_PROCESS = "telephony"


class MissingPartError(PlainError):
    """A package of Carillon itself is not installed here."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process of one of Carillon's services on this machine."""

    name: str
    port: int
    number: int = 1

    @property
    def instance(self) -> str:
        """What the process is called: the first one as the service."""
        return self.name if self.number == 1 else f"{self.name}-{self.number}"

    def program(self, log: Path, folder: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        return Program(
            name=self.instance,
            command=(sys.executable, "-m", self.name),
            url=f"http://127.0.0.1:{self.port}",
            log=log,
            folder=folder,
            environment={
                **environment,
                "CARILLON_HTTP_HOST": "127.0.0.1",
                "CARILLON_HTTP_PORT": str(self.port),
            },
            ready=self.is_ready,
        )

    async def is_ready(self) -> bool:
        """Whether the service says that everything it needs is there."""
        if not await is_listening(self.port):
            return False  # it takes a second until it does: a question costs more than a look
        try:
            async with asking(5) as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
        except httpx.TransportError:
            return False
        return answer.is_success


def processes_of(names: Iterable[str], numbers: Mapping[str, int], ports: Ports) -> list[Service]:
    """Every process of these services, with a port of its own; one each unless told otherwise."""
    processes = [Service(name, ports.take(name)) for name in names]
    more = [
        Service(one.name, ports.take(f"{one.name}-{number}"), number)
        for one in processes
        for number in range(2, numbers.get(one.name, 1) + 1)
    ]
    return [*processes, *more]


@dataclass(frozen=True, slots=True)
class Simulator:
    """A bundled simulator, of the carrier or of the phone network: a program of its own."""

    name: str
    module: str
    scheme: str
    port: int
    config: Path
    ledger: Path

    def program(self, log: Path, folder: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        return Program(
            name=self.name,
            command=(
                *(sys.executable, "-m", self.module, "--config", str(self.config)),
                *("--port", str(self.port), "--ledger", str(self.ledger)),
            ),
            url=f"{self.scheme}://127.0.0.1:{self.port}",
            log=log,
            folder=folder,
            environment=environment,
            ready=self.listens,
        )

    async def listens(self) -> bool:
        """Whether connections are accepted."""
        return await is_listening(self.port)


async def is_listening(port: int) -> bool:
    """Whether connections to this port of our own are accepted."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def simulated_link(port: int, system_id: str, password: str) -> str:
    """The text of a links.toml whose only link is the bundled simulator."""
    text = json.dumps  # a JSON string of plain characters is a TOML string too
    return f"""\
# Made by `carillon up`: the bundled carrier simulator. Use --links to name your own carrier.
[[links]]
id = "{SIMULATED_LINK}"
name = "{SIMULATED_LINK_NAME}"
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = {text(system_id)}
password = {text(password)}
bind = "transceiver"
window = 200
segments_per_second = 2000
on_unknown = "fail"
enquire_link_s = 30
dlr_ids = "auto"
sessions = 1
"""


def simulator_login(config: Path) -> tuple[str, str]:
    """The system id and password with which the simulator lets us bind."""
    accounts = tomllib.loads(config.read_text()).get("accounts") or [{}]
    account = accounts[0]
    return account.get("system_id", "carillon"), account.get("password", "secret")


def package_folder(package: str) -> Path:
    """Where an installed package's files are.

    Raises:
        MissingPartError: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPartError(f"The package {package} is not installed: run `make install`.")
    return Path(spec.submodule_search_locations[0])


def bundled_carrier_config() -> Path:
    """The simulator's own settings: beside its sources, or inside the package when installed.

    Raises:
        MissingPartError: there is no such file.
    """
    return _bundled(CARRIER, "smsc.toml", "name one: --carrier")


def bundled_telephony() -> Path:
    """The telephony of a start that names none: the simulated phone network `sim`.

    Raises:
        MissingPartError: there is no such file.
    """
    return _bundled(PHONES, "telephony.toml", "name one: --telephony")


def _bundled(package: str, name: str, remedy: str) -> Path:
    folder = package_folder(package)
    for candidate in (folder / name, folder.parents[1] / name):
        if candidate.is_file():
            return candidate
    raise MissingPartError(f"{name} of the bundled simulator was not found; {remedy}")
