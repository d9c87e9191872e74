"""One person's data, erased: each service does it in what it keeps, in memory and on disk too.

Two steps. First the owner of every database erases there (`erase`, asked of one process of each
service). When all have, every process forgets what it has read before (`forget`, heard by all).
Both may be asked again: what is gone already is not there to be erased.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, cast

import bson
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events import ops
from campaign_events.audit_trail import Trail
from campaign_events.envelope import Actor
from campaign_events.ops import Answerer, Body
from campaign_events.parking import COLLECTION as PARKED
from campaign_events.problems import Problem
from campaign_events.projection import Database, Document
from campaign_events.writings import Writings

FORGET = "ops.every.forget"
ERASE_WITHIN_S = 300.0
FORGET_WITHIN_S = 3.0
AT_ONCE = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose data is to go: a phone in E.164 with its parts, in one workspace or in all (None)."""

    phone: str = field(repr=False)
    calling_code: str = field(repr=False)
    national: str = field(repr=False)
    trunk: str
    workspace: str | None
    by: Actor
    command_id: str

    @property
    def writings(self) -> Writings:
        """How the phone may be written."""
        return Writings(self.calling_code, self.national, self.trunk)

    def concerns(self, workspace: str | None) -> bool:
        """Tell whether data of a workspace is meant."""
        return self.workspace in (None, workspace)

    def body(self) -> Body:
        """Return what is asked of a service."""
        return {
            "phone": self.phone,
            "calling_code": self.calling_code,
            "national": self.national,
            "trunk": self.trunk,
            "workspace": self.workspace,
            "by": self.by.model_dump(),
            "command_id": self.command_id,
        }

    @classmethod
    def of(cls, body: Body) -> Self:
        """Read what `body` made."""
        return cls(**{**body, "by": Actor.model_validate(body["by"])})


type Counts = Mapping[str, int]


class Part(Protocol):
    """What one service knows of people."""

    async def erase(self, erasure: Erasure) -> Counts:
        """Erase it in the database; return how much that was, by what it was."""
        ...

    async def forget(self, erasure: Erasure) -> None:
        """Forget what this process has read before."""
        ...


@dataclass(slots=True)
class Erasing:
    """What one service erases: its stored answers, its audit file, and what it adds (`of`)."""

    name: str
    nc: Client
    db: Database
    trail: Trail
    parts: list[Part] = field(default_factory=list)

    def of(self, part: Part) -> None:
        """Have this erased too."""
        self.parts.append(part)

    def answerers(self) -> Mapping[str, Answerer]:
        """Return what may be asked of one process, by the name of the question."""
        return {"erase": self._erase}

    def work(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the service does, by name."""
        return {"forgetting": self._hear()}

    async def _erase(self, body: Body) -> Counts:
        erasure = Erasure.of(body)
        counts: dict[str, int] = {
            "answers": await hide_in(self.db.idempotency, {}, erasure.writings),
            "parked": await hide_in(self.db[PARKED], {}, erasure.writings),
        }
        for part in self.parts:
            counts |= await part.erase(erasure)
        return counts

    async def _forget(self, erasure: Erasure) -> None:
        await self.trail.hide(erasure.writings, erasure.workspace)
        for part in self.parts:
            await part.forget(erasure)

    async def _hear(self) -> None:
        async def heard(message: Msg) -> None:
            try:
                await self._forget(Erasure.of(orjson.loads(message.data)))
                said: Body = {"service": self.name}
            except ops.EXPECTED as error:
                said = {"service": self.name, "why": type(error).__name__}
            await message.respond(orjson.dumps(said))

        subscription = await self.nc.subscribe(FORGET, cb=heard)
        try:
            await asyncio.Event().wait()
        finally:
            if not self.nc.is_closed:
                await subscription.unsubscribe()


async def erase_everywhere(nc: Client, erasure: Erasure) -> dict[str, int]:
    """Have all services erase and forget; return how much went, by what it was.

    Raises:
        Problem: 503 when a service did not answer; what others did is done. Ask again.

    """
    body = erasure.body()
    asked = (ops.ask(nc, name, "erase", body, within_s=ERASE_WITHIN_S) for name in ops.OWNERS)
    total: dict[str, int] = {}
    for counts in await asyncio.gather(*asked):
        for what, count in counts.items():
            total[what] = total.get(what, 0) + count
    missing = set(ops.OWNERS) - await _forgotten(nc, body)
    if missing:
        names = ", ".join(sorted(missing))
        raise Problem(503, "unavailable", f"Not forgotten yet by {names}: erase once more.")
    return total


async def _forgotten(nc: Client, body: Body) -> set[str]:
    """Have every process forget; return the services of which one has, and none has failed."""
    inbox = nc.new_inbox()
    done: set[str] = set()
    failed: set[str] = set()
    all_heard = asyncio.Event()

    async def said(message: Msg) -> None:
        if message.headers and message.headers.get("Status"):
            return
        told = orjson.loads(message.data)
        (failed if "why" in told else done).add(told["service"])
        if done >= set(ops.OWNERS):
            all_heard.set()

    subscription = await nc.subscribe(inbox, cb=said)
    await nc.publish(FORGET, orjson.dumps(body), reply=inbox)
    try:
        async with asyncio.timeout(FORGET_WITHIN_S):
            await all_heard.wait()
            await asyncio.sleep(FORGET_WITHIN_S / 6)  # others of the same service may still answer
    except TimeoutError:
        log.warning("not all have forgotten", answered=sorted(done))
    finally:
        await subscription.unsubscribe()
    return done - failed


async def hide_in(
    collection: AsyncCollection[Document], wanted: Mapping[str, Any], writings: Writings
) -> int:
    """Hide a phone wherever documents hold it, but for their names; return in how many."""
    hidden = 0
    async for documents in holding(collection, wanted, writings):
        writes = []
        for document in documents:
            changed = {
                name: to
                for name, was in document.items()
                if name != "_id" and (to := writings.hide(was)) != was
            }
            if changed:
                writes.append(UpdateOne({"_id": document["_id"]}, {"$set": changed}))
        if writes:
            await collection.bulk_write(writes, ordered=False)
            hidden += len(writes)
    return hidden


async def holding(
    collection: AsyncCollection[Document], wanted: Mapping[str, Any], writings: Writings
) -> AsyncIterator[Sequence[Document]]:
    """Yield the documents that hold a phone anywhere, some at a time; all are looked at."""
    raw = collection.find_raw_batches(wanted, batch_size=AT_ONCE)
    async for batch in cast("AsyncIterator[bytes]", raw):
        if writings.hidden(batch) is None:
            continue
        documents = bson.decode_all(batch, collection.codec_options)
        yield [document for document in documents if writings.hide(document) != document]
