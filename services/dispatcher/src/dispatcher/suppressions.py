"""The opt-out list: who is on it says the log, phones are in MongoDB, the newest in memory too.

A phone is written down before the fact, so what the log says can be shown, and vouched for with
the fact's place afterwards, so that a removal that came earlier in the log takes nothing away.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pymongo import DESCENDING, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Address, Event, Recorded, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.follow import Follower
from campaign_events.projection import Database, Document
from campaign_events.projector import Projector
from campaign_events.suppression import LIST, SuppressionsAdded, SuppressionsRemoved, phone_hash
from dispatcher.outcomes import origin
from dispatcher.suppressed import NAME

PHONES = "suppressions"
FRESH_KEPT = 200_000
SHOWN_WITHIN_S = 2.0
REMOVALS_WAITING = 1_000
MAX_DIGITS = 14
"""Milliseconds up to the year 5138."""

type Source = Literal["api", "upload", "stop"]
type Removals = asyncio.Queue[Recorded[SuppressionsRemoved]]


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

    def __init__(self, store: EventLog, db: Database, secret: bytes, projector: Projector) -> None:
        self._store = store
        self._phones = db[PHONES]
        self._secret = secret
        self._projector = projector
        self._fresh: dict[str, int] = {}
        """Hashes of the newest on the list, with the fact's place in the log."""
        self._listens_from = 0
        self._removals = 0
        self.forgotten = 0
        """How many entries had to leave memory: whoever looked before must look again."""

    @property
    def _listed(self) -> AsyncCollection[Document]:
        return self._projector.view[NAME]

    @property
    def seq(self) -> int:
        """How far the list has followed the log."""
        return self._projector.seq

    def hashed(self, workspace: str, phones: Sequence[str]) -> dict[str, str]:
        """Return the phones by the hashes that stand for them."""
        return {phone_hash(self._secret, workspace, phone): phone for phone in phones}

    async def among(self, workspace: str, phones: Sequence[str]) -> set[str]:
        """Return those of the phones that are on the list: one read for all of them."""
        by_hash = self.hashed(workspace, phones)
        found = self._listed.find({"_id": {"$in": list(by_hash)}}, {"_id": 1})
        known = {hashed for hashed in by_hash if hashed in self._fresh}
        return {by_hash[hashed] for hashed in known | {entry["_id"] async for entry in found}}

    async def look_up(self, hashes: Sequence[str]) -> None:
        """Have in memory which of these are on the list, for as long as `forgotten` stays."""
        while True:
            removals = self._removals
            found = self._listed.find({"_id": {"$in": list(hashes)}}, {"_id": 1})
            listed = [entry["_id"] async for entry in found]
            if removals == self._removals:
                break
        self._remember(listed, 0)

    def is_fresh(self, hashed: str) -> bool:
        """Tell whether memory has a phone: put on the list lately, or looked up."""
        return hashed in self._fresh

    async def prepare(self) -> None:
        """Know from where on to listen: what was said before, the view shows to whoever looks."""
        _, self._listens_from = await self._projector.succession.place()

    async def run(self) -> None:
        """Hear who is put on the list, and who is taken off, through whatever process; for ever."""
        removals: Removals = asyncio.Queue(REMOVALS_WAITING)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(removals))
            group.create_task(self._forget_when_shown(removals))

    async def _listen(self, removals: Removals) -> None:
        projection = self._projector.projection
        follower = Follower(
            self._projector.nc,
            projection.stream,
            subject=projection.subject,
            after=self._listens_from,
            batch=projection.batch,
        )
        try:
            while True:
                for recorded in await follower.fetch():
                    await asyncio.sleep(0)  # to read one takes a while, and others have their turns
                    if isinstance(recorded.event, SuppressionsAdded):
                        self._remember(recorded.event.hashes, recorded.seq)
                    elif isinstance(recorded.event, SuppressionsRemoved):
                        await removals.put(recorded)
        finally:
            await follower.close()

    async def _forget_when_shown(self, removals: Removals) -> None:
        """Forget who was taken off, not before the view shows it: it may be looked at meanwhile."""
        while True:
            recorded = await removals.get()
            while not await self._projector.reached(recorded.seq, SHOWN_WITHIN_S):
                pass
            self._forget(recorded.event.hashes, recorded.seq)

    async def put(
        self, workspace: str, phones: Sequence[str], *, reason: str | None, source: Source
    ) -> tuple[set[str], int]:
        """Put phones on the list that are not on it; return those, and a fact's place in the log.

        They are not written to any more from now on; the list shows them a moment later.

        Raises:
            Unavailable, Rejected: the log did not take it.

        """
        by_hash = self.hashed(workspace, phones)
        known = [hashed for hashed in by_hash if hashed in self._fresh]
        found = self._listed.find({"_id": {"$in": list(by_hash)}}, {"_id": 1})
        listed = {*known, *[entry["_id"] async for entry in found]}
        by_hash = {hashed: phone for hashed, phone in by_hash.items() if hashed not in listed}
        if not by_hash:
            return set(), max((self._fresh.get(hashed, 0) for hashed in known), default=0)
        await self._write_down(workspace, by_hash, 0)
        event = SuppressionsAdded(hashes=tuple(by_hash), reason=reason, source=source)
        seq = await self._say(event, workspace)
        self._remember(by_hash, seq)
        await self._vouch(workspace, by_hash, seq)
        return set(by_hash.values()), seq

    async def add(
        self, workspace: str, phone: str, *, reason: str | None, source: Source = "api"
    ) -> tuple[Document, int]:
        """Put a phone on the list; return its entry, and how far the list is in the log.

        Who is on it already stays there with the reason of the first time.
        """
        _, seq = await self.put(workspace, [phone], reason=reason, source=source)
        await self.shown(seq)
        [hashed] = self.hashed(workspace, [phone])
        entry = await self._listed.find_one({"_id": hashed})
        if entry is None:
            entry = {"_id": hashed, "reason": reason, "source": source}
            entry["created_at"] = datetime.now(UTC)
        return entry | {"phone": phone}, max(seq, self.seq)

    async def remove(self, workspace: str, entry_id: str) -> int | None:
        """Take an entry off the list; return the fact's place, or None when there is none."""
        if await self._listed.find_one({"_id": entry_id, "workspace": workspace}) is None:
            return None
        seq = await self._say(SuppressionsRemoved(hashes=(entry_id,)), workspace)
        self._forget((entry_id,), seq)
        await self.shown(seq)
        await self._phones.delete_one({"_id": entry_id, "seq": {"$not": {"$gt": seq}}})
        return seq

    async def shown(self, seq: int) -> None:
        """Wait a moment until the list holds a fact."""
        await self._projector.reached(seq, SHOWN_WITHIN_S)

    async def page(self, workspace: str, limit: int, after: Place | None) -> list[Document]:
        """Return entries, newest first; an erased person's has no phone."""
        wanted: Document = {"workspace": workspace}
        if after is not None:
            wanted["$or"] = [
                {"created_at": {"$lt": after.created_at}},
                {"created_at": after.created_at, "_id": {"$lt": after.entry}},
            ]
        found = self._listed.find(wanted)
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        entries = await found.sort(order).limit(limit).to_list()
        wanted = {"_id": {"$in": [entry["_id"] for entry in entries]}}
        phones = {row["_id"]: row["phone"] async for row in self._phones.find(wanted)}
        return [entry | {"phone": phones.get(entry["_id"])} for entry in entries]

    async def _say(self, event: Event, workspace: str) -> int:
        fact = Fact(event, Address(workspace, LIST), new_id())
        return await self._store.append_fact(fact, origin())

    async def _vouch(self, workspace: str, by_hash: Mapping[str, str], seq: int) -> None:
        """Have the phones outlast removals before `seq`; write again what such a one has taken."""
        mine = {"_id": {"$in": list(by_hash)}}
        vouched = await self._phones.update_many(mine, {"$max": {"seq": seq}})
        if vouched.matched_count < len(by_hash):
            await self._write_down(workspace, by_hash, seq)

    async def _write_down(self, workspace: str, by_hash: Mapping[str, str], seq: int) -> None:
        await self._phones.bulk_write(
            [
                UpdateOne(
                    {"_id": hashed},
                    {"$set": {"workspace": workspace, "phone": phone}, "$max": {"seq": seq}},
                    upsert=True,
                )
                for hashed, phone in by_hash.items()
            ],
            ordered=False,
        )

    def _remember(self, hashes: Sequence[str] | Mapping[str, str], seq: int) -> None:
        for hashed in hashes:
            seq_before = self._fresh.pop(hashed, 0)
            self._fresh[hashed] = max(seq, seq_before)
        while len(self._fresh) > FRESH_KEPT:
            del self._fresh[next(iter(self._fresh))]
            self.forgotten += 1

    def _forget(self, hashes: Sequence[str], seq: int) -> None:
        self._removals += 1
        for hashed in hashes:
            if self._fresh.get(hashed, seq) < seq:
                del self._fresh[hashed]
