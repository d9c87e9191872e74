"""Messages sent and failed in each of the last hours; calls that were picked up, and that failed.

A message of unknown outcome has failed in the hour in which the dispatcher gave it up. When a late
report tells of it, that hour stays in the past: the message counts as sent, and is taken off the
failures, in the hour of the report. So the sums over time are exact. An hour never shows less
than nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.call import CallsEnded
from campaign_events.envelope import Recorded
from campaign_events.projection import Document, Write
from read_model.views.call_moves import answered
from read_model.views.moves import Move

CALLS = "call_hours"
INDEXES = (IndexModel([("workspace", 1), ("channel", 1), ("hour", 1)]),)
HOURS = 24

type Key = tuple[str, datetime]


class Hours:
    """What a batch says of each hour (UTC), on one channel."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._hours: defaultdict[Key, Counter[str]] = defaultdict(Counter)

    def add(self, recorded: Recorded[Any], move: Move) -> None:
        """Count what the carrier accepted, and what failed."""
        if move.sent or move.failed:
            self._count(recorded, sent=move.sent, failed=move.failed)

    def add_calls(self, recorded: Recorded[Any]) -> None:
        """Count attempts that were picked up (`sent`), and all others (`failed`), by their end."""
        if isinstance(recorded.event, CallsEnded):
            ends = recorded.event.ends
            sent = sum(map(answered, ends))
            self._count(recorded, sent=sent, failed=len(ends) - sent)

    def _count(self, recorded: Recorded[Any], **moves: int) -> None:
        self._hours[recorded.address.workspace, _hour(recorded.time)].update(moves)

    def writes(self) -> Sequence[Write]:
        """Return one write per workspace and hour."""
        return [_write(key, counter, self._channel) for key, counter in self._hours.items()]


def _write(key: Key, counter: Counter[str], channel: str) -> UpdateOne:
    workspace, hour = key
    return UpdateOne(
        {"_id": f"{workspace}/{channel}/{hour:%Y-%m-%dT%H}"},
        {
            "$inc": dict(counter),
            "$set": {"workspace": workspace, "channel": channel, "hour": hour},
        },
        upsert=True,
    )


async def last_day(
    hours: AsyncCollection[Document], workspace: str, channel: str, now: datetime
) -> list[dict[str, Any]]:
    """Return 24 hours, the current one last."""
    return shown(await hours.find(chosen(workspace, channel, now)).to_list(), now)


def chosen(workspace: str, channel: str, now: datetime) -> Document:
    """Return the filter for those hours."""
    return {"workspace": workspace, "channel": channel, "hour": {"$gte": _first(now)}}


def shown(counted: Iterable[Document], now: datetime) -> list[dict[str, Any]]:
    """Return 24 hours, the current one last, from the hours among these counters."""
    found = {entry["hour"]: entry for entry in counted if "hour" in entry}
    hours = (_first(now) + timedelta(hours=offset) for offset in range(HOURS))
    return [_shown(hour, found.get(hour, {})) for hour in hours]


def _first(now: datetime) -> datetime:
    return _hour(now) - timedelta(hours=HOURS - 1)


def _shown(hour: datetime, entry: Document) -> dict[str, Any]:
    return {
        "hour": f"{hour:%Y-%m-%dT%H}:00:00Z",
        "sent": max(0, entry.get("sent", 0)),
        "failed": max(0, entry.get("failed", 0)),
    }


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
