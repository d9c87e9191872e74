"""Messages pushed one by one into a `trigger` campaign: planned together, answered one by one.

A contact is durable before the fact that plans it, under a name that the caller's key decides, so
the same push twice is one message. All that wait share one insert and one fact. Numbers have no
gaps: an insert stops at the first one that is taken, and whoever finds contacts that are not
planned yet, left by a crash or by another dispatcher, plans them; the log lets one plan through.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import structlog
from prometheus_client import Counter
from pymongo import DESCENDING
from pymongo.errors import BulkWriteError, PyMongoError

from campaign_events import tracing
from campaign_events.backoff import Backoff
from campaign_events.decider import Conflict, Refused
from campaign_events.envelope import Address, new_id
from campaign_events.eventlog import EventLog, Fact, Rejected, Unavailable
from campaign_events.message import BATCH, MessageStatus
from campaign_events.problems import Problem
from campaign_events.projection import Document
from campaign_events.projector import Projector
from dispatcher.blocks import block_id, messages_in
from dispatcher.outcomes import origin
from dispatcher.planning import planned
from dispatcher.reading import Views
from dispatcher.suppressions import Suppressions

PUSHES = Counter("carillon_pushed_messages", "Messages pushed into trigger campaigns")

MOST_WAITING = 5_000
CAUGHT_UP_WITHIN_S = 5.0
BEHIND = "the views are behind the log"
GATHER_S = 0.005
"""Between two groups: the first push after a pause is planned at once."""
AGAIN_S = 1.0
DUPLICATE_KEY = 11000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Push:
    """One contact on its way into a campaign; `id` is the same when the same push comes again."""

    id: str
    phone: str
    variables: Mapping[str, str]
    traceparent: str | None = field(default_factory=tracing.traceparent)

    def is_stored_as(self, contact: Document) -> bool:
        """Tell whether no other push has had this id; of an erased one nobody can tell."""
        told = (contact.get("phone"), contact.get("variables"))
        return told in ((self.phone, self.variables), (None, None))


@dataclass(frozen=True, slots=True)
class Pushed:
    """What has become of a push, and the log's place that says so."""

    number: int
    status: MessageStatus
    reason: str | None
    seq: int
    contact: Document


@dataclass(frozen=True, slots=True)
class Known:
    """A push that was planned before, and a place in the log by which it was."""

    contact: Document
    seq: int


@dataclass(slots=True)
class Place:
    """How far a campaign's plan and contacts are, as far as this process knows."""

    planned_to: int
    planned_seq: int
    stored_to: int


@dataclass(frozen=True, slots=True)
class Stores:
    """What pushing reads and writes."""

    log: EventLog
    views: Views
    messages: Projector
    suppressions: Suppressions


class Line:
    """The pushes of one campaign: a group at a time, while the next one gathers."""

    def __init__(self, stores: Stores, campaign: Document) -> None:
        self._stores = stores
        self._campaign = campaign
        self._audience = stores.views.audience(campaign)
        self._waiting: deque[tuple[Push, asyncio.Future[Pushed | Known]]] = deque()
        self._place: Place | None = None
        self._backoff = Backoff()
        self.unsettled = False
        """Whether there may be contacts that are not planned yet."""

    @property
    def busy(self) -> bool:
        """Whether anything waits to be planned."""
        return bool(self._waiting) or self.unsettled

    def put(self, push: Push) -> asyncio.Future[Pushed | Known]:
        """Line up; the future tells what has become of it, or that it had been planned before.

        Raises:
            Problem: 429 when too many wait already, 503 while the campaign is passed over.

        """
        if rest_s := self._backoff.rest_s(self._campaign["_id"]):
            again = f"try again in {ceil(rest_s)} s"
            raise Problem(503, "core_unavailable", f"The campaign can not be planned: {again}.")
        if len(self._waiting) >= MOST_WAITING:
            raise Problem(429, "rate_limited", "Too many messages wait to be taken; try again.")
        future: asyncio.Future[Pushed | Known] = asyncio.get_running_loop().create_future()
        self._waiting.append((push, future))
        return future

    async def tell(self, known: Known) -> Pushed:
        """Tell where a message is by now that was planned before.

        Only who asks again waits for the view to hold the plan, and nobody behind them.

        Raises:
            Unavailable: the view is too far behind.

        """
        campaign, number, stores = self._campaign["_id"], known.contact["number"], self._stores
        if not await stores.messages.reached(known.seq, CAUGHT_UP_WITHIN_S):
            raise Unavailable(BEHIND)
        sending = await stores.views.sendings.find_one({"_id": campaign}, {"open": 1}) or {}
        block = await stores.views.blocks.find_one({"_id": block_id(campaign, number)})
        rows = {row["number"]: row for row in messages_in(block)} if block else {}
        is_taken = number in sending.get("open", ())
        row = rows.get(number, {"status": "submitting" if is_taken else "queued"})
        return Pushed(number, row["status"], row.get("reason"), known.seq, known.contact)

    async def work(self) -> None:
        """Plan until nobody waits any more and nothing is left without a plan."""
        while self.busy:
            group = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            led_to_by = [push.traceparent for push, _ in group]
            try:
                with tracing.span("plan pushed", linked=led_to_by, messages=len(group)):
                    first: dict[str, Push] = {}
                    for push, _ in group:
                        first.setdefault(push.id, push)
                    told = await self._settle(first)
            except (Unavailable, Rejected, PyMongoError) as error:
                # Contacts may be stored by now: they are planned as soon as that is possible.
                self.unsettled, self._place = True, None
                log.warning("pushes wait", campaign=self._campaign["_id"], why=repr(error))
                _answer(group, error)
                await asyncio.sleep(AGAIN_S)
            except Exception as error:
                name = self._campaign["_id"]
                if not self._backoff.own(name, error):
                    raise
                self.unsettled, self._place = True, None
                _answer([*group, *self._waiting], error)
                self._waiting.clear()
                await asyncio.sleep(self._backoff.rest_s(name))
            else:
                self.unsettled = False
                _answer(group, told)
                await asyncio.sleep(GATHER_S)
            finally:
                for _, future in group:
                    future.cancel()

    async def _settle(self, wanted: Mapping[str, Push]) -> Mapping[str, Pushed | Known]:
        """Have all of these planned, and whatever else is not; tell what became of them."""
        known = await self._stored(wanted)
        told: dict[str, Pushed] = {}
        while True:
            place = self._place = self._place or await self._look()
            new = [push for name, push in wanted.items() if name not in known]
            try:
                if place.stored_to > place.planned_to:
                    last = min(place.planned_to + BATCH, place.stored_to)
                    told |= await self._plan(place, await self._unplanned(place), last)
                elif any(one["number"] > place.stored_to for one in known.values()):
                    self._place = None
                elif new:
                    contacts = await self._store(place, new)
                    known |= {contact["_id"]: contact for contact in contacts}
                    if len(contacts) < len(new):
                        known |= await self._stored([push.id for push in new])
                        self._place = None
                    elif contacts:
                        told |= await self._plan(place, contacts, place.stored_to)
                else:
                    before = {name: Known(known[name], place.planned_seq) for name in wanted}
                    return before | told
            except Conflict:
                self._place = None

    async def _look(self) -> Place:
        """Ask the views, when they hold all that was ever said, how far everything is.

        Raises:
            Unavailable: they are too far behind.

        """
        stores, campaign = self._stores, self._campaign["_id"]
        end = await stores.log.last_seq(stores.messages.projection.stream)
        if not await stores.messages.reached(end, CAUGHT_UP_WITHIN_S):
            raise Unavailable(BEHIND)
        sending = await stores.views.sendings.find_one({"_id": campaign}) or {}
        found = stores.views.pushed.find({"audience": campaign}, {"number": 1})
        last = await found.sort("number", DESCENDING).limit(1).to_list()
        planned_to = sending.get("planned_to", 0)
        stored_to = max(planned_to, last[0]["number"] if last else 0)
        return Place(planned_to, sending.get("planned_seq", 0), stored_to)

    async def _stored(self, names: Collection[str]) -> dict[str, Document]:
        found = self._stores.views.pushed.find({"_id": {"$in": list(names)}})
        return {contact["_id"]: contact async for contact in found} if names else {}

    async def _unplanned(self, place: Place) -> list[Document]:
        return await self._audience.numbered({"$gt": place.planned_to}, BATCH)

    async def _store(self, place: Place, pushes: Sequence[Push]) -> list[Document]:
        """Store contacts under the next numbers; return those that are, up to the first refused."""
        contacts = [
            {
                "_id": push.id,
                "audience": self._audience.id,
                "number": number,
                "phone": push.phone,
                "variables": push.variables,
            }
            for number, push in enumerate(pushes, place.stored_to + 1)
        ]
        try:
            await self._stores.views.pushed.insert_many(contacts, ordered=True)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise
            contacts = contacts[: error.details["nInserted"]]
        place.stored_to += len(contacts)
        return contacts

    async def _plan(
        self, place: Place, contacts: Sequence[Document], last: int
    ) -> dict[str, Pushed]:
        """Plan the numbers up to `last` that follow the plan so far.

        Raises:
            Conflict: somebody else has planned something in between.

        """
        workspace, text = self._campaign["workspace"], self._campaign["settings"]["text"]
        phones = [contact["phone"] for contact in contacts]
        suppressed = await self._stores.suppressions.among(workspace, phones)
        span = place.planned_to + 1, last
        event = planned(self._audience.id, text, span, contacts, suppressed)
        address = Address(workspace, self._campaign["_id"])
        fact = Fact(event, address, new_id(), after=place.planned_seq)
        place.planned_seq = await self._stores.log.append_fact(fact, origin())
        place.planned_to = event.last
        place.stored_to = max(place.stored_to, event.last)
        PUSHES.inc(len(contacts))
        reasons = {skip.number: skip.reason for skip in event.skipped}
        return {
            contact["_id"]: Pushed(
                contact["number"],
                "skipped" if contact["number"] in reasons else "queued",
                reasons.get(contact["number"]),
                place.planned_seq,
                contact,
            )
            for contact in contacts
        }


def _answer(
    group: Sequence[tuple[Push, asyncio.Future[Pushed | Known]]],
    told: Mapping[str, Pushed | Known] | Exception,
) -> None:
    for push, future in group:
        if future.done():
            continue
        if isinstance(told, Exception):
            future.set_exception(told)
        elif push.is_stored_as(told[push.id].contact):
            future.set_result(told[push.id])
        else:
            refusal = Refused("this key was used for another message", code="conflict")
            future.set_exception(refusal)
