"""Searching the audit trail: newest first, by index, page behind page."""

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import pymongo
from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor

from campaign_events.audit import ANYBODY, DENIED
from campaign_events.projection import Document

PATIENCE_S = 3.0
TYPES = frozenset(("campaign", "sender", "suppression", "person", "settings", "door", "ops"))
"""What `?resource=` means as a kind of thing; anything else is an id."""
_NEWEST_FIRST = (("at", DESCENDING), ("_id", DESCENDING))
_PIECE = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: several records may be of one millisecond."""

    at: datetime
    record: str

    @classmethod
    def of(cls, record: Document) -> Self:
        """Return the place of a record."""
        return cls(record["at"], record["_id"])

    @property
    def cursor(self) -> str:
        """The place as clients hand it back."""
        text = f"{round(self.at.timestamp() * 1000)}-{self.record}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """Read what `cursor` wrote.

        Raises:
            ValueError: it is no place.

        """
        padded = cursor + "=" * (-len(cursor) % 4)
        try:
            text = base64.b64decode(padded, altchars="-_", validate=True).decode()
            milliseconds, _, record = text.partition("-")
            at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
        except (binascii.Error, UnicodeDecodeError, OverflowError, OSError) as error:
            raise ValueError("not a place in the trail") from error
        if not record:
            raise ValueError("not a place in the trail")
        return cls(at, record)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are asked for; what is empty asks for all."""

    workspace: str
    actors: Sequence[str] = ()
    actions: Sequence[str] = ()
    resources: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def filter(self, after: Place | None) -> Document:
        """Return the search as MongoDB takes it.

        Bad tokens that name no workspace concern every admin, but only who asks for bad tokens.
        """
        wanted: Document = {"workspace": self.workspace}
        if DENIED in self.actions:
            wanted["workspace"] = {"$in": [self.workspace, ANYBODY]}
        if self.actors:
            wanted["actor.id"] = {"$in": list(self.actors)}
        if self.actions:
            wanted["action"] = {"$in": list(self.actions)}
        if len(self.resources) == 1:
            wanted |= _resource(self.resources[0])
        elif self.resources:
            wanted["$or"] = [_resource(resource) for resource in self.resources]
        bounds: Document = {}
        if self.since is not None:
            bounds["$gte"] = self.since
        if self.until is not None:
            bounds["$lt"] = self.until
        if after is None:
            return wanted | ({"at": bounds} if bounds else {})
        behind = [{"at": {"$lt": after.at}}, {"_id": {"$lt": after.record}}]
        return {"$and": [wanted, {"at": bounds | {"$lte": after.at}}, {"$or": behind}]}


def _resource(text: str) -> Document:
    kind, separator, thing = text.replace("/", ":", 1).partition(":")
    if separator:
        return {"resource.type": kind, "resource.id": thing}
    return {"resource.type" if text in TYPES else "resource.id": text}


@dataclass(frozen=True, slots=True)
class Search:
    """The trail, to be read."""

    records: AsyncCollection[Document]

    async def page(self, wanted: Wanted, limit: int, after: Place | None) -> list[Document]:
        """Return at most `limit` records."""
        with pymongo.timeout(PATIENCE_S):
            return await self._found(wanted, after).limit(limit).to_list()

    async def pieces(
        self, wanted: Wanted, limit: int | None, after: Place | None
    ) -> AsyncIterator[list[Document]]:
        """Yield all records, some at a time; at the end of each piece the place is known."""
        left = limit
        while left is None or left > 0:
            size = _PIECE if left is None else min(left, _PIECE)
            piece = await self.page(wanted, size, after)
            if piece:
                yield piece
                after = Place.of(piece[-1])
            if len(piece) < size:
                return
            left = None if left is None else left - size

    def _found(self, wanted: Wanted, after: Place | None) -> AsyncCursor[Document]:
        return self.records.find(wanted.filter(after)).sort(list(_NEWEST_FIRST))


def shown(record: Document) -> dict[str, Any]:
    """Return a record as every answer shows it."""
    fields = (
        *("actor", "action", "resource", "before", "after", "ip", "user_agent", "request_id"),
        *("outcome", "refusal", "count", "workspace"),
    )
    at: datetime = record["at"]
    when = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": record["_id"], "at": when} | {name: record.get(name) for name in fields}
