"""A platform from a backup: checked first, then put into an empty folder, then compared."""

from pathlib import Path
from typing import Any

from nats.aio.client import Client
from rich.console import Console

from carillon.backup import mongo_dump
from carillon.backup.bare import bare_servers
from carillon.backup.manifest import Manifest
from carillon.backup.snapshots import load_streams
from carillon.backup.snapshots import refuse_unless_empty as refuse_unless_empty_log
from carillon.backup.unfinished import unfinished
from carillon.bars import bar
from carillon.errors import PlainError
from carillon.files import OWNER_ONLY, write_atomically
from carillon.log.stats import stream_stats
from carillon.servers.connections import Mongo, mongo_at, nats_at

UNDER_WAY = ("building", "pending", "sending", "paused", "running")


class NotTheSameError(PlainError):
    """What was put back does not fit together."""


async def restore(data: Path, folder: Path, said: Console) -> list[str]:
    """Put a backup into an empty data folder; return the campaigns that will go on.

    Raises:
        BadBackupError: the backup is not whole; nothing was touched.
        ServicesRunError: a platform runs there.
        LogNotEmptyError, StoreNotEmptyError: the folder holds something already.
    """
    manifest = Manifest.read(folder)
    with bar(said, "check", manifest.bytes, "bytes") as advance:
        manifest.check(folder, advance)
    async with (
        bare_servers(data, lambda _: None) as servers,
        nats_at(servers.nats_url) as nc,
        mongo_at(servers.mongo_url) as mongo,
    ):
        await refuse_unless_empty_log(nc, [one.name for one in manifest.streams])
        await mongo_dump.refuse_unless_empty(mongo)
        with unfinished(data, f"Restoring {folder}"):
            with bar(said, "log", sum(one.bytes for one in manifest.streams), "bytes") as advance:
                await load_streams(nc, folder, manifest.streams, manifest.readers, advance)
            total = sum(one.bytes for one in manifest.collections)
            with bar(said, "mongo", total, "bytes") as advance:
                for one in manifest.collections:
                    await mongo_dump.load(mongo, folder, one, advance)
            for kept in manifest.files:
                content = (folder / kept.file).read_text()
                write_atomically(data / kept.place, content, mode=OWNER_ONLY)
            await _compare(nc, mongo)
        return await _under_way(mongo)


async def _compare(nc: Client, mongo: Mongo) -> None:
    """Make sure that no view is ahead of the log.

    Raises:
        NotTheSameError: one is; its projector would refuse to start.
    """
    ends = {name: await stream_stats(nc, name) for name in ("CAMPAIGNS", "MESSAGES", "CALLS")}
    for database in mongo_dump.DATABASES:
        async for place in mongo[database]["checkpoints"].find({}):
            stats = ends.get(place.get("stream", ""))
            if stats is not None and place["seq"] > stats.last_seq:
                raise NotTheSameError(
                    f"{database}'s view {place['_id']} is at {place['seq']}, but {stats.name} "
                    f"ends at {stats.last_seq}: this backup does not fit together. Use another one."
                )


async def _under_way(mongo: Mongo) -> list[str]:
    """Return the ids of campaigns that go on by themselves."""
    found: set[str] = set()
    for database in ("dispatcher", "dialler"):
        for name in await mongo[database].list_collection_names():
            if name.startswith("campaigns.r"):
                wanted: dict[str, Any] = {"status": {"$in": UNDER_WAY}}
                found |= {row["_id"] async for row in mongo[database][name].find(wanted)}
    return sorted(found)
