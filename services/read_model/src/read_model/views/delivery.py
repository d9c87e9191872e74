"""How far are the messages of a campaign, and of all that are under way? Counters per campaign."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Address, Recorded
from campaign_events.projection import Document, Write
from read_model.views.moves import Move

COUNTERS = (
    "submitting",
    "submitted",
    "delivered",
    "failed",
    "skipped",
    "planned",
    "segments",
    "sent",
)
LOADING = timedelta(seconds=30)
"""For how long after a start the first delivery report may be awaited."""

type Totals = Mapping[str, Any]


class Campaigns:
    """By how much a batch moves the counters of each campaign."""

    def __init__(self) -> None:
        self._times: Counter[tuple[Address, Move]] = Counter()
        self._reports: dict[Address, datetime] = {}

    def add(self, recorded: Recorded[Any], move: Move) -> None:
        """Count what a fact moves, and note the first that a report has told."""
        self._times[recorded.address, move] += 1
        if move.reported:
            known = self._reports.get(recorded.address)
            if known is None or recorded.time < known:
                self._reports[recorded.address] = recorded.time

    def writes(self) -> Sequence[Write]:
        """Return one write per campaign."""
        counters: dict[Address, Counter[str]] = {}
        for (address, move), repeated in self._times.items():
            counter = counters.setdefault(address, Counter())
            for name, number in zip(COUNTERS, move, strict=False):
                counter[name] += number * repeated
        return [
            UpdateOne(
                {"_id": address.thing},
                _changes(counter, address.workspace, self._reports.get(address)),
                upsert=True,
            )
            for address, counter in counters.items()
        ]


def _changes(
    counter: Counter[str], workspace: str, first_report: datetime | None
) -> dict[str, dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = {"$set": {"workspace": workspace}}
    if moved := {name: number for name, number in counter.items() if number}:
        changes["$inc"] = moved
    if first_report is not None:
        changes["$min"] = {"first_report_at": first_report}
    return changes


async def of(totals: AsyncCollection[Document], campaign_ids: Sequence[str]) -> dict[str, Totals]:
    """Return the counters of these campaigns, by id, in one round trip."""
    if not campaign_ids:
        return {}
    return by_id(await totals.find(chosen(campaign_ids)).to_list())


def chosen(campaign_ids: Sequence[str]) -> Document:
    """Return the filter for the counters of these campaigns."""
    return {"_id": {"$in": list(campaign_ids)}}


def by_id(counted: Iterable[Document]) -> dict[str, Totals]:
    """Return counters by what they are about."""
    return {counters["_id"]: counters for counters in counted}


def donut(active: Sequence[Document], totals: Mapping[str, Totals], now: datetime) -> Document:
    """Return the numbers of the campaigns under way.

    `loading` lasts until the first delivery report of any of them, and ends 30 s after a start.
    """
    counted = list(totals.values())
    reported = any("first_report_at" in counters for counters in counted)
    started = any(
        row.get("started_at") is not None and now - row["started_at"] < LOADING for row in active
    )
    return {
        "delivered": _total(counted, "delivered"),
        "in_flight": _total(counted, "submitted"),
        "errors": _total(counted, "failed"),
        "state": "loading" if started and not reported else "ready",
    }


def in_flight(totals: Mapping[str, Totals]) -> int:
    """Return how many messages the dispatcher still works on."""
    counted = list(totals.values())
    return _total(counted, "submitting") + _total(counted, "submitted")


def _total(counted: Sequence[Totals], name: str) -> int:
    return max(0, sum(int(counters.get(name, 0)) for counters in counted))
