"""Applies a fold's writes to plain dictionaries, as MongoDB would."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from campaign_events.envelope import Address, Event, Events, Recorded
from campaign_events.projection import Writes

START = datetime(2024, 5, 1, 9, 59, 58, tzinfo=UTC)

type View = dict[str, dict[str, dict[str, Any]]]


def recorded(seq: int, thing: str, event: Event, workspace: str = "w") -> Recorded[Any]:
    """An entry of the log; every entry is 0.7 s later than the one before."""
    time = START + timedelta(seconds=0.7 * seq)
    return Recorded("LOG", seq, f"e{seq}", Address(workspace, thing), time, event, "test")


def folded(
    fold: Callable[[Events], Writes],
    entries: Sequence[Recorded[Any]],
    cuts: Sequence[int] = (),
) -> View:
    """The view after these entries, handed over in batches that end at the cuts."""
    view: View = {}
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(entries)}), len(entries)]
    start = 0
    for end in ends:
        for collection, writes in fold(iter(entries[start:end])).items():
            for write in writes:
                _apply(view.setdefault(collection, {}), write)
        start = end
    return {name: documents for name, documents in view.items() if documents}


def _inc(place: dict[str, Any], name: str, by: Any) -> None:
    place[name] = place.get(name, 0) + by


def _min(place: dict[str, Any], name: str, value: Any) -> None:
    place[name] = min(place.get(name, value), value)


def _max(place: dict[str, Any], name: str, value: Any) -> None:
    place[name] = max(place.get(name, value), value)


def _push(place: dict[str, Any], name: str, pushed: Any) -> None:
    place.setdefault(name, []).extend(pushed["$each"])


def _pull(place: dict[str, Any], name: str, pulled: Any) -> None:
    if name in place:
        place[name] = [one for one in place[name] if one not in pulled["$in"]]


def _unset(place: dict[str, Any], name: str, _: Any) -> None:
    place.pop(name, None)


OPERATORS: dict[str, Callable[[dict[str, Any], str, Any], None]] = {
    "$set": dict.__setitem__,
    "$inc": _inc,
    "$min": _min,
    "$max": _max,
    "$push": _push,
    "$pull": _pull,
    "$unset": _unset,
}


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
    if isinstance(write, ReplaceOne):
        documents[key] = {"_id": key, **write._doc}
        return
    assert isinstance(write, UpdateOne)
    if key not in documents and not write._upsert:
        return
    update: Any = write._doc
    if key not in documents:
        documents[key] = {"_id": key, **update.get("$setOnInsert", {})}
    document = documents[key]
    assert set(update) <= {"$setOnInsert", *OPERATORS}
    paths = [path for changes in update.values() for path in changes]
    assert not any(f"{one}.".startswith(f"{other}.") for one, other in permutations(paths, 2))
    for name in OPERATORS.keys() & update.keys():
        for path, value in update[name].items():
            OPERATORS[name](*_place(document, path), value)


def _place(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parents, name = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    return document, name
