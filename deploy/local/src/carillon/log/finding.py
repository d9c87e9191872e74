"""Finding single entries: by position at once, by an event's id with a look through the log."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nats.aio.client import Client

from campaign_events.follow import Follower
from carillon.errors import PlainError
from carillon.log.entries import read_leniently
from carillon.log.filtering import BadFilterError, Filter, Span, position_of
from carillon.log.reading import Entry, Selection, history, selections
from carillon.servers.connections import log_of

BATCH = 2000
CLOCKS_DIFFER = timedelta(hours=1)
TIME_ORDERED = 7  # the version of ids that begin with the time


class NotInLogError(PlainError):
    """There is no such entry."""


async def find(data: Path, name: str) -> list[Entry]:
    """Return the entries that a position or an event's id names: at least one.

    Raises:
        NotInLogError: there are none.
    """
    try:
        place = position_of(name)
    except BadFilterError:
        place = None
    async with log_of(data) as nc:
        if place is not None:
            return [await _at(nc, stream, seq) for stream, seq in place.seqs]
        return await _by_id(nc, name)


async def _at(nc: Client, stream: str, seq: int) -> Entry:
    wanted = Filter(spans=((stream, Span(seq - 1, seq)),)) if seq else Filter(spans=())
    for selection in await selections(nc, wanted):
        async for piece in history(nc, wanted, selection, batch=2):
            if piece.entries:
                return piece.entries[0]
    raise NotInLogError(
        f"{stream} has no entry {seq}: `carillon log stats --quick` tells how many it has."
    )


async def _by_id(nc: Client, name: str) -> list[Entry]:
    made_at = _made_at(name)
    tries = [Filter(since=made_at - CLOCKS_DIFFER)] if made_at else []
    for wanted in (*tries, Filter()):
        for selection in await selections(nc, wanted):
            if found := await _scan(nc, selection, name):
                return found
    raise NotInLogError(
        f"No event of the log has the id {name}, and none came of a command with that id: it was "
        "refused, or there was nothing to do. Positions look like c12 or m3."
    )


async def _scan(nc: Client, selection: Selection, name: str) -> list[Entry]:
    """Look through a stream; only what may be it is read as JSON."""
    mark = f'"{name}'.encode()
    follower = Follower(nc, selection.stream, after=selection.after, batch=BATCH)
    found: list[Entry] = []
    left = selection.count
    try:
        while left > 0:
            stored = (await follower.fetch()).stored
            left -= len(stored)
            entries = [read_leniently(*one) for one in stored if mark in one.payload]
            hits = [one for one in entries if one.id == name or one.id.startswith(f"{name}:")]
            if found and not hits:
                break
            found += hits
    finally:
        await follower.close()
    return found


def _made_at(name: str) -> datetime | None:
    """Return when a time-ordered id was made; the event is stored after that."""
    try:
        made = uuid.UUID(name.partition(":")[0])
    except ValueError:
        return None
    if made.version != TIME_ORDERED:
        return None
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
