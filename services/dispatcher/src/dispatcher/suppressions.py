"""The opt-out list: phones in MongoDB, keyed hashes in the log, the newest ones in memory too.

The document with the phone is written before the fact, so what the log says can always be shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pymongo import DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Address, Batch, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.projection import Document
from campaign_events.suppression import LIST, SuppressionsAdded, SuppressionsRemoved, phone_hash
from dispatcher.outcomes import SOURCE

FRESH_KEPT = 200_000
MAX_DIGITS = 14
"""Milliseconds up to the year 5138."""

type Source = Literal["api", "upload", "inbound"]


_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended: several entries may be of one millisecond."""

    created_at: datetime
    entry: str

    @classmethod
    def of(cls, row: Document) -> Self:
        """Return the place of an entry."""
        return cls(row["created_at"], row["_id"])

    def __str__(self) -> str:
        return f"{(self.created_at - _EPOCH) // timedelta(milliseconds=1)}-{self.entry}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote.

        Raises:
            ValueError: the text is not a place.

        """
        milliseconds, dash, entry = text.partition("-")
        if not (dash and entry and milliseconds.isdecimal() and len(milliseconds) <= MAX_DIGITS):
            raise ValueError("not a place in the list")
        return cls(_EPOCH + timedelta(milliseconds=int(milliseconds)), entry)


class Suppressions:
    """Who must not be written to, per workspace."""

    def __init__(
        self, store: EventLog, suppressions: AsyncCollection[Document], secret: bytes
    ) -> None:
        self._store = store
        self._suppressions = suppressions
        self._secret = secret
        self._fresh: dict[str, None] = {}

    async def prepare(self) -> None:
        """Make the index that lists need."""
        listing = IndexModel([("workspace", 1), ("created_at", DESCENDING), ("_id", DESCENDING)])
        await self._suppressions.create_indexes([listing])

    async def among(self, workspace: str, phones: Sequence[str]) -> set[str]:
        """Return those of the phones that are on the list: one read for all of them."""
        by_hash = {phone_hash(self._secret, workspace, phone): phone for phone in phones}
        found = self._suppressions.find({"_id": {"$in": list(by_hash)}}, {"_id": 1})
        return {by_hash[entry["_id"]] async for entry in found}

    def is_fresh(self, hashed: str) -> bool:
        """Tell whether a phone was put on the list since this process runs."""
        return hashed in self._fresh

    async def heard(self, batch: Batch) -> None:
        """Take note of what a projected batch says about the list."""
        for recorded in batch:
            if isinstance(recorded.event, SuppressionsAdded):
                self._fresh |= dict.fromkeys(recorded.event.hashes)
            elif isinstance(recorded.event, SuppressionsRemoved):
                for hashed in recorded.event.hashes:
                    self._fresh.pop(hashed, None)
        while len(self._fresh) > FRESH_KEPT:
            del self._fresh[next(iter(self._fresh))]

    async def add(
        self, workspace: str, phones: Iterable[str], *, reason: str | None, source: Source
    ) -> tuple[list[Document], int]:
        """Put phones on the list; return their entries and the fact's place in the log.

        Who is on it already stays there with the reason of the first time.
        """
        now = datetime.now(UTC)
        entries = [
            {
                "_id": phone_hash(self._secret, workspace, phone),
                "workspace": workspace,
                "phone": phone,
                "reason": reason,
                "source": source,
                "created_at": now,
            }
            for phone in phones
        ]
        await self._suppressions.bulk_write(
            [UpdateOne({"_id": one["_id"]}, {"$setOnInsert": one}, upsert=True) for one in entries]
        )
        hashes = tuple(str(one["_id"]) for one in entries)
        stored = await self._suppressions.find({"_id": {"$in": hashes}}).to_list()
        event = SuppressionsAdded(hashes=hashes, reason=reason, source=source)
        self._fresh |= dict.fromkeys(hashes)
        seq = await self._store.append_fact(
            Fact(event, Address(workspace, LIST), new_id()), Origin(new_id(), now, SOURCE)
        )
        return stored, seq

    async def remove(self, workspace: str, entry_id: str) -> int | None:
        """Take an entry off the list; return the fact's place, or None when there is none."""
        found = await self._suppressions.find_one({"_id": entry_id, "workspace": workspace})
        if found is None:
            return None
        origin = Origin(new_id(), datetime.now(UTC), SOURCE)
        event = SuppressionsRemoved(hashes=(entry_id,))
        seq = await self._store.append_fact(Fact(event, Address(workspace, LIST), new_id()), origin)
        await self._suppressions.delete_one({"_id": entry_id})
        self._fresh.pop(entry_id, None)
        return seq

    async def page(self, workspace: str, limit: int, after: Place | None) -> list[Document]:
        """Return entries, newest first."""
        wanted: Document = {"workspace": workspace}
        if after is not None:
            wanted["$or"] = [
                {"created_at": {"$lt": after.created_at}},
                {"created_at": after.created_at, "_id": {"$lt": after.entry}},
            ]
        found = self._suppressions.find(wanted)
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await found.sort(order).limit(limit).to_list()
