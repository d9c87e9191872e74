"""Projections: a pure fold, and the loop that commits its writes with the place they came from.

A view may grow several times beside itself: each growth is a generation, and one of them is live.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import Client
from prometheus_client import Counter, Gauge
from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany

from campaign_events.digestion import UNKNOWN, WRITE_FAULTS, Digest, digest
from campaign_events.envelope import Address, Batch
from campaign_events.eventlog import EventLog
from campaign_events.follow import Follower
from campaign_events.parking import Indigestible, Parking, is_away

EVENTS = Counter("carillon_projection_events", "Events folded into a view", ["projection"])
LAG = Gauge("carillon_projection_lag_events", "Events that a view has yet to fold", ["projection"])

RETRY_S = 0.1
REST_S = 0.04
"""Between two commits of a view that is up to date: what comes meanwhile is committed together."""
FIRST = 1
"""The generation that a view begins with."""

log = structlog.get_logger(__name__)

type Document = dict[str, Any]
type Database = AsyncDatabase[Document]
type Write = (
    UpdateOne | UpdateMany | DeleteOne | DeleteMany | InsertOne[Document] | ReplaceOne[Document]
)
type Writes = Mapping[str, Sequence[Write]]
"""Collection name to the writes on it, in order."""
type Told = Callable[[Batch], Awaitable[None]]
"""Is called with each batch after its commit."""


class Fenced(Exception):
    """Somebody else moved this projection's checkpoint: two projectors ran, this one must end."""


class AheadOfLog(Exception):
    """The checkpoint lies behind the end of the log: the log was restored from an older backup."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A view over one stream.

    `fold` is pure: the same batch gives the same writes, whatever the clock says, and cutting
    the stream into other batches gives the same view.

    A raised `revision` makes a new view beside the old one, from the beginning of the log.
    """

    name: str
    revision: int
    stream: str
    fold: Callable[[Batch], Writes]
    collections: Mapping[str, Sequence[IndexModel]]
    subject: str = ">"
    batch: int = 1000

    @property
    def id(self) -> str:
        """The name of this revision."""
        return f"{self.name}.r{self.revision}"

    def checkpoint(self, generation: int = FIRST) -> str:
        """Return the name of the checkpoint of a generation."""
        return self.id + _suffix(generation)

    def collection(self, name: str, generation: int = FIRST) -> str:
        """Return the name under which a generation of this revision keeps a collection."""
        if name not in self.collections:
            raise KeyError(f"{self.name} keeps no collection {name}")
        return f"{name}.r{self.revision}{_suffix(generation)}"


def _suffix(generation: int) -> str:
    return "" if generation == FIRST else f".g{generation}"


@dataclass(slots=True)
class View:
    """What readers see of a projection: the collections of the generation that is live.

    Ask it for a collection at each read: the next one may find another generation.
    """

    projection: Projection
    db: Database
    generation: int = FIRST

    def __getitem__(self, name: str) -> AsyncCollection[Document]:
        return self.db[self.projection.collection(name, self.generation)]


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
    _held: set[Address] = field(default_factory=set)

    @property
    def id(self) -> str:
        """The name of its checkpoint."""
        return self.projection.checkpoint(self.number)

    @property
    def parking(self) -> Parking:
        """What it could not digest."""
        return Parking(self.db, self.id, "projection")

    async def open(self) -> None:
        """Take over where it stands.

        Raises:
            AheadOfLog: it holds what the log does not.

        """
        for name, indexes in self.projection.collections.items():
            if indexes:
                collection = self.db[self.projection.collection(name, self.number)]
                await collection.create_indexes(list(indexes))
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
        end = await EventLog(self.nc).last_seq(self.projection.stream)
        if self.seq > end:
            raise AheadOfLog(
                f"{self.id} stands at {self.seq}, but {self.projection.stream} "
                f"ends at {end}: restore the matching backup of MongoDB or rebuild the projection"
            )

    async def follow(
        self, told: Told, *, end: int | None = None, stop: asyncio.Event | None = None
    ) -> None:
        """Fold and commit until it stands at `end`, or `stop` is set; without both, for ever.

        Far from the end of the log the next batch is read while one commits.

        Raises:
            Fenced: this process must not go on.

        """
        if end is not None and self.seq >= end:
            return
        follower = Follower(
            self.nc,
            self.projection.stream,
            subject=self.projection.subject,
            after=self.seq,
            batch=self.projection.batch,
        )
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        fetching = asyncio.create_task(follower.fetch())
        try:
            while end is None or self.seq < end:
                await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    return
                fetched = fetching.result()
                batch = fetched if end is None else [one for one in fetched if one.seq <= end]
                self.pending = follower.pending
                far_behind = self.pending >= self.projection.batch
                if far_behind:
                    fetching = asyncio.create_task(follower.fetch())
                if not batch:
                    return
                await self._digest(batch)
                await told(batch)
                if not far_behind:
                    await asyncio.sleep(REST_S)
                    fetching = asyncio.create_task(follower.fetch())
        finally:
            stopping.cancel()
            fetching.cancel()
            await asyncio.gather(stopping, fetching, return_exceptions=True)
            await follower.close()

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
        self._held = set(await self.parking.all())
        return int(found.get("seq", 0))

    async def _digest(self, batch: Batch) -> None:
        """Commit a batch, in halves where something can not be digested; that one is parked."""
        try:
            await self._commit(batch)
        except Indigestible as poison:
            if len(batch) == 1:
                await self._commit(batch, poison)
                return
            half = len(batch) // 2
            await self._digest(batch[:half])
            await self._digest(batch[half:])

    async def _commit(self, batch: Batch, poison: Indigestible | None = None) -> None:
        """Commit what a batch changes; with `poison`, that its only event is parked.

        Raises:
            Indigestible: it changes nothing as it is.

        """
        while not await self._try_commit(batch, poison):  # noqa: ASYNC110 - a retry, no event
            await asyncio.sleep(RETRY_S)
        self.seq = batch[-1].seq
        if poison is not None:
            self._held.add(batch[0].address)
            log.error("parked", projection=self.id, seq=self.seq, exc_info=poison)

    async def _try_commit(self, batch: Batch, poison: Indigestible | None) -> bool:
        """Commit writes and place together; False when it may be tried again."""
        found = Digest({}, (), {}) if poison else digest(self.projection.fold, batch, self._held)
        last = batch[-1].seq
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
            raise Indigestible(type(error).__name__) from error


async def place(db: Database, checkpoint: str) -> int:
    """Return where a checkpoint stands."""
    found = await db.checkpoints.find_one({"_id": checkpoint})
    return 0 if found is None else int(found["seq"])


@dataclass(slots=True)
class Projector:
    """Follows the log for one projection and tells how far it has come."""

    projection: Projection
    nc: Client
    db: Database
    committed: Told | None = None

    seq: int = 0
    pending: int = 0
    view: View = field(init=False)
    """Where readers look."""
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.view = View(self.projection, self.db)

    async def run(self) -> None:
        """Fold and commit for ever.

        Raises:
            Fenced, AheadOfLog: this process must not go on.

        """
        async with self.db.client.start_session() as session:
            live = Generation(self.projection, self.view.generation, self.nc, self.db, session)
            await live.open()
            await self._move(live.seq)

            async def told(batch: Batch) -> None:
                self.pending = live.pending
                await self._told(batch)

            await live.follow(told)

    async def _told(self, batch: Batch) -> None:
        EVENTS.labels(self.projection.name).inc(len(batch))
        LAG.labels(self.projection.name).set(self.pending)
        await self._move(batch[-1].seq)
        if self.committed is not None:
            await self.committed(batch)

    async def reached(self, seq: int, within_s: float) -> bool:
        """Wait until the view holds the entry `seq` of its stream; False when it takes longer."""
        async with self._moved:
            try:
                await asyncio.wait_for(self._moved.wait_for(lambda: self.seq >= seq), within_s)
            except TimeoutError:
                return False
            return True

    async def _move(self, seq: int) -> None:
        async with self._moved:
            self.seq = seq
            self._moved.notify_all()
