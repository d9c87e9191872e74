"""Applies a fold's writes to plain dictionaries, as MongoDB would."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import DeleteOne, InsertOne, UpdateOne

from campaign_events.envelope import Address, Event, Recorded
from campaign_events.projection import Writes

START = datetime(2024, 5, 1, 9, 59, 58, tzinfo=UTC)

type View = dict[str, dict[str, dict[str, Any]]]


def recorded(seq: int, thing: str, event: Event, workspace: str = "w") -> Recorded[Any]:
    """An entry of the log; every entry is 0.7 s later than the one before."""
    time = START + timedelta(seconds=0.7 * seq)
    return Recorded("LOG", seq, f"e{seq}", Address(workspace, thing), time, event, "test")


def folded(
    fold: Callable[[Sequence[Recorded[Any]]], Writes],
    entries: Sequence[Recorded[Any]],
    cuts: Sequence[int] = (),
) -> View:
    """The view after these entries, handed over in batches that end at the cuts."""
    view: View = {}
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(entries)}), len(entries)]
    start = 0
    for end in ends:
        for collection, writes in fold(entries[start:end]).items():
            for write in writes:
                _apply(view.setdefault(collection, {}), write)
        start = end
    return {name: documents for name, documents in view.items() if documents}


def _apply(documents: dict[str, dict[str, Any]], write: Any) -> None:
    if isinstance(write, InsertOne):
        document = write._doc
        assert document["_id"] not in documents
        documents[document["_id"]] = dict(document)
        return
    key = write._filter["_id"]
    if isinstance(write, DeleteOne):
        documents.pop(key, None)
        return
    assert isinstance(write, UpdateOne)
    if key not in documents and not write._upsert:
        return
    document = documents.setdefault(key, {"_id": key})
    update: Any = write._doc
    assert set(update) <= {"$set", "$inc", "$min"}
    paths = [path for changes in update.values() for path in changes]
    assert len(paths) == len(set(paths))
    for path, value in update.get("$set", {}).items():
        place, name = _place(document, path)
        place[name] = value
    for path, value in update.get("$inc", {}).items():
        place, name = _place(document, path)
        place[name] = place.get(name, 0) + value
    for path, value in update.get("$min", {}).items():
        place, name = _place(document, path)
        place[name] = min(place.get(name, value), value)


def _place(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parents, name = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    return document, name
