"""One growth of a view: it follows the log and commits its writes with the place they came from."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import NamedTuple

import pymongo
import structlog
from nats.aio.client import Client
from prometheus_client import Counter, Histogram
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from campaign_events.digestion import UNKNOWN, WRITE_FAULTS, Digest, by_halves, digest, why_refused
from campaign_events.entries import Entries
from campaign_events.envelope import Address
from campaign_events.eventlog import EventLog
from campaign_events.follow import Follower
from campaign_events.parking import Indigestible, Parking, is_away, told
from campaign_events.projection import Database, Document, Projection, Told, Write
from campaign_events.succession import SCRATCH

BATCH_TOOK = Histogram(
    "carillon_projection_batch_seconds",
    "Committing one batch, and folding it if that was not done ahead",
    ["projection"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BATCH_EVENTS = Histogram(
    "carillon_projection_batch_events",
    "Events per batch",
    ["projection"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500),
)
COMMIT_FAILURES = Counter(
    "carillon_projection_commit_failures",
    "Commits that MongoDB did not take and that were tried again",
    ["projection"],
)

FAR = 500
"""Who is so many entries behind folds ahead and does not rest, until the end is reached."""
LARGE = 256 * 1024
"""Octets that take up to some tens of milliseconds to be read and folded."""
RETRY_S = 0.1
PATIENCE_S = 0.5
LOOKS_FOR_END = 5
LOOK_AGAIN_S = 0.3

log = structlog.get_logger(__name__)


class Fenced(Exception):
    """Somebody else moved this projection's checkpoint: two projectors ran, this one must end."""


class AheadOfLog(Exception):
    """The checkpoint lies behind the end of the log: the log was restored from an older backup."""

    def __init__(self, checkpoint: str, seq: int, stream: str, end: int) -> None:
        super().__init__(
            f"{checkpoint} stands at {seq}, but {stream} ends at {end}: the log is older than "
            "MongoDB. Put both back from one backup: carillon restore BACKUP --data NEW_FOLDER. "
            "Or start once with CARILLON_REGROW_VIEWS=1: such views grow anew from this log"
        )


async def check_place(store: EventLog, checkpoint: str, seq: int, stream: str) -> None:
    """Make sure that a checkpoint is not ahead of the log.

    A new leader of a cluster may need a moment until it tells all that the last one has told.

    Raises:
        AheadOfLog: it is.

    """
    for _ in range(LOOKS_FOR_END):
        end = await store.last_seq(stream)
        if seq <= end:
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise AheadOfLog(checkpoint, seq, stream, end)


class _Folded(NamedTuple):
    """What a batch comes to, and what of it was not to be folded when that was found."""

    batch: Entries
    held: frozenset[Address]
    dropped: frozenset[int]
    found: Digest


@dataclass(slots=True)
class Generation:
    """One growth of a view: its collections, its checkpoint, and how it follows the log."""

    projection: Projection
    number: int
    nc: Client
    db: Database
    session: AsyncClientSession
    seq: int = 0
    pending: int = 0
    released: int | None = None
    """How often something that was parked has been dealt with, as the checkpoint says."""
    _held: frozenset[Address] = frozenset()
    _dropped: frozenset[int] = frozenset()
    _ahead: _Folded | None = None
    _catching_up: bool = True
    """Until it is at the end of the log; again when that is far."""

    @property
    def id(self) -> str:
        """The name of its checkpoint."""
        return self.projection.checkpoint(self.number)

    @property
    def parking(self) -> Parking:
        """What it could not digest."""
        return Parking(self.db, self.id, "projection", self.projection.id)

    async def open(self) -> None:
        """Take over where it stands.

        Raises:
            AheadOfLog: it holds what the log does not.

        """
        COMMIT_FAILURES.labels(self.projection.name)
        UNKNOWN.labels(self.projection.name)
        await asyncio.gather(self._index(), self._take_over())
        await check_place(EventLog(self.nc), self.id, self.seq, self.projection.stream)

    async def _take_over(self) -> None:
        await self._evict_predecessor()
        await self.db.checkpoints.update_one(
            {"_id": self.id},
            {
                "$setOnInsert": {"seq": 0, "stream": self.projection.stream},
                "$set": {"session": self.session.session_id},
            },
            upsert=True,
        )
        self.seq = await self.look()

    async def follow(
        self, tell: Told, *, end: int | None = None, stop: asyncio.Event | None = None
    ) -> None:
        """Fold and commit until it stands at `end`, or `stop` is set; without both, for ever.

        Raises:
            Fenced: this process must not go on.

        """
        if end is not None and self.seq >= end:
            return
        async with aclosing(self._batches(end, stop or asyncio.Event())) as batches:
            async for batch in batches:
                began = time.perf_counter()
                await by_halves(batch, self._commit)
                BATCH_TOOK.labels(self.projection.name).observe(time.perf_counter() - began)
                BATCH_EVENTS.labels(self.projection.name).observe(len(batch))
                await tell(batch)

    async def _batches(self, end: int | None, stop: asyncio.Event) -> AsyncGenerator[Entries]:
        """Yield what is new; while it catches up the next one is fetched and folded ahead."""
        follower = Follower(
            self.nc,
            self.projection.stream,
            subject=self.projection.subject,
            after=self.seq,
            batch=self.projection.batch,
        )
        stopping = asyncio.create_task(stop.wait())
        fetching = asyncio.create_task(self._fetch(follower, end))
        try:
            while end is None or self.seq < end:
                await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    return
                batch = fetching.result()
                self.pending = follower.pending
                catching_up = self._catching_up
                if catching_up:
                    fetching = asyncio.create_task(self._fetch(follower, end))
                if not batch:
                    return
                yield batch
                if not catching_up and self.seq != end:
                    await asyncio.sleep(self.projection.rest_s)
                    fetching = asyncio.create_task(self._fetch(follower, end))
        finally:
            for task in (stopping, fetching):
                task.cancel()
            await asyncio.gather(stopping, fetching, return_exceptions=True)
            await follower.close()

    async def _fetch(self, follower: Follower, end: int | None) -> Entries:
        """Return the next batch, up to `end`; on the way to the end of the log it is folded by now.

        Meanwhile MongoDB gets the batch before.
        """
        on_the_way = self._catching_up
        batch = await follower.fetch()
        if end is not None:
            batch = batch.until(end)
        far = follower.pending >= min(self.projection.batch, FAR)
        self._catching_up = far or (on_the_way and follower.pending > 0)
        if on_the_way or far:
            with suppress(Indigestible):
                self._ahead = await self._fold(batch)
        return batch

    async def _fold(self, batch: Entries) -> _Folded:
        """Return what a batch comes to; a large one is folded in a thread, and others go on.

        Raises:
            Indigestible: it comes to nothing as it is.

        """
        held, dropped = self._held, self._dropped
        if batch.octets > LARGE:
            found = await asyncio.to_thread(digest, self.projection.fold, batch, held, dropped)
        else:
            found = digest(self.projection.fold, batch, held, dropped)
        return _Folded(batch, held, dropped, found)

    def _taken_ahead(self, batch: Entries) -> _Folded | None:
        ahead = self._ahead
        if ahead is None or ahead.batch is not batch:
            return None
        self._ahead = None
        return ahead

    async def close(self) -> None:
        """Leave the checkpoint to whoever comes next: nothing of ours is left to be ended."""
        mine = {"_id": self.id, "session": self.session.session_id}
        try:
            with pymongo.timeout(PATIENCE_S):
                await self.db.checkpoints.update_one(mine, {"$unset": {"session": 1}})
        except PyMongoError as error:
            log.warning("checkpoint not left", projection=self.id, why=repr(error))

    async def _index(self) -> None:
        """Make all indexes side by side: those of one collection take MongoDB some 30 ms."""
        if self.number == SCRATCH:  # which is only read by id
            return
        await asyncio.gather(
            *(
                self.db[self.projection.collection(name, self.number)].create_indexes([*indexes])
                for name, indexes in self.projection.collections.items()
                if indexes
            )
        )

    async def _evict_predecessor(self) -> None:
        """End the transaction that a killed projector may have left open.

        MongoDB would keep its locks for a minute (`transactionLifetimeLimitSeconds`).
        """
        checkpoint = await self.db.checkpoints.find_one({"_id": self.id}) or {}
        before = checkpoint.get("session")
        if before is not None and before != self.session.session_id:
            await self.db.client.admin.command("killSessions", [before])

    async def look(self) -> int:
        """Return where the checkpoint stands, and learn what is parked."""
        found = await self.db.checkpoints.find_one({"_id": self.id}) or {}
        self.released = found.get("released")
        self._held = frozenset(await self.parking.all())
        self._dropped = await self.parking.dropped()
        return int(found.get("seq", 0))

    async def _commit(self, batch: Entries, poison: Indigestible | None = None) -> None:
        """Commit what a batch changes; with `poison`, that its only event is parked.

        Raises:
            Indigestible: it changes nothing as it is.

        """
        folded = self._taken_ahead(batch)
        while True:
            if poison is not None:
                folded = _Folded(batch, self._held, self._dropped, Digest({}, (), {}))
            elif folded is None or (folded.held, folded.dropped) != (self._held, self._dropped):
                folded = await self._fold(batch)
            if await self._try_commit(batch, folded.found, poison):
                break
            await asyncio.sleep(RETRY_S)
        self.seq = batch.last_seq
        if poison is not None:
            self._held |= {batch[0].address}
            log.error("parked", projection=self.id, seq=self.seq, **told(poison))

    async def _try_commit(self, batch: Entries, found: Digest, poison: Indigestible | None) -> bool:
        """Commit writes and place together; False when it may be tried again."""
        last = batch.last_seq
        try:
            async with await self.session.start_transaction():
                if await self.advance(found, to=last):
                    if found.waiting:
                        await self.parking.wait_behind(found.waiting, self.session)
                    if poison is not None:
                        await self.parking.park(batch[0], poison, self.session)
                    return True
                await self.session.abort_transaction()
        except PyMongoError as error:
            if not is_away(error):
                raise
            COMMIT_FAILURES.labels(self.projection.name).inc()
            log.warning("commit failed", projection=self.id, why=repr(error))
            return False
        before = self.released
        at = await self.look()
        if at == last or (at == self.seq and self.released != before):
            return at == last
        raise Fenced(f"{self.id} was at {self.seq}, the checkpoint says {at}")

    async def advance(self, found: Digest, *, to: int | None = None) -> bool:
        """Write, and move the checkpoint, inside a transaction; False when it is not as known.

        Without `to` it stays where it is: something that was parked has been digested.

        Raises:
            Indigestible: MongoDB will never take the writes.

        """
        known: Document = {"_id": self.id, "released": self.released}
        added = {f"unknown.{type_}": number for type_, number in found.unknown.items()}
        change: Document = {"$inc": added} if added else {}
        if to is None:
            change["$inc"] = {**added, "released": 1}
        else:
            known["seq"], change["$set"] = self.seq, {"seq": to}
        moved = await self.db.checkpoints.update_one(known, change, session=self.session)
        if moved.modified_count == 0:
            return False
        for name, operations in found.writes.items():
            if operations:
                await self._write(name, operations)
        UNKNOWN.labels(self.projection.name).inc(sum(found.unknown.values()))
        return True

    async def _write(self, name: str, operations: Sequence[Write]) -> None:
        collection = self.db[self.projection.collection(name, self.number)]
        try:
            await collection.bulk_write(operations, ordered=True, session=self.session)
        except WRITE_FAULTS as error:
            if isinstance(error, PyMongoError) and is_away(error):
                raise
            raise Indigestible(why_refused(error)) from error
