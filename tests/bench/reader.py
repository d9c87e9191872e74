"""The read model alone: a real process over servers of its own, and a log to write to."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nats
from pymongo import AsyncMongoClient

import servers
from campaign_events.eventlog import EventLog
from campaign_events.projection import Projection
from doors import AUDIENCE, ISSUER, Issuer
from read_model import projections

DATABASE = "read_model"
VIEWS = (
    projections.CAMPAIGNS,
    projections.HISTORY,
    projections.MESSAGES,
    projections.CALLS,
)
LOOK_S = 0.02
PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Servers:
    """A nats-server that fsyncs every write, a mongod, and a folder for whoever uses them."""

    folder: Path
    nats_url: str
    mongo_url: str
    issuer: Issuer


@dataclass(frozen=True, slots=True)
class Reader:
    """The process, and where it answers."""

    process: subprocess.Popen[bytes]
    url: str


@asynccontextmanager
async def serving() -> AsyncIterator[Servers]:
    """Run both servers in a new folder for as long as the block does."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    started = ExitStack()
    nats_port, mongo_port = servers.free_port(), servers.free_port()
    for name in ("nats", "mongo"):
        (folder / name).mkdir()

    def start() -> str:
        started.enter_context(servers.nats_server(folder / "nats", nats_port))
        return started.enter_context(servers.mongod(folder / "mongo", mongo_port))

    try:
        mongo_url = await asyncio.to_thread(start)
        yield Servers(folder, f"nats://127.0.0.1:{nats_port}", mongo_url, Issuer.make(folder))
    finally:
        await asyncio.to_thread(started.close)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def connected(
    up: Servers,
) -> AsyncIterator[tuple[EventLog, AsyncMongoClient[dict[str, Any]]]]:
    """The log and the databases, for as long as the block does."""
    async with AsyncExitStack() as ending:
        nc = await nats.connect(up.nats_url)
        ending.push_async_callback(nc.close)
        mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(up.mongo_url)
        ending.push_async_callback(mongo.close)
        yield EventLog(nc), mongo


@asynccontextmanager
async def reading(up: Servers) -> AsyncIterator[Reader]:
    """Run the read model for as long as the block does; it answers when the block starts."""
    port = servers.free_port()
    with (up.folder / "read_model.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes a moment
            [sys.executable, "-m", "read_model"],
            env=os.environ | _settings(up, port),
            stdout=output,
        )
    reader = Reader(process, f"http://127.0.0.1:{port}")
    try:
        await _ready(reader)
        yield reader
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def folded(log: EventLog, mongo: AsyncMongoClient[dict[str, Any]]) -> None:
    """Wait until all its views hold the last entry of their streams."""
    async with asyncio.timeout(PATIENCE_S):
        for view in VIEWS:
            end = await log.last_seq(view.stream)
            while await _place(mongo, view) < end:
                await asyncio.sleep(LOOK_S)


async def _place(mongo: AsyncMongoClient[dict[str, Any]], view: Projection) -> int:
    found = await mongo[DATABASE].checkpoints.find_one({"_id": view.checkpoint()}) or {}
    return int(found.get("seq", 0))


async def _ready(reader: Reader) -> None:
    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as client:
        while True:
            if reader.process.poll() is not None:
                raise SystemExit("the read model did not start")
            try:
                if (await client.get(f"{reader.url}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(LOOK_S)


def _settings(up: Servers, port: int) -> Mapping[str, str]:
    settings = {
        "NATS_URL": up.nats_url,
        "MONGO_URL": up.mongo_url,
        "HTTP_PORT": str(port),
        "INSTANCE": "bench",
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "JWKS": str(up.issuer.jwks),
        "SECRET_FILE": str(up.issuer.jwks),
        "AUDIT_FALLBACK": str(up.folder / "audit.jsonl"),
        "REQUESTS_PER_S": "1000000",
    }
    return {f"CARILLON_{name}": value for name, value in settings.items()}
