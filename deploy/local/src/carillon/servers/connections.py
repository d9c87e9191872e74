"""Connections of the command line to the servers of a running platform, as its administrator."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from campaign_events.nats_login import Connection, NatsLogin
from carillon.errors import PlainError
from carillon.stack_file import read_stack_file

CONNECT_S = 3
MONGO_WITHIN_MS = 5000

type Mongo = AsyncMongoClient[dict[str, Any]]


class ServerAwayError(PlainError):
    """A server of the platform does not answer."""


@asynccontextmanager
async def log_of(data: Path) -> AsyncIterator[Client]:
    """Connect to the event log of the platform that runs on this folder.

    Raises:
        NoStackError: none runs there.
        ServerAwayError: its nats-server does not answer.
    """
    async with nats_at(read_stack_file(data).nats_url) as nc:
        yield nc


@asynccontextmanager
async def nats_at(url: str) -> AsyncIterator[Client]:
    """Connect to a nats-server; once connected, one more try is made when it goes away.

    Raises:
        ServerAwayError: it does not answer, or went away for good.
    """
    try:
        nc = await Connection.open(
            login_to(url),
            connect_timeout=CONNECT_S,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.25,
            error_cb=_unsaid,
        )
    except (nats.errors.Error, OSError) as error:
        raise ServerAwayError(
            f"The event log does not answer ({error!r}): look at logs/nats.log in the data folder, "
            "then try again."
        ) from error
    try:
        yield nc
    except nats.errors.ConnectionClosedError as error:
        raise ServerAwayError(
            "The event log went away: look at logs/nats.log in the data folder, then try again."
        ) from error
    finally:
        await nc.close()


def login_to(url: str) -> NatsLogin:
    """Return how a tool logs in: as the URL says, or with the key that the environment names."""
    ca, key = (os.environ.get(f"CARILLON_NATS_{name}") for name in ("CA", "NKEY_FILE"))
    seed = Path(key).read_text().strip() if key else None
    return NatsLogin(url, seed=seed, ca=Path(ca) if ca else None)


@asynccontextmanager
async def mongo_at(url: str) -> AsyncIterator[Mongo]:
    """Connect to a mongod.

    Raises:
        ServerAwayError: it does not answer.
    """
    async with AsyncMongoClient[dict[str, Any]](
        url, tz_aware=True, serverSelectionTimeoutMS=MONGO_WITHIN_MS, appname="carillon"
    ) as client:
        try:
            await client.admin.command("ping")
        except PyMongoError as error:
            raise ServerAwayError(
                f"MongoDB does not answer ({type(error).__name__}): look at logs/mongo.log in the "
                "data folder, then try again."
            ) from error
        yield client


async def _unsaid(_: Exception) -> None:
    """Leave it to whoever waits for an answer to say what is wrong."""
