"""Where operators see what a service has parked, and say what shall become of it."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from campaign_events.envelope import Position, rfc3339
from campaign_events.eventlog import EventLog
from campaign_events.ops import Answerer, Body
from campaign_events.parking import COLLECTION, Parked
from campaign_events.problems import Problem, not_found
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.releasing import ParkedByView, Reader, release

PARKED = Gauge(
    "carillon_parked_events",
    "Events that could not be digested or wait behind one that could not",
    ["kind", "reader"],
)
COUNT_S = 2.0
WORK_S = 4.0
"""How long one wish is worked on; what is left then is asked for again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ParkedDesk:
    """What the projections and reactions of one service have parked."""

    db: Database
    log: EventLog
    projectors: Sequence[Projector] = ()
    reactions: Sequence[Reader] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Events by reader, those that wait too, as they were two seconds ago at most."""

    def readers(self) -> Mapping[str, Reader]:
        """Return everything that parks at this moment, by name."""
        readers: list[Reader] = [ParkedByView(projector) for projector in self.projectors]
        return {reader.parking.reader: reader for reader in (*readers, *self.reactions)}

    def of_view(self, projector: Projector) -> int:
        """Return how many events are parked of the view that readers see."""
        return self.counts.get(ParkedByView(projector).parking.reader, 0)

    def answerers(self) -> Mapping[str, Answerer]:
        """Return what operators may ask, by the name of the question."""
        return {"parked": self.some, "parked_one": self.one, "release": self.release}

    def work(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the service does, by name."""
        return {"parked count": self._count()}

    async def some(self, body: Body) -> Sequence[Mapping[str, Any]]:
        """Return what is parked, in the order of its ids: `limit` behind `after`.

        With `workspace` only what belongs to it.
        """
        chosen: dict[str, Any] = {"reader": {"$in": list(self.readers())}}
        if body.get("workspace") is not None:
            chosen["workspace"] = body["workspace"]
        if body.get("after") is not None:
            chosen["_id"] = {"$gt": body["after"]}
        found = self.db[COLLECTION].find(chosen).sort("_id").limit(int(body["limit"]))
        return [shown(Parked.of(document)) async for document in found]

    async def one(self, body: Body) -> Mapping[str, Any]:
        """Return one of them, with the way to its error."""
        _, parked = await self._found(body)
        return {**shown(parked), "trace": parked.trace.splitlines()}

    async def release(self, body: Body) -> Mapping[str, Any]:
        """Offer what is parked of one thing again; with `drop` without the event that failed."""
        reader, parked = await self._found(body)
        drop = bool(body.get("drop"))
        if drop and parked.is_untried:
            text = "The event has not been tried since the one before it was dealt with: retry it."
            raise Problem(409, "refused", text)
        if drop:
            log.warning("dropped", reader=parked.reader, seq=parked.seq, error=parked.error)
        ended = await release(reader, self.log, parked, drop=drop, within_s=WORK_S)
        return {
            "done": ended.done,
            "failed": ended.failed,
            "left": None if ended.left is None else shown(ended.left),
        }

    async def _found(self, body: Body) -> tuple[Reader, Parked]:
        document = await self.db[COLLECTION].find_one({"_id": body["id"]})
        parked = None if document is None else Parked.of(document)
        reader = None if parked is None else self.readers().get(parked.reader)
        hidden = parked is not None and body.get("workspace") not in (None, parked.workspace)
        if parked is None or reader is None or hidden:
            raise not_found("parked event")
        return reader, parked

    async def _count(self) -> None:
        """Keep the counts true, whichever process parks and releases."""
        while True:
            try:
                await self._count_once()
            except PyMongoError as error:
                log.info("parked events are not counted", why=repr(error))
            await asyncio.sleep(COUNT_S)

    async def _count_once(self) -> None:
        events = {"$sum": {"$add": ["$waiting", 1]}}
        groups = await self.db[COLLECTION].aggregate([{"$group": {"_id": "$reader", "n": events}}])
        found = {group["_id"]: group["n"] async for group in groups}
        readers = self.readers()
        self.counts = {name: found.get(name, 0) for name in readers}
        PARKED.clear()
        for name, reader in readers.items():
            PARKED.labels(reader.parking.kind, name).set(self.counts[name])


def shown(parked: Parked) -> dict[str, Any]:
    """Return what people see of it."""
    return {
        "id": parked.id,
        "reader": parked.reader,
        "kind": parked.kind,
        "state": "waiting" if parked.is_untried else "failed",
        "workspace": parked.workspace,
        "thing": parked.thing,
        "stream": parked.stream,
        "seq": parked.seq,
        "position": str(Position.of(parked.stream, parked.seq)),
        "type": parked.type,
        "waiting": parked.waiting,
        "error": parked.error,
        "tries": parked.tries,
        "first_at": rfc3339(parked.first_at),
        "last_at": rfc3339(parked.last_at),
    }
