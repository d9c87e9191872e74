"""How many messages were delivered in the last seconds? One document per second, for an hour."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Recorded
from campaign_events.projection import Document, Write
from read_model.views.moves import Move

KEPT_S = 3600
INDEXES = (
    IndexModel([("workspace", 1), ("second", 1)]),
    IndexModel("second", expireAfterSeconds=KEPT_S),
)


class Seconds:
    """What a batch delivers in each second, by when the reports came in."""

    def __init__(self) -> None:
        self._delivered: Counter[tuple[str, datetime]] = Counter()

    def add(self, recorded: Recorded[Any], move: Move) -> None:
        """Count deliveries."""
        if move.delivered:
            second = recorded.time.replace(microsecond=0)
            self._delivered[recorded.address.workspace, second] += move.delivered

    def writes(self) -> Sequence[Write]:
        """Return one write per workspace and second."""
        return [
            UpdateOne(
                {"_id": f"{workspace}/{second.timestamp():.0f}"},
                {
                    "$inc": {"delivered": number},
                    "$set": {"workspace": workspace, "second": second},
                },
                upsert=True,
            )
            for (workspace, second), number in self._delivered.items()
        ]


async def delivered(
    seconds: AsyncCollection[Document], workspace: str, now: datetime, interval_s: int
) -> int:
    """Return the deliveries of the last `interval_s` seconds, the current one among them."""
    counted = await seconds.find(chosen(workspace, now, interval_s)).to_list()
    return count(counted, now, interval_s)


def chosen(workspace: str, now: datetime, interval_s: int) -> Document:
    """Return the filter for the seconds of the last `interval_s`."""
    return {"workspace": workspace, "second": {"$gt": _before(now, interval_s)}}


def count(counted: Iterable[Document], now: datetime, interval_s: int) -> int:
    """Return the deliveries of the last `interval_s` seconds among these counters."""
    before = _before(now, interval_s)
    return sum(one["delivered"] for one in counted if "second" in one and one["second"] > before)


def _before(now: datetime, interval_s: int) -> datetime:
    return now - timedelta(seconds=interval_s)
