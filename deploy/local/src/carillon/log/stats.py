"""What the log holds: per stream and per type of event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from carillon.log.facts import facts_in
from carillon.log.filtering import Filter
from carillon.log.reading import Selection, ask_server, history

NO_TIME = "0001-"
"""How the server says that there is none."""
ALARM_AT = 0.8


@dataclass(slots=True)
class TypeCount:
    """How often one type of event occurs."""

    entries: int = 0
    facts: int = 0


@dataclass(slots=True)
class StreamStats:
    """What one stream holds."""

    name: str
    entries: int
    bytes: int
    limit: int
    first_seq: int
    last_seq: int
    first_at: str | None
    last_at: str | None
    types: dict[str, TypeCount] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """How much of its limit is used, if it has one."""
        return self.bytes / self.limit if self.limit > 0 else None

    @property
    def facts(self) -> int:
        """How many facts its entries state."""
        return sum(count.facts for count in self.types.values())

    def shown(self) -> dict[str, Any]:
        """Return it for programs."""
        types = {
            name: {"entries": count.entries, "facts": count.facts}
            for name, count in sorted(self.types.items())
        }
        return {
            "stream": self.name,
            "entries": self.entries,
            "bytes": self.bytes,
            "limit_bytes": self.limit if self.limit > 0 else None,
            "share_of_limit": self.share,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "facts": self.facts,
            "types": types,
        }


async def stream_stats(nc: Client, stream: str) -> StreamStats:
    """Ask the server about one stream."""
    found = await ask_server(nc, f"STREAM.INFO.{stream}")
    state, config = found["state"], found["config"]
    return StreamStats(
        name=stream,
        entries=state["messages"],
        bytes=state["bytes"],
        limit=config.get("max_bytes", -1),
        first_seq=state["first_seq"],
        last_seq=state["last_seq"],
        first_at=_moment(state.get("first_ts")),
        last_at=_moment(state.get("last_ts")),
    )


async def count_types(
    nc: Client, stats: StreamStats, selection: Selection, read: Callable[[int], None]
) -> None:
    """Read a stream and count what it says; `read` is told how many entries were read."""
    async for piece in history(nc, Filter(), selection):
        for entry in piece.entries:
            count = stats.types.setdefault(entry.event.type, TypeCount())
            count.entries += 1
            count.facts += facts_in(entry.event.type, entry.event.data)
        read(piece.read)


def show(all_stats: list[StreamStats], console: Console) -> None:
    """Show what the streams hold, and a table of the types that occur."""
    streams = Table("stream", title="The event log", title_justify="left")
    for name in ("entries", "facts", "size", "of limit"):
        streams.add_column(name, justify="right")
    for name in ("first", "last"):
        streams.add_column(name)
    for one in all_stats:
        share = "-" if one.share is None else f"{one.share:.2%}"
        style = "red" if (one.share or 0) >= ALARM_AT else None
        streams.add_row(
            *(one.name, f"{one.entries:,}", f"{one.facts:,}", decimal(one.bytes), share),
            *(_second(one.first_at), _second(one.last_at)),
            style=style,
        )
    console.print(streams)
    types = Table("type")
    for name in ("entries", "facts"):
        types.add_column(name, justify="right")
    for one in all_stats:
        for name, count in sorted(one.types.items()):
            types.add_row(name, f"{count.entries:,}", f"{count.facts:,}")
    console.print(types)


def _moment(text: str | None) -> str | None:
    return None if not text or text.startswith(NO_TIME) else text


def _second(text: str | None) -> str:
    return "-" if text is None else text[:19].replace("T", " ")
