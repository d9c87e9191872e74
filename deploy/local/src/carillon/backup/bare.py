"""The servers of a platform without its services, so that what they hold can be put in place.

async with bare_servers(folder, narrate) as servers:
    async with nats_at(servers.nats_url) as nc:
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats.errors

from carillon.errors import PlainError
from carillon.servers.connections import nats_at
from carillon.servers.credentials import ADMIN
from carillon.stack import AlreadyRunningError, Narrate, Options, only_launcher, prepared
from carillon.stack import start_servers as start

ANSWER_S = 1.0


class ServicesRunError(PlainError):
    """Somebody works with what is about to be changed."""


@dataclass(frozen=True, slots=True)
class BareServers:
    """Where they are, with the administrator's logins."""

    nats_url: str
    mongo_url: str


@asynccontextmanager
async def bare_servers(data: Path, narrate: Narrate) -> AsyncIterator[BareServers]:
    """Start a folder's nats-server and mongod, or use those that the environment names.

    Raises:
        ServicesRunError: the platform runs.
        NotReadyError, MissingBinaryError: as for `running_stack`.
    """
    options = Options(data=data.absolute(), environment=dict(os.environ))
    options.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as ending:
        try:
            ending.enter_context(only_launcher(options.data))
        except AlreadyRunningError as error:
            raise ServicesRunError(
                f"The platform on {data} is running: end it first (Ctrl-C, or SIGTERM to its "
                "`carillon up`), or name another folder with --data."
            ) from error
        stack = prepared(options, narrate)
        await start(stack, ending)
        servers = BareServers(stack.nats.url(), stack.mongo.url(ADMIN))
        await _refuse_if_served(servers)
        stack.ports.save()
        yield servers


async def _refuse_if_served(servers: BareServers) -> None:
    """Make sure, where the servers are somebody else's, that no service works with them."""
    async with nats_at(servers.nats_url) as nc:
        try:
            await nc.request("core.health", b"", timeout=ANSWER_S)
        except nats.errors.Error:
            return
    raise ServicesRunError(
        "Services work with these servers (a dispatcher answers): end them first."
    )
