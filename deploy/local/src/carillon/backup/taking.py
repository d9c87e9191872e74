"""A backup of a platform: its log, MongoDB, and the keys without which both are worth less.

The order makes it whole while the platform goes on. The places of the reactions come first: what
they are told twice they do once. Then all views, as of one moment, so none is ahead of the log that
is saved after them. Last what is written down before the log speaks of it: contacts, phones, audit
records. So nothing that the log names is missing.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client
from rich.console import Console

from carillon.backup import mongo_dump
from carillon.backup.bare import BareServers, bare_servers
from carillon.backup.manifest import CollectionFile, KeptFile, Manifest
from carillon.backup.mongo_dump import Found
from carillon.backup.snapshots import StreamFile, reader_places, save_stream
from carillon.bars import bar
from carillon.errors import PlainError
from carillon.log.stats import stream_stats
from carillon.servers.connections import Mongo, mongo_at, nats_at
from carillon.stack_file import NoStackError, read_stack_file

# The campaigns' stream last: a reaction's effect in it may be newer than its cause, never lost.
STREAMS = ("LEASES", "CALLS", "MESSAGES", "CAMPAIGNS")
BEFORE_THE_FACT = frozenset(
    (
        *(("campaign", "contacts"), ("campaign", "audiences")),
        *(("dispatcher", "pushed"), ("dispatcher", "suppressions")),
        ("audit", "records"),
    )
)
"""Collections that are written before the log speaks of what is in them."""
KEYS = ("credentials/suppression.key", "issuer/key.pem")
OWNER_ONLY = 0o700


class BackupRefusedError(PlainError):
    """A backup can not be written there."""


@dataclass(frozen=True, slots=True)
class _Sources:
    nc: Client
    mongo: Mongo
    data: Path
    folder: Path
    said: Console


async def back_up(data: Path, folder: Path, said: Console) -> Manifest:
    """Write a backup into an empty folder; the platform may run, or not.

    Raises:
        BackupRefusedError: the folder is not empty.
        ServerAwayError, SnapshotBrokenError, DumpFailedError: it did not work; the folder holds
            no backup.
    """
    _make_room(folder)
    async with (
        _servers(data) as servers,
        nats_at(servers.nats_url) as nc,
        mongo_at(servers.mongo_url) as mongo,
    ):
        sources = _Sources(nc, mongo, data, folder, said)
        readers = await reader_places(nc)
        found = await mongo_dump.collections(mongo)
        views = await _save_collections(
            sources, "views", [one for one in found if one.place not in BEFORE_THE_FACT]
        )
        streams = await _save_streams(sources)
        files = _save_files(data, folder)
        people = await _save_collections(
            sources, "people", [one for one in found if one.place in BEFORE_THE_FACT]
        )
    manifest = Manifest(datetime.now(UTC), streams, readers, [*views, *people], files)
    manifest.write(folder)
    return manifest


@asynccontextmanager
async def _servers(data: Path) -> AsyncIterator[BareServers]:
    """Find the servers of a running platform, or start them."""
    try:
        stack = read_stack_file(data)
    except NoStackError:
        if not (data / "credentials").is_dir():
            raise
        async with bare_servers(data, lambda _: None) as servers:
            yield servers
    else:
        yield BareServers(stack.nats_url, stack.mongo_url)


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise BackupRefusedError(f"{folder} can not be used: {error.strerror}.") from error
    if not is_empty:
        raise BackupRefusedError(f"{folder} is not empty: a backup needs a folder of its own.")


async def _save_collections(
    sources: _Sources, what: str, found: Sequence[Found]
) -> list[CollectionFile]:
    """Write collections as they are at one moment."""
    total = sum(one.bytes for one in found)
    with bar(sources.said, what, total, "bytes") as advance:
        async with mongo_dump.one_moment(sources.mongo) as session:
            return [
                await mongo_dump.save(
                    sources.mongo,
                    session,
                    one,
                    sources.folder / f"{one.database}.{one.name}.bson",
                    advance,
                )
                for one in found
            ]


async def _save_streams(sources: _Sources) -> list[StreamFile]:
    total = sum([(await stream_stats(sources.nc, name)).bytes for name in STREAMS])
    with bar(sources.said, "log", total, "bytes") as advance:
        return [
            await save_stream(sources.nc, name, sources.folder / f"{name}.snapshot", advance)
            for name in STREAMS
        ]


def _save_files(data: Path, folder: Path) -> list[KeptFile]:
    """Copy the keys, and audit records that wait on disk."""
    waiting = sorted(str(one.relative_to(data)) for one in (data / "audit").glob("*.jsonl"))
    return [_copy(data, place, folder) for place in (*KEYS, *waiting) if (data / place).is_file()]


def _copy(data: Path, place: str, folder: Path) -> KeptFile:
    content = (data / place).read_bytes()
    name = place.replace("/", ".")
    handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as copy:
        copy.write(content)
        copy.flush()
        os.fsync(copy.fileno())
    return KeptFile(place, name, len(content), hashlib.sha256(content).hexdigest())
