"""Projections: a pure fold, and the loop that commits its writes with the place they came from."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import Client
from prometheus_client import Counter, Gauge
from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany

from campaign_events.envelope import Batch
from campaign_events.eventlog import EventLog
from campaign_events.follow import Follower

EVENTS = Counter("carillon_projection_events", "Events folded into a view", ["projection"])
LAG = Gauge("carillon_projection_lag_events", "Events that a view has yet to fold", ["projection"])

RETRY_S = 0.1
REST_S = 0.04
"""Between two commits of a view that is up to date: what comes meanwhile is committed together."""

log = structlog.get_logger(__name__)

type Document = dict[str, Any]
type Database = AsyncDatabase[Document]
type Write = (
    UpdateOne | UpdateMany | DeleteOne | DeleteMany | InsertOne[Document] | ReplaceOne[Document]
)
type Writes = Mapping[str, Sequence[Write]]
"""Collection name to the writes on it, in order."""


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
        """The name of its checkpoint."""
        return f"{self.name}.r{self.revision}"

    def collection(self, name: str) -> str:
        """Return the name under which this revision keeps a collection."""
        if name not in self.collections:
            raise KeyError(f"{self.name} keeps no collection {name}")
        return f"{name}.r{self.revision}"


@dataclass(slots=True)
class Projector:
    """Follows the log for one projection and tells how far it has come."""

    projection: Projection
    nc: Client
    db: Database
    committed: Callable[[Batch], Awaitable[None]] | None = None
    """Called with each batch after its commit."""

    seq: int = 0
    pending: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        """Fold and commit for ever; far from the end the next batch is read while one commits.

        Raises:
            Fenced, AheadOfLog: this process must not go on.

        """
        async with self.db.client.start_session() as session:
            await self._open(session)
            await self._follow(session)

    async def _follow(self, session: AsyncClientSession) -> None:
        follower = Follower(
            self.nc,
            self.projection.stream,
            subject=self.projection.subject,
            after=self.seq,
            batch=self.projection.batch,
        )
        ahead: asyncio.Task[Batch] | None = None
        try:
            while True:
                batch = await (ahead or follower.fetch())
                self.pending = follower.pending
                far_behind = self.pending >= self.projection.batch
                ahead = asyncio.create_task(follower.fetch()) if far_behind else None
                await self._commit(batch, session)
                if not far_behind:
                    await asyncio.sleep(REST_S)
        finally:
            if ahead is not None:
                ahead.cancel()
            await follower.close()

    async def reached(self, seq: int, within_s: float) -> bool:
        """Wait until the view holds the entry `seq` of its stream; False when it takes longer."""
        async with self._moved:
            try:
                await asyncio.wait_for(self._moved.wait_for(lambda: self.seq >= seq), within_s)
            except TimeoutError:
                return False
            return True

    async def _open(self, session: AsyncClientSession) -> None:
        for name, indexes in self.projection.collections.items():
            if indexes:
                await self.db[self.projection.collection(name)].create_indexes(list(indexes))
        await self._evict_predecessor()
        await self.db.checkpoints.update_one(
            {"_id": self.projection.id},
            {
                "$setOnInsert": {"seq": 0, "stream": self.projection.stream},
                "$set": {"session": session.session_id},
            },
            upsert=True,
        )
        place = await self._place()
        end = await EventLog(self.nc).last_seq(self.projection.stream)
        if place > end:
            raise AheadOfLog(
                f"{self.projection.id} stands at {place}, but {self.projection.stream} "
                f"ends at {end}: restore the matching backup of MongoDB or rebuild the projection"
            )
        await self._move(place)

    async def _evict_predecessor(self) -> None:
        """End the transaction that a killed projector may have left open.

        MongoDB would keep its locks for a minute (`transactionLifetimeLimitSeconds`).
        """
        checkpoint = await self.db.checkpoints.find_one({"_id": self.projection.id})
        if checkpoint is not None and "session" in checkpoint:
            await self.db.client.admin.command("killSessions", [checkpoint["session"]])

    async def _place(self) -> int:
        checkpoint = await self.db.checkpoints.find_one({"_id": self.projection.id})
        return 0 if checkpoint is None else int(checkpoint["seq"])

    async def _commit(self, batch: Batch, session: AsyncClientSession) -> None:
        writes = {
            self.projection.collection(name): list(operations)
            for name, operations in self.projection.fold(batch).items()
            if operations
        }
        last = batch[-1].seq
        while not await self._try_commit(writes, last, session):  # noqa: ASYNC110 - a retry, no event
            await asyncio.sleep(RETRY_S)
        EVENTS.labels(self.projection.name).inc(len(batch))
        LAG.labels(self.projection.name).set(self.pending)
        await self._move(last)
        if self.committed is not None:
            await self.committed(batch)

    async def _try_commit(
        self, writes: Mapping[str, list[Write]], last: int, session: AsyncClientSession
    ) -> bool:
        """Commit writes and place together; False when it may be tried again."""
        try:
            async with await session.start_transaction():
                moved = await self.db.checkpoints.update_one(
                    {"_id": self.projection.id, "seq": self.seq},
                    {"$set": {"seq": last}},
                    session=session,
                )
                if moved.modified_count == 1:
                    await self._write(writes, session)
                    return True
                await session.abort_transaction()
        except PyMongoError as error:
            if not _may_try_again(error):
                raise
            log.warning("commit failed", projection=self.projection.id, why=repr(error))
            return False
        place = await self._place()
        if place == last:
            return True
        raise Fenced(f"{self.projection.id} was at {self.seq}, the checkpoint says {place}")

    async def _write(self, writes: Mapping[str, list[Write]], session: AsyncClientSession) -> None:
        for name, operations in writes.items():
            await self.db[name].bulk_write(operations, ordered=True, session=session)

    async def _move(self, seq: int) -> None:
        async with self._moved:
            self.seq = seq
            self._moved.notify_all()


def _may_try_again(error: PyMongoError) -> bool:
    return isinstance(error, ConnectionFailure) or any(
        error.has_error_label(label)
        for label in ("TransientTransactionError", "UnknownTransactionCommitResult")
    )
