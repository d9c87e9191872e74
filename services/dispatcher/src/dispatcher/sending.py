"""Sending: one owner per link, one turn after the other. The log first, then the carrier.

A turn settles what the carrier said, stores it and takes the next messages: the intent is durable
before the carrier sees a byte, and it follows the last intent in the log, so of two that believe to
own the link only one gets through. Taken but unanswered contacts never exceed the window, so a
crash leaves at most a window of them undecided.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram
from pymongo.errors import PyMongoError

from campaign_events import tracing
from campaign_events.backoff import Backoff
from campaign_events.envelope import Address, derived_id
from campaign_events.leases import Lease
from dispatcher import measuring
from dispatcher.fairness import Fairness
from dispatcher.finishing import end_of
from dispatcher.inbound import OptOuts
from dispatcher.inflight import Message
from dispatcher.links.link import Answer, Link, Report
from dispatcher.outbox import Outbox, Say
from dispatcher.outcomes import Facts, Outcomes, begun, keep, origin
from dispatcher.outgoing import Outgoing
from dispatcher.rate import Rate, Throttling
from dispatcher.resting import Recipient
from dispatcher.settling import Settling
from dispatcher.shelf import Shelf
from dispatcher.taking import Taker

SUBMITTED = Counter("carillon_link_submitted_segments", "Segments given to the carrier", ["link"])
OPEN = Gauge(
    "carillon_link_open_messages", "Messages taken whose outcome is not stored yet", ["link"]
)
TURN = Histogram(
    "carillon_link_turn_seconds",
    "One turn of sending",
    ["link"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

LINGER_S = 0.003
IDLE_S = 0.25
DRAIN_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a link: contacts in hand, segments per second, how long reports are awaited."""

    window: int
    segments_per_second: float
    delivery_wait: timedelta


@dataclass(slots=True)
class Sender:
    """Sends the campaigns of one link for as long as its lease is held."""

    store: Facts
    link: Link
    limits: Limits
    settling: Settling
    shelf: Shelf
    is_suppressed: Callable[[str], bool]
    opt_outs: OptOuts
    backoff: Backoff
    _stopping: bool = False
    _rate: Rate = field(init=False)
    _throttling: Throttling = field(default_factory=Throttling)
    _campaigns: dict[str, Outgoing] = field(default_factory=dict)
    _erased: set[str] = field(default_factory=set)
    """Phones of people who were erased since the last turn."""
    _fairness: Fairness = field(default_factory=Fairness)
    _outbox: Outbox = field(init=False)
    _began: float = 0.0
    """When the last turn began."""

    def __post_init__(self) -> None:
        self._rate = Rate(self.limits.segments_per_second)
        self._outbox = Outbox(self.settling)
        measuring.begin(self.link.id)

    def put(self, campaign: Outgoing) -> None:
        """Send this campaign from now on, in turn with the others."""
        self._campaigns[campaign.id] = campaign
        self.wake.set()

    def get(self, campaign_id: str) -> Outgoing | None:
        """Return a campaign that is being sent."""
        return self._campaigns.get(campaign_id)

    @property
    def campaigns(self) -> Collection[Outgoing]:
        """What is being sent."""
        return self._campaigns.values()

    def drop(self, campaign_id: str) -> None:
        """Take nothing more of this campaign; what is with the carrier is still followed."""
        dropped = self._campaigns.pop(campaign_id, None)
        if dropped is not None:
            self.shelf.put_away(dropped)
            dropped.paused = True
            self.wake.set()

    def forget(self, phone: str) -> None:
        """Read again whom to write to next: this one is not there any more."""
        self._erased.add(phone)
        self.wake.set()

    @property
    def allowed_per_s(self) -> float:
        """How many segments a second throttling has left of the link's rate."""
        return self._rate.full_per_s * self._rate.share

    @property
    def throttled_share(self) -> float:
        """Which share of recent submits the carrier refused as too fast."""
        return self._throttling.share(time.monotonic())

    def stop(self) -> None:
        """Take nothing more; `run` returns when it has heard out what is with the carrier."""
        self._stopping = True
        self.wake.set()

    @property
    def wake(self) -> asyncio.Event:
        """What makes the next turn begin at once: news, or whatever has come from the carrier."""
        return self.link.stirred

    async def run(self, lease: Lease) -> None:
        """Take turns until the lease is lost or `stop` is called.

        It must not be cancelled: an outcome that is known but not stored yet would be lost.

        Raises:
            Conflict: somebody else owns the link.
            PyMongoError: MongoDB is away; what is with the carrier was heard out all the same.

        """
        taker = Taker(self.store, self.link.id, lease.epoch, self.is_suppressed)
        try:
            while not (lease.lost.is_set() or self._stopping):
                await self._wait()
                with TURN.labels(self.link.id).time():
                    await self._turn(lease, taker)
        except PyMongoError:
            await self._drain(lease)
            raise
        else:
            await self._drain(lease)
        finally:
            self.shelf.close()
            OPEN.labels(self.link.id).set(0)

    async def _wait(self) -> None:
        """Sleep until there is something to do; the last turn began `LINGER_S` ago at least.

        So what comes meanwhile shares one event, one fsync, one commit.
        """
        pause = IDLE_S
        if self._sendable() and self.link.room():
            pause = min(IDLE_S, self._rate.wait_s())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(pause, LINGER_S)):
                await self.wake.wait()
                rest = self._began + LINGER_S - time.monotonic()
                if rest > 0:
                    await asyncio.sleep(rest)
        self.wake.clear()

    def _sendable(self) -> bool:
        now = datetime.now(UTC)
        return bool(self._outbox) or any(
            campaign.waits and self._sends(campaign, now) for campaign in self._campaigns.values()
        )

    def _sends(self, campaign: Outgoing, now: datetime) -> bool:
        """Tell whether messages may be taken of a campaign; not while it rests from a failure."""
        if self.backoff.rests(campaign.id):
            return False
        with self.backoff.guarding(campaign.id):
            return campaign.sends(now)
        return False

    async def _turn(self, lease: Lease, taker: Taker) -> None:
        """Settle, store and take at once: in the log outcomes stand before the intents that follow.

        So a slot is used again without a wait, and a crash leaves no more than a window undecided.
        """
        self._began = time.monotonic()
        out, reports = await self._settle()
        storing = begun(self._store_heard(out, reports))
        try:
            if not (lease.lost.is_set() or self._stopping):
                await self._open_portions(taker)
                await self._send(taker)
        finally:
            await storing
        await self._finish()

    async def _open_portions(self, taker: Taker) -> None:
        now = datetime.now(UTC)
        for campaign in list(self._campaigns.values()):
            if self._sends(campaign, now):
                with self.backoff.guarding(campaign.id):
                    await taker.open_portion(campaign, now)

    async def _settle(self) -> tuple[Outcomes, Sequence[Report]]:
        """Settle everything that has come from the carrier; heed and confirm what people wrote.

        Returns what is to be stored, and the reports to confirm once it is.

        Raises:
            PyMongoError: who was reported on, or wrote, can not be found; answers are stored.

        """
        batch = self.link.collect()
        out = Outcomes(self.link.id)
        now = time.monotonic()
        self._throttling.heard(batch.answers, now)
        measuring.measure_answers(self.link.id, batch.answers)
        if self.settling.answered(batch.answers, out):
            self._rate.throttled(now)
        self.settling.late(batch.late, out)
        try:
            done = await self.settling.reported(batch.reports, out)
            self.settling.give_up(out)
            measuring.measure_reports(self.link.id, batch.reports)
            OPEN.labels(self.link.id).set(len(self.settling.open))
            await self.opt_outs.heard(self.link.id, batch.inbound)
        except PyMongoError:
            await self._store(out)  # the carrier says its answers once, and the rest again
            raise
        self.link.acknowledge(batch.inbound)
        return out, done

    async def _store_heard(self, out: Outcomes, reports: Sequence[Report]) -> None:
        """Store what was settled, then confirm the reports to the carrier."""
        await self._store(out)
        self.link.acknowledge(reports)

    def _count(self, out: Outcomes) -> None:
        """Keep the campaigns' counters in step with the facts of this turn."""
        now = datetime.now(UTC)
        for campaign, kind, count in out.counts():
            if outgoing := self._campaigns.get(campaign):
                outgoing.count(kind, count, now)

    async def _store(self, out: Outcomes) -> None:
        """Store what has happened, and know when what is deferred is to be looked for."""
        now = time.time()
        self._count(out)
        await out.append(self.store)
        measuring.measure_outcomes(out, datetime.now(UTC), time.monotonic())
        for message, deferral in out.deferrals():
            if outgoing := self._campaigns.get(message.campaign):
                outgoing.resting.rest(now + deferral.after_s, message.seq)

    async def _send(self, taker: Taker) -> None:
        """Take what fits, store the intent, and only then let the carrier see it."""
        erased = set(self._erased)
        active = self._active(put_away=bool(erased))
        self._outbox.put_again(self.settling.again_of(lambda one: self._say(one) == "back"))
        self._put_again()
        if self._outbox.reviewable:
            await self._take_back()
        picked = () if self._outbox else self._pick(active)
        if picked:
            await self._take(taker, picked)
        self._write()
        self._erased -= erased

    def _put_again(self) -> None:
        """Have the carrier offered once more what it did not take, as fast as the link may go."""
        parts = self.settling.due_again(self._rate.room(time.monotonic()))
        self._rate.spend(len(parts))
        self._outbox.put_again(parts)

    def _active(self, *, put_away: bool) -> Sequence[Outgoing]:
        """Return what may be sent, and have it read ahead; the rest lets go of what was read."""
        now = datetime.now(UTC)
        active = []
        for campaign in self._campaigns.values():
            sends = self._sends(campaign, now)
            if put_away or not sends:
                self.shelf.put_away(campaign)
            if sends:
                with self.backoff.guarding(campaign.id):
                    self.shelf.look_after(campaign, now, self.wake.set)
                    active.append(campaign)
        return active

    async def _take(self, taker: Taker, picked: Sequence[tuple[Outgoing, list[Recipient]]]) -> None:
        led_to_by = [campaign.traceparent for campaign, _ in picked]
        count = sum(len(some) for _, some in picked)
        with tracing.span("submit", linked=led_to_by, link=self.link.id, messages=count):
            *others, last = picked
            taking = [begun(taker.take(*one)) for one in others]
            self._outbox.put(await taker.take(*last))
            for work in taking:
                self._outbox.put(await work)

    def _write(self) -> None:
        """Let the carrier see as much as there is room for."""
        parts = self._outbox.next(self.link.room(), self._say)
        if parts:
            SUBMITTED.labels(self.link.id).inc(len(parts))
            self.link.submit(parts)

    def _pick(self, active: Sequence[Outgoing]) -> Sequence[tuple[Outgoing, list[Recipient]]]:
        """Choose the next messages, in turns, within window and rate."""
        now = datetime.now(UTC)
        room = min(self.link.room(), self.limits.window - len(self.settling.open))
        budget = min(room, self._rate.room(time.monotonic()))
        waiting = [campaign for campaign in active if self._sends(campaign, now)]
        return self._fairness.pick(waiting, budget, self._cost)

    def _cost(self, recipient: Recipient) -> int:
        """Return the segments that a message takes; who opted out or was erased takes none."""
        if recipient.is_erased or self.is_suppressed(recipient.phone_hash):
            return 0
        self._rate.spend(recipient.segments)
        return recipient.segments

    def _say(self, message: Message) -> Say:
        """Tell what may become of a message that is taken and not written yet."""
        now = datetime.now(UTC)
        campaign = self._campaigns.get(message.campaign)
        is_unwanted = self.is_suppressed(message.phone_hash) or message.phone in self._erased
        if campaign is None or campaign.over(now) or is_unwanted:
            return "back"
        if campaign.rests(now):
            return "hold" if message.written else "back"
        return "go"

    async def _take_back(self) -> None:
        """Put back into the queue what has waited for room and must not go out any more."""
        out = Outcomes(self.link.id)
        self._outbox.review(self._say, out)
        await self._store(out)

    async def _finish(self) -> None:
        """Say of each campaign when nothing is left to do, or nothing can be done."""
        now = datetime.now(UTC)
        for campaign in list(self._campaigns.values()):
            if not self.backoff.rests(campaign.id):
                with self.backoff.guarding(campaign.id):
                    await self._end(campaign, now)

    async def _end(self, campaign: Outgoing, now: datetime) -> None:
        end = end_of(campaign, now, self.limits.delivery_wait)
        if end is not None:
            address = Address(campaign.workspace, campaign.id)
            name = derived_id(end.type, campaign.id)
            with tracing.span("finish", linked=[campaign.traceparent], campaign=campaign.id):
                await keep(self.store, end, address, origin(), name)
            campaign.ended(end)

    async def _drain(self, lease: Lease) -> None:
        """Hear out the carrier and give it the rest of what it has in part, for a while.

        So nothing is left undecided: a message whose rest can not go out now has failed.
        """
        out = Outcomes(self.link.id)
        now = datetime.now(UTC)
        unsent = [Answer(part.key, 0, None, "unsent", now) for part in self._outbox.empty()]
        self.settling.answered(unsent, out)
        await out.append(self.store)
        give_up = time.monotonic() + DRAIN_S
        while self.settling.open and self.link.up and time.monotonic() < give_up:
            if not lease.lost.is_set():
                self._put_again()
                self._write()
            with suppress(PyMongoError):
                await self._store_heard(*await self._settle())
            await asyncio.sleep(LINGER_S)
        await self._leave()

    async def _leave(self) -> None:
        """Say of what is begun and can not be ended what is known of it."""
        out = Outcomes(self.link.id)
        self.settling.answered(self.link.collect().answers, out)
        for part in (*self._outbox.empty(), *self.settling.again_of(lambda _: True)):
            if part.key[:2] in self.settling.open:
                self.settling.withdrawn(part, out)
        await out.append(self.store)
