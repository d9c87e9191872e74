"""Real servers for tests: nats-server and mongod on free ports.

From the embedded binaries, or in containers (`contained.py`). Tests about the programs themselves,
their TLS and their users' rights, and whole platforms always have the embedded ones.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from pymongo import MongoClient
from pymongo.errors import PyMongoError

import contained
import forked
from campaign_events import topology
from carillon.servers.binaries import MONGO, NATS, Binary, MissingBinaryError
from forked import Forked

PATIENCE_S = 60
"""A machine that is busy takes long, what is broken takes for ever; so do other waits in tests."""


async def flushed(nc: Client) -> None:
    """Wait until the server has dealt with all that this connection has said so far.

    A client's PING overtakes what waits in its buffer (nats-py 2.16, `Client._send_ping`), so the
    first answer may come before a subscription is known; the second can not.
    """
    for _ in range(2):
        await nc.flush()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(binary: Binary) -> str:
    """The program's path; a missing one skips at home and fails in CI."""
    try:
        return str(binary.runnable())
    except MissingBinaryError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block runs, ended by its own pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
        try:
            yield process
        finally:
            _end(process)


@contextmanager
def service(name: str, log: Path, environment: Mapping[str, str]) -> Iterator[Forked]:
    """One of our services for as long as the block runs."""
    with log.open("ab") as output:
        number = output.fileno()
        process = forked.start(name, {**os.environ, **environment}, number, number)
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes] | Forked) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def nats_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes] | contained.Contained]:
    """A nats-server that fsyncs every write; ready when the block starts."""
    inside = contained.wanted()
    config = {
        "listen": f"{'0.0.0.0' if inside else '127.0.0.1'}:{port}",
        "jetstream": {
            "store_dir": "/tmp/store" if inside else str(folder),
            "sync_interval": "always",
            "max_file_store": 1024**4,
        },
    }
    file = folder / "nats.json"
    file.write_text(json.dumps(config))
    server = (
        contained.nats_server(file, port)
        if inside
        else running([program(NATS), "-c", str(file)], folder / "nats.log")
    )
    with server as process:
        asyncio.run(_topology(f"nats://127.0.0.1:{port}"))
        yield process


async def _topology(url: str) -> None:
    async def ignore(_: Exception) -> None:
        return

    nc = await nats.connect(
        url, max_reconnect_attempts=250, reconnect_time_wait=0.1, error_cb=ignore
    )
    await topology.ensure(nc)
    await nc.close()


@contextmanager
def mongod(folder: Path, port: int) -> Iterator[str]:
    """A primary of a replica set of one; gives its URL."""
    with mongod_process(folder, port):
        initiate(port)
        yield f"mongodb://127.0.0.1:{port}/?replicaSet=test"


def mongod_process(
    folder: Path, port: int
) -> AbstractContextManager[subprocess.Popen[bytes] | contained.Contained]:
    """A mongod that still has to be initiated."""
    log = folder / "mongod.log"
    if contained.wanted():
        return contained.mongod(_mongod_options("/data/db", "0.0.0.0", port), port, log)
    return running(mongod_command(folder, port), log)


def mongod_command(folder: Path, port: int) -> list[str]:
    """What starts an embedded mongod."""
    return [program(MONGO), *_mongod_options(str(folder), "127.0.0.1", port)]


def _mongod_options(folder: str, address: str, port: int) -> list[str]:
    return [
        *("--dbpath", folder, "--bind_ip", address),
        *("--port", str(port), "--replSet", "test", "--nounixsocket"),
        *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]


def initiate(port: int) -> None:
    """Make it a primary."""
    give_up = time.monotonic() + PATIENCE_S
    with MongoClient[dict[str, object]](
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500
    ) as client:
        while True:
            try:
                member = {"_id": 0, "host": f"127.0.0.1:{port}"}
                client.admin.command("replSetInitiate", {"_id": "test", "members": [member]})
                break
            except PyMongoError:
                if time.monotonic() > give_up:
                    raise
    until_primary(port)


def until_primary(port: int) -> None:
    """Wait until the server takes writes."""
    give_up = time.monotonic() + PATIENCE_S
    with MongoClient[dict[str, object]]("127.0.0.1", port, directConnection=True) as client:
        while not client.admin.command("hello").get("isWritablePrimary"):
            if time.monotonic() > give_up:
                raise TimeoutError("mongod did not become primary")
