"""What a projection makes of a batch: writes, or the finding that it can not be digested."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from bson.errors import BSONError
from prometheus_client import Counter as Metric
from pymongo.errors import BulkWriteError

from campaign_events.catalogue import STREAM_OF_KIND
from campaign_events.entries import Entries
from campaign_events.envelope import Address, Batch, Events, Recorded, Unknown, Unreadable
from campaign_events.faults import said
from campaign_events.parking import Indigestible

UNKNOWN = Metric(
    "carillon_unknown_events", "Events of a type that the running version skips", ["projection"]
)
WRITE_FAULTS = (BulkWriteError, BSONError, OverflowError, TypeError)
"""What MongoDB, or the way to it, says of writes that it will never take."""
OTHERS = "other"

type Fold = Callable[[Events], Mapping[str, Sequence[Any]]]
type Commit = Callable[[Entries, Indigestible | None], Awaitable[None]]
"""Commits what a batch changes; with a cause, that its only event is parked."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The writes of a batch, the events in it that wait behind others, and how many are unknown.

    `unknown` counts by type.
    """

    writes: Mapping[str, Sequence[Any]]
    waiting: Batch
    unknown: Mapping[str, int]


def digest(
    fold: Fold,
    batch: Batch,
    held: AbstractSet[Address] = frozenset(),
    dropped: AbstractSet[int] = frozenset(),
) -> Digest:
    """Fold what waits for nothing and is not passed over.

    Raises:
        Indigestible: an event can not be read, or the fold fails.

    """
    waiting: list[Recorded[Any]] = []
    unknown: Counter[str] = Counter()

    def digestible() -> Iterator[Recorded[Any]]:
        for recorded in batch:
            if recorded.seq in dropped:
                continue
            if recorded.address in held:
                waiting.append(recorded)
                continue
            kind = type(recorded.event)
            if kind is Unknown:
                unknown[_key(recorded.type)] += 1
            elif kind is Unreadable:
                raise Indigestible(recorded.event.why)
            yield recorded

    try:
        return Digest(fold(digestible()), waiting, unknown)
    except Indigestible:
        raise
    except Exception as error:
        raise Indigestible(said(error)) from error


async def by_halves(batch: Entries, commit: Commit) -> None:
    """Commit a batch, in halves where something can not be digested; that one event is parked."""
    try:
        await commit(batch, None)
    except Indigestible as error:
        poison = error
    else:
        return
    if len(batch) == 1:
        await commit(batch, poison)
        return
    half = len(batch) // 2
    await by_halves(batch[:half], commit)
    await by_halves(batch[half:], commit)


def why_refused(error: Exception) -> str:
    """Return what MongoDB has against a write, without the document."""
    if isinstance(error, BulkWriteError) and (refusals := error.details["writeErrors"]):
        return f"write refused: {refusals[0]['code']} {refusals[0]['errmsg']}"
    return f"write refused: {error}"


def _key(type_: str) -> str:
    """Return the name of a type inside a document, where a dot leads one level down."""
    kind, _, fact = type_.partition(".")
    return type_ if kind in STREAM_OF_KIND and fact.isidentifier() else OTHERS
