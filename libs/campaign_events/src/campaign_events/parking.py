"""Parked: an event that a reader could not digest. Later ones of the same thing wait behind it.

A reader is a projection (one of its generations) or a reaction. Each thing that something is parked
of has one document: the place of the first event that is not digested, why, and how many wait from
there to `last`. The events themselves stay where they are: the log keeps them. Other things go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

import nats.errors
import nats.js.errors
import pymongo
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, PyMongoError

from campaign_events.decider import Conflict
from campaign_events.directread import ReadFailed
from campaign_events.envelope import Address, Batch, Recorded
from campaign_events.eventlog import Unavailable
from campaign_events.faults import masked, said, trace

COLLECTION = "parked"
DROPPED = "dropped"
PATIENCE_S = 0.5
AWAY = (
    *(Unavailable, ReadFailed, Conflict, nats.errors.Error, nats.js.errors.Error),
    *(ConnectionError, TimeoutError),
)
NOT_TRIED = "not tried since the one before it was dealt with"

type Kind = Literal["projection", "reaction"]
type Documents = AsyncDatabase[dict[str, Any]]


class Indigestible(Exception):
    """An event can not be digested, however often it is tried: a bug, or poison. Says why."""


def is_away(error: Exception) -> bool:
    """Tell whether an error says that somebody else is away or busy: trying again helps."""
    if isinstance(error, PyMongoError):
        return (
            error.timeout
            or isinstance(error, ConnectionFailure)
            or error.has_error_label("TransientTransactionError")
            or error.has_error_label("UnknownTransactionCommitResult")
        )
    return isinstance(error, AWAY)


@dataclass(frozen=True, slots=True)
class Parked:
    """What is parked of one thing.

    `seq` is the place of the event that failed, `waiting` of its kind come behind it up to `last`.
    """

    id: str
    reader: str
    kind: Kind
    stream: str
    workspace: str
    thing: str
    seq: int
    last: int
    waiting: int
    type: str
    error: str
    trace: str
    tries: int
    first_at: datetime
    last_at: datetime

    @property
    def address(self) -> Address:
        """The thing that it is about."""
        return Address(self.workspace, self.thing)

    @property
    def is_untried(self) -> bool:
        """Tell whether its first event has not been tried since the one before it was released."""
        return self.tries == 0

    @property
    def document(self) -> dict[str, Any]:
        """The document that says so."""
        stated = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"_id": stated.pop("id"), **stated}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read a document."""
        stated = {field.name: document.get(field.name) for field in fields(cls)}
        return cls(**{**stated, "id": document["_id"]})

    def without(self, events: Batch) -> "Parked | None":
        """Return what is left when these, the first of what is parked, have been dealt with."""
        if events[-1].seq >= self.last:
            return None
        now, left = datetime.now(UTC), max(0, self.waiting - len(events))
        beyond = replace(self, seq=events[-1].seq + 1, waiting=left, type="", trace="")
        return replace(beyond, error=NOT_TRIED, tries=0, first_at=now, last_at=now)

    def failed(self, first: Recorded[Any], error: Exception) -> "Parked":
        """Return it with one more try of its first event, and why that failed."""
        told = replace(self, error=_words(error), trace=_way(error), last_at=datetime.now(UTC))
        return replace(told, seq=first.seq, type=first.event.type, tries=self.tries + 1)

    def with_those_of(self, fresh: "Parked") -> "Parked":
        """Return it with all that waits behind it by now."""
        return replace(self, last=fresh.last, waiting=fresh.waiting)


class Parking:
    """What one reader could not digest."""

    def __init__(self, db: Documents, reader: str, kind: Kind, family: str = "") -> None:
        """Take care of one reader; what it drops holds for all of its `family`."""
        self.reader = reader
        self.kind: Kind = kind
        self._family = family or reader
        self._parked = db[COLLECTION]
        self._dropped = db[DROPPED]
        self._known: set[Address] | None = None

    async def all(self) -> dict[Address, Parked]:
        """Return everything that is parked."""
        found = await self._parked.find({"reader": self.reader}).to_list()
        return {parked.address: parked for parked in map(Parked.of, found)}

    async def find(
        self, address: Address, session: AsyncClientSession | None = None
    ) -> Parked | None:
        """Return what is parked of one thing."""
        found = await self._parked.find_one({"_id": self._id(address)}, session=session)
        return None if found is None else Parked.of(found)

    async def park(
        self, recorded: Recorded[Any], error: Exception, session: AsyncClientSession | None = None
    ) -> None:
        """Park an event, the first of its thing."""
        now = datetime.now(UTC)
        parked = Parked(
            id=self._id(recorded.address),
            reader=self.reader,
            kind=self.kind,
            stream=recorded.stream,
            workspace=recorded.address.workspace,
            thing=recorded.address.thing,
            seq=recorded.seq,
            last=recorded.seq,
            waiting=0,
            type=recorded.event.type,
            **told(error),
            tries=1,
            first_at=now,
            last_at=now,
        )
        chosen = {"_id": parked.id}
        await self._parked.replace_one(chosen, parked.document, upsert=True, session=session)
        if self._known is not None:
            self._known.add(recorded.address)

    async def settle(
        self, before: Parked, after: Parked | None, session: AsyncClientSession | None = None
    ) -> bool:
        """Put what is parked now in the place of what was; False when that has changed meanwhile.

        With nothing left the thing is free.
        """
        chosen = {"_id": before.id, "seq": before.seq, "last": before.last}
        if after is None:
            return (await self._parked.delete_one(chosen, session=session)).deleted_count == 1
        replaced = await self._parked.replace_one(chosen, after.document, session=session)
        return replaced.matched_count == 1

    async def drop(self, parked: Parked, session: AsyncClientSession | None = None) -> None:
        """Pass over the first parked event for good."""
        kept = {"reader": self._family, "seq": parked.seq, "error": parked.error}
        whole = {**kept, "type": parked.type, "thing": parked.thing, "at": datetime.now(UTC)}
        chosen = {"_id": f"{self._family}:{parked.seq}"}
        await self._dropped.update_one(chosen, {"$set": whole}, upsert=True, session=session)

    async def dropped(self) -> frozenset[int]:
        """Return the places of the events that are passed over."""
        found = self._dropped.find({"reader": self._family}, {"seq": 1})
        return frozenset([document["seq"] async for document in found])

    async def wait_behind(self, batch: Batch, session: AsyncClientSession) -> None:
        """Have these events wait, each behind what is parked of its thing."""
        writes = [
            UpdateOne(
                {"_id": self._id(address)},
                {"$inc": {"waiting": len(seqs)}, "$set": {"last": seqs[-1]}},
            )
            for address, seqs in _places(batch).items()
        ]
        await self._parked.bulk_write(writes, ordered=False, session=session)

    async def holds_back(self, recorded: Recorded[Any]) -> bool:
        """Tell whether something earlier of its thing is parked; then this event waits behind it.

        While MongoDB is away the last answer holds: what was free goes on.

        Raises:
            PyMongoError: nobody can tell; ask again.

        """
        try:
            with pymongo.timeout(PATIENCE_S):
                if self._known is None:
                    self._known = set(await self.all())
                held = await self._joins(recorded)
        except PyMongoError as error:
            if not is_away(error) or self._known is None or recorded.address in self._known:
                raise
            return False
        (self._known.add if held else self._known.discard)(recorded.address)
        return held

    async def _joins(self, recorded: Recorded[Any]) -> bool:
        while True:
            parked = await self.find(recorded.address)
            if parked is None or recorded.seq < parked.seq:
                return False
            if recorded.seq <= parked.last:
                return True
            joined = await self._parked.update_one(
                {"_id": parked.id, "last": parked.last},
                {"$inc": {"waiting": 1}, "$set": {"last": recorded.seq}},
            )
            if joined.matched_count:
                return True

    def _id(self, address: Address) -> str:
        return f"{self.reader}:{address.workspace}:{address.thing}"


def covers(subjects: Iterable[str], recorded: Recorded[Any]) -> bool:
    """Tell whether one of these subject filters lets an event through."""
    kind, _, fact = recorded.event.type.partition(".")
    tokens = [kind, *recorded.address, fact]
    return any(_matches(subject.split("."), tokens) for subject in subjects)


def _matches(wanted: list[str], tokens: list[str]) -> bool:
    for place, part in enumerate(wanted):
        if part == ">":
            return True
        if place >= len(tokens) or part not in ("*", tokens[place]):
            return False
    return len(wanted) == len(tokens)


def _places(batch: Batch) -> dict[Address, list[int]]:
    places: dict[Address, list[int]] = {}
    for recorded in batch:
        places.setdefault(recorded.address, []).append(recorded.seq)
    return places


def told(error: Exception) -> dict[str, str]:
    """Return why an event could not be digested, fit to be kept and logged."""
    return {"error": _words(error), "trace": _way(error)}


def _words(error: Exception) -> str:
    return masked(str(error)) if isinstance(error, Indigestible) else said(error)


def _way(error: Exception) -> str:
    return trace(error.__cause__ or error) if isinstance(error, Indigestible) else trace(error)
