"""A nats-server with the rights of every service, and what it refuses them."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import nats
from nats.aio.client import Client

import servers
from campaign_events.nats_login import Connection, NatsLogin
from carillon.servers.binaries import NATS
from carillon.servers.credentials import ADMIN, prepare_credentials
from carillon.servers.nats_rights import RIGHTS
from carillon.servers.nats_server import NatsServer


@dataclass(slots=True)
class Guarded:
    """The server, and who may come in."""

    server: NatsServer

    def login(self, service: str) -> NatsLogin:
        told = self.server.login(service)
        seed = Path(told["CARILLON_NATS_NKEY_FILE"]).read_text()
        return NatsLogin(told["CARILLON_NATS_URL"], service, seed)

    async def administrator(self) -> Client:
        return await nats.connect(self.server.url())


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[Guarded]:
    """Start a server as `carillon up` does, with streams and durable consumers."""
    credentials = prepare_credentials(folder / "credentials", (ADMIN, *RIGHTS))
    server = NatsServer(
        folder=folder,
        port=servers.free_port(),
        monitor_port=servers.free_port(),
        password=credentials.passwords[ADMIN],
        keys=credentials.seeds,
    )
    config = folder / "nats.json"
    config.write_text(json.dumps(server.config()))
    command = [servers.program(NATS), "-c", str(config)]
    with servers.running(command, folder / "nats.log"):
        async with asyncio.timeout(servers.PATIENCE_S):
            while not await server.answers():
                await asyncio.sleep(0.05)
        await server.prepare()
        yield Guarded(server)


@dataclass(slots=True)
class Probe:
    """A service's connection, and what the server has refused it."""

    nc: Client
    complaints: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def of(cls, login: NatsLogin) -> AsyncIterator[Self]:
        complaints: list[str] = []

        async def hear(error: Exception) -> None:
            complaints.append(str(error))

        async with await Connection.open(login, error_cb=hear) as nc:
            yield cls(nc, complaints)

    async def may_not_say(self, subjects: Collection[str]) -> set[str]:
        """Publish to each of these, and return those that the server refuses."""
        for subject in subjects:
            await self.nc.publish(subject, b"{}", reply=self.nc.new_inbox())
        return await self._refused("publish to", subjects)

    async def may_not_hear(self, subjects: Collection[str]) -> set[str]:
        """Subscribe to each of these, and return those that the server refuses."""
        for subject in subjects:
            await self.nc.subscribe(subject)
        return await self._refused("subscription to", subjects)

    async def _refused(self, what: str, subjects: Collection[str]) -> set[str]:
        await servers.flushed(self.nc)
        told, self.complaints[:] = "\n".join(self.complaints), []
        return {  # the client tells in lower case
            subject
            for subject in subjects
            if f'permissions violation for {what} "{subject.lower()}"' in told
        }
