"""What the commands of `carillon log` do, with bars that show how far they are."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from carillon.backup.bare import bare_servers
from carillon.backup.manifest import Manifest
from carillon.backup.snapshots import load_streams, refuse_unless_empty
from carillon.backup.unfinished import unfinished
from carillon.bars import bar
from carillon.log import importing
from carillon.log.exporting import export, writing
from carillon.log.filtering import STREAMS, Filter
from carillon.log.reading import Entry, Tail, selections
from carillon.log.stats import StreamStats, count_types, stream_stats
from carillon.servers.connections import log_of, nats_at


async def tail_log(
    data: Path, wanted: Filter, shown: Callable[[Entry], None], *, follow: bool, limit: int
) -> None:
    """Show entries until there are enough; for ever if it is to follow."""
    left = limit or -1

    def show(entry: Entry) -> bool:
        nonlocal left
        shown(entry)
        left -= 1
        return left != 0

    async with log_of(data) as nc:
        chosen = await selections(nc, wanted)
        await Tail(nc, wanted, chosen).show(show, on=follow)


async def export_log(
    data: Path, wanted: Filter, file: Path, *, replace: bool, said: Console
) -> int:
    """Write what is wanted into a file; return how many entries that are."""
    async with log_of(data) as nc:
        chosen = await selections(nc, wanted)
        total = sum(selection.count for selection in chosen)
        with writing(file, replace=replace) as writer, bar(said, "export", total) as advance:
            return await export(nc, wanted, chosen, writer, advance)


async def gather_stats(data: Path, said: Console, *, quick: bool) -> list[StreamStats]:
    """Return what each stream holds; `quick`: without the types."""
    async with log_of(data) as nc:
        found = [await stream_stats(nc, stream) for stream in STREAMS]
        if quick:
            return found
        chosen = await selections(nc, Filter())
        with bar(said, "read", sum(selection.count for selection in chosen)) as advance:
            for stats, selection in zip(found, chosen, strict=True):
                await count_types(nc, stats, selection, advance)
    return found


async def import_log(data: Path, source: Path, said: Console) -> dict[str, int]:
    """Put a log into an empty one; return where each stream ends then."""
    is_backup = source.is_dir()
    manifest = Manifest.read(source) if is_backup else Manifest(datetime.now(UTC))
    if is_backup:
        with bar(said, "check", sum(one.bytes for one in manifest.streams), "bytes") as advance:
            manifest.check(source, advance, only_log=True)
        ends = {one.name: int(one.state["last_seq"]) for one in manifest.streams}
    else:
        ends = importing.check(source)
    async with (
        bare_servers(data, lambda _: None) as servers,
        nats_at(servers.nats_url) as nc,
    ):
        await refuse_unless_empty(nc, STREAMS)
        with unfinished(data, f"Importing {source}"):
            if is_backup:
                total = sum(one.bytes for one in manifest.streams)
                with bar(said, "import", total, "bytes") as advance:
                    await load_streams(nc, source, manifest.streams, manifest.readers, advance)
            else:
                with bar(said, "import", sum(ends.values())) as advance:
                    await importing.load(nc, source, advance)
    return {stream: ends.get(stream, 0) for stream in STREAMS}
