"""A whole platform of a test's own: started with `carillon up`, driven only from outside."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

import servers
from carillon.servers.binaries import CADDY, MONGO, NATS
from carillon.servers.ports import Ports
from carillon.stack_file import StackFile, read_stack_file
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import DevelopmentIssuer
from said import rest

CARILLON = str(Path(sys.executable).with_name("carillon"))
SERVICES = ("campaign", "moderation", "dispatcher", "dialler", "read_model")
PATIENCE_S = 120.0
"""Tests share two cores with others: a condition may take long, a broken promise takes for ever."""
AWAY = frozenset({425, 502, 503, 504})
LOOK_S = 0.1


@dataclass(frozen=True)
class Link:
    """A link to the simulator, which knows it by an account of its own."""

    id: str
    window: int = 100
    segments_per_second: float = 2000
    sessions: int = 1

    def toml(self, port: int) -> str:
        return (
            f'[[links]]\nid = "{self.id}"\ntype = "smpp"\nhost = "127.0.0.1"\nport = {port}\n'
            f'system_id = "{self.id}"\npassword = "secret"\nwindow = {self.window}\n'
            f"segments_per_second = {self.segments_per_second}\nsessions = {self.sessions}\n"
        )

    @property
    def account(self) -> str:
        return f'[[accounts]]\nsystem_id = "{self.id}"\npassword = "secret"\n'


@dataclass
class Platform:
    """A started platform, as a person at another desk sees it."""

    data: Path
    url: str
    process: subprocess.Popen[str]
    kills: list[str] = field(default_factory=list)

    def file(self) -> StackFile:
        return read_stack_file(self.data)

    @property
    def issuer(self) -> DevelopmentIssuer:
        return DevelopmentIssuer.load(self.data / "issuer")

    def client(
        self, workspace: str, *roles: str, sub: str = "ann", patience_s: float = 60
    ) -> httpx.AsyncClient:
        """Somebody with a token of the platform's issuer."""
        token = self.issuer.mint(Identity(sub, sub.title(), workspace, roles))
        return self.stranger({"Authorization": f"Bearer {token}"}, patience_s)

    def stranger(
        self, headers: Mapping[str, str] | None = None, patience_s: float = 60
    ) -> httpx.AsyncClient:
        """Somebody with these headers only."""
        base = f"{self.url}/api/v1"
        return httpx.AsyncClient(base_url=base, headers=headers, timeout=patience_s)

    def accepted(self, phones: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """What the carrier says that it took, for these phones or for all."""
        wanted = None if phones is None else {phone.removeprefix("+") for phone in phones}
        return [
            line
            for line in self.carrier_book("accepted")
            if wanted is None or line["destination"] in wanted
        ]

    def carrier_book(self, *events: str) -> list[dict[str, Any]]:
        """Lines of the simulator's ledger."""
        book = self.data / "smsc" / "ledger.jsonl"
        if not book.exists():
            return []
        with book.open("rb") as lines:
            read = (json.loads(line) for line in lines if line.endswith(b"\n"))
            return [line for line in read if line["event"] in events]

    async def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to the process of this name, as soon as there is one; return its pid."""
        while True:
            pid = self.file().services[name].pid
            if pid is not None:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    await asyncio.sleep(0.02)
                    continue
                return pid
            await asyncio.sleep(0.02)

    async def kill(self, name: str) -> None:
        """End a process without a warning; the launcher starts it again."""
        pid = await self.signal(name, signal.SIGKILL)
        self.kills.append(name)
        await until(lambda: self.file().services[name].pid != pid, f"{name} gone")

    async def all_ready(self) -> None:
        """Wait until every service says that it has what it needs."""
        async with httpx.AsyncClient(timeout=5) as client:
            for name in SERVICES:
                await asked(client, "GET", f"{self.file().services[name].url}/readyz")

    def log_of(self, name: str) -> str:
        return (self.data / "logs" / f"{name}.log").read_text(errors="replace")


@contextmanager
def platform(
    folder: Path,
    *,
    carrier: str = "",
    links: Sequence[Link] = (),
    telephony: str = "",
    options: Sequence[str] = (),
    **settings: Any,
) -> Iterator[Platform]:
    """Run a platform for as long as the block does; it must end cleanly.

    `carrier` is how the simulator behaves and `telephony` how calls are placed (TOML texts),
    `links` replace the usual link `sim`, `options` go to `carillon up`, `settings` reach the
    services as `CARILLON_…`.
    """
    for binary in (NATS, MONGO, CADDY):
        servers.program(binary)
    data = folder / "data"
    files = [*_files(data, carrier, links), *_telephony_file(data, telephony), *options]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [CARILLON, "up", "--port", "0", "--data", str(data), *files],
            env=_environment(settings),
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("ready "), (folder / "said").read_text()
            yield Platform(data, line.split()[1], process)
        finally:
            process.terminate()
            code = process.wait(60)
    assert code == 0, (folder / "said").read_text()


def _files(data: Path, carrier: str, links: Sequence[Link]) -> list[str]:
    """Write the files that are named on the command line; the carrier's port comes with them."""
    data.mkdir(parents=True, exist_ok=True)
    arguments: list[str] = []
    if carrier or links:
        file = data / "carrier.toml"
        file.write_text(carrier + "".join(link.account for link in links))
        arguments += ["--carrier", str(file)]
    if links:
        ports = Ports(data / "ports.json")
        port = ports.take("carrier")
        ports.save()
        file = data / "my-links.toml"
        file.write_text("".join(link.toml(port) for link in links))
        arguments += ["--links", str(file)]
    return arguments


def _telephony_file(data: Path, telephony: str) -> list[str]:
    if not telephony:
        return []
    file = data / "my-telephony.toml"
    file.write_text(telephony)
    return ["--telephony", str(file)]


def plain_environment() -> dict[str, str]:
    """Nothing of this machine's own Carillon."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    return plain_environment() | {
        f"CARILLON_{name.upper()}": str(value) for name, value in settings.items()
    }


async def until(
    true: Callable[[], bool], what: str, within_s: float = PATIENCE_S, look_s: float = LOOK_S
) -> None:
    """Wait until something outside has become so."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                began = time.monotonic()
                if true():
                    return
                await asyncio.sleep(rest(look_s, time.monotonic() - began))
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what}") from None


async def ask(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> Any:
    """The answer's JSON; a service that is away or behind is waited for, a refusal fails."""
    answer = await asked(client, method, path, **request)
    return answer.json() if answer.content else None


async def asked(
    client: httpx.AsyncClient, method: str, path: str, **request: Any
) -> httpx.Response:
    """The answer itself; as `ask`."""
    said = "nothing"
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    answer = await client.request(method, path, **request)
                except httpx.TransportError as error:
                    said = repr(error)
                else:
                    said = f"{answer.status_code} {answer.text}"
                    if answer.status_code not in AWAY:
                        assert answer.is_success, f"{method} {path}: {said}"
                        return answer
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise AssertionError(f"{method} {path}: {said}") from None
