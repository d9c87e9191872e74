"""How far are the calls of each run of a voice campaign? One document of counters per run."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.call import CallsFinished, RunOpened
from campaign_events.envelope import Recorded
from campaign_events.projection import Document, Write
from campaign_events.voice_presentation import callable_contacts, run_number, waiting
from read_model.views.call_moves import moves

NAME = "run_totals"

type Totals = Mapping[str, Any]


class Runs:
    """What a batch changes in the counters of each run, and whether one has begun or ended."""

    def __init__(self) -> None:
        self._counters: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._facts: dict[str, Document] = {}

    def add(self, recorded: Recorded[Any]) -> None:
        """Count what a fact about a run moves in it."""
        event = recorded.event
        moved = moves(event)
        if moved is None:
            return
        name = run_id(recorded.address.thing, event.run)
        self._counters[name].update(moved)
        known = self._facts.setdefault(name, {"workspace": recorded.address.workspace})
        if isinstance(event, RunOpened):
            known["opened"] = True
        if isinstance(event, CallsFinished):
            known["left"] = event.left

    def writes(self) -> Sequence[Write]:
        """Return one write per run."""
        return [_write(name, self._counters[name], facts) for name, facts in self._facts.items()]


def _write(name: str, counter: Counter[str], facts: Document) -> UpdateOne:
    changes: dict[str, Any] = {"$set": facts}
    if moved := {number: moves for number, moves in counter.items() if moves}:
        changes["$inc"] = moved
    return UpdateOne({"_id": name}, changes, upsert=True)


def run_id(campaign_id: str, run: int) -> str:
    """Return the name of a run."""
    return f"{campaign_id}/{run}"


async def of(
    totals: AsyncCollection[Document], rows: Sequence[Mapping[str, Any]], run: int | None = None
) -> dict[str, Totals]:
    """Return the counters of these campaigns by id, of the current run unless another is named."""
    runs = {row["_id"]: run or run_number(row) for row in rows}
    names = [run_id(one, number - back) for one, number in runs.items() for back in (0, 1)]
    if not names:
        return {}
    found = await totals.find({"_id": {"$in": names}}).to_list()
    known = {document["_id"]: document for document in found}
    return {row["_id"]: counters(row, known, runs[row["_id"]]) for row in rows}


def counters(row: Mapping[str, Any], known: Mapping[str, Totals], run: int) -> Totals:
    """Return the counters of one run; before it has begun, everybody who is left waits.

    Until the dialler has said who is left of the run before, it is who was not completed.
    """
    begun = known.get(run_id(row["_id"], run), {})
    if begun.get("opened"):
        return begun
    before = known.get(run_id(row["_id"], run - 1))
    if run == 1 or before is None:
        return waiting(callable_contacts(row))
    not_completed = before.get("total_calls", 0) - before.get("completed", 0)
    return waiting(before.get("left", not_completed))
