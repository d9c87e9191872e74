"""Sending: one owner per link, one turn after the other. The log first, then the carrier.

A turn settles what the carrier said, stores it, then takes the next messages: the intent is
durable before the carrier sees a byte, and it follows the last intent in the log, so of two that
believe to own the link only one gets through. Taken but unanswered contacts never exceed the
window, so a crash leaves at most a window of them undecided.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram

from campaign_events.envelope import Address, Event, derived_id, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.leases import Lease
from campaign_events.message import MessagesTaken, SendingFailed, SendingFinished, Skipped, Span
from dispatcher.inbound import OptOuts
from dispatcher.inflight import Message, reference
from dispatcher.links.link import Answer, Batch, Link, Part
from dispatcher.outcomes import Outcomes, keep, origin
from dispatcher.outgoing import Outgoing, Recipient, Shelf
from dispatcher.rate import Rate, Throttling
from dispatcher.settling import Settling
from smpp.text import encode

SUBMITTED = Counter("carillon_segments_submitted", "Segments given to the carrier", ["link"])
REPORTS = Counter("carillon_delivery_reports", "Delivery reports stored", ["link"])
OPEN = Gauge("carillon_window_used", "Messages taken and not answered yet", ["link"])
TURN = Histogram("carillon_sending_turn_seconds", "How long one turn of sending takes", ["link"])

LINGER_S = 0.01
IDLE_S = 0.25
REFUSES_ALL = 100
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

    store: EventLog
    link: Link
    limits: Limits
    settling: Settling
    shelf: Shelf
    is_suppressed: Callable[[str], bool]
    opt_outs: OptOuts
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _rate: Rate = field(init=False)
    _throttling: Throttling = field(default_factory=Throttling)
    _campaigns: dict[str, Outgoing] = field(default_factory=dict)
    _turns: deque[str] = field(default_factory=deque)
    _unsent: deque[Part] = field(default_factory=deque)
    _came: asyncio.Queue[Batch] = field(default_factory=lambda: asyncio.Queue(maxsize=4))

    def __post_init__(self) -> None:
        self._rate = Rate(self.limits.segments_per_second)

    def put(self, campaign: Outgoing) -> None:
        """Send this campaign from now on, in turn with the others."""
        if campaign.id not in self._campaigns:
            self._turns.append(campaign.id)
        self._campaigns[campaign.id] = campaign
        self.wake.set()

    def get(self, campaign_id: str) -> Outgoing | None:
        """Return a campaign that is being sent."""
        return self._campaigns.get(campaign_id)

    def drop(self, campaign_id: str) -> None:
        """Take nothing more of this campaign; what is with the carrier is still followed."""
        if self._campaigns.pop(campaign_id, None) is not None:
            self._turns.remove(campaign_id)

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

    async def run(self, lease: Lease) -> None:
        """Take turns until the lease is lost or `stop` is called.

        It must not be cancelled: an outcome that is known but not stored yet would be lost.
        """
        pump = asyncio.create_task(self._pump())
        try:
            while not (lease.lost.is_set() or self._stopping):
                await self._wait(pump)
                with TURN.labels(self.link.id).time():
                    await self._turn(lease)
            await self._drain()
        finally:
            pump.cancel()

    async def _pump(self) -> None:
        """Bring in what the link has, a few batches ahead; then the link stops reading."""
        while True:
            await self._came.put(await self.link.events())
            self.wake.set()

    async def _wait(self, pump: asyncio.Task[None]) -> None:
        """Sleep until there is something to do, and a little more so that it comes in batches."""
        if pump.done():
            pump.result()
        pause = IDLE_S
        if self._sendable() and self.link.room():
            pause = min(IDLE_S, self._rate.wait_s())
        try:
            await asyncio.wait_for(self.wake.wait(), max(pause, LINGER_S))
        except TimeoutError:
            return
        self.wake.clear()
        await asyncio.sleep(LINGER_S)

    def _sendable(self) -> bool:
        return bool(self._unsent) or any(
            campaign.ready and not campaign.paused for campaign in self._campaigns.values()
        )

    async def _turn(self, lease: Lease) -> None:
        await self._hear()
        await asyncio.gather(
            *(self.shelf.fill(campaign) for campaign in self._running()),
        )
        if not (lease.lost.is_set() or self._stopping):
            await self._send(lease)
        await self._finish()

    async def _hear(self) -> None:
        """Settle, store and confirm everything that has come from the carrier."""
        batches: list[Batch] = []
        while not self._came.empty():
            batches.append(self._came.get_nowait())
        out = Outcomes(self.link.id)
        now = time.monotonic()
        for batch in batches:
            self._throttling.heard(batch.answers, now)
            if self.settling.answered(batch.answers, out):
                self._rate.throttled(now)
            self.settling.late(batch.late, out)
        reports = [report for batch in batches for report in batch.reports]
        done = await self.settling.reported(reports, out)
        self.settling.give_up(out)
        self._count(out)
        await out.append(self.store)
        self.link.acknowledge(done)
        inbound = [one for batch in batches for one in batch.inbound]
        await self.opt_outs.heard(self.link.id, inbound)
        self.link.acknowledge(inbound)
        REPORTS.labels(self.link.id).inc(len(reports))
        OPEN.labels(self.link.id).set(len(self.settling.open))

    def _count(self, out: Outcomes) -> None:
        """Keep the campaigns' counters in step with the facts of this turn."""
        for campaign, kind, count in out.counts():
            if outgoing := self._campaigns.get(campaign):
                outgoing.count(kind, count)
                if kind == "submitted":
                    outgoing.last_submitted_at = datetime.now(UTC)
        for campaign, deferral in out.deferrals():
            if outgoing := self._campaigns.get(campaign):
                outgoing.defer(deferral.number, deferral.after_s)

    def _running(self) -> Iterable[Outgoing]:
        return [campaign for campaign in self._campaigns.values() if not campaign.paused]

    async def _send(self, lease: Lease) -> None:
        """Take what fits, store the intent, and only then let the carrier see it."""
        self._unsent.extend(self.settling.due_again())
        if not self._unsent:
            picked = self._pick()
            await asyncio.gather(
                *(self._take(lease, campaign, some) for campaign, some in picked if some)
            )
        room = self.link.room()
        if self._unsent and room:
            parts = [self._unsent.popleft() for _ in range(min(room, len(self._unsent)))]
            SUBMITTED.labels(self.link.id).inc(len(parts))
            self.link.submit(parts)

    def _pick(self) -> Sequence[tuple[Outgoing, list[Recipient]]]:
        """Choose the next messages, one of each campaign in turn, within window and rate."""
        room = min(self.link.room(), self.limits.window - len(self.settling.open))
        tokens = self._rate.room(time.monotonic())
        picked: dict[str, list[Recipient]] = {}
        waiting = [name for name in self._turns if self._pickable(name)]
        while waiting and room > 0 and tokens > 0:
            for name in list(waiting):
                if room <= 0 or tokens <= 0:
                    break
                recipient = self._campaigns[name].ready.popleft()
                picked.setdefault(name, []).append(recipient)
                if not self._campaigns[name].ready:
                    waiting.remove(name)
                if not self.is_suppressed(recipient.phone_hash):
                    room -= recipient.segments
                    tokens -= recipient.segments
                    self._rate.spend(recipient.segments)
        self._turns.rotate(-1)
        return [(self._campaigns[name], some) for name, some in picked.items()]

    def _pickable(self, name: str) -> bool:
        campaign = self._campaigns[name]
        return bool(campaign.ready) and not campaign.paused

    async def _take(self, lease: Lease, campaign: Outgoing, some: list[Recipient]) -> None:
        """Store the intent to send these messages, then queue their parts for the carrier."""
        address = Address(campaign.workspace, campaign.id)
        some = await self._without_suppressed(campaign, address, some)
        if not some:
            return
        fresh = [one.number for one in some if one.number > campaign.taken_to]
        event = MessagesTaken(
            link=self.link.id,
            epoch=lease.epoch,
            spans=_spans(fresh),
            retried=tuple(one.number for one in some if one.number <= campaign.taken_to),
            count=len(some),
        )
        fact = Fact(event, address, new_id(), after=campaign.taken_seq)
        campaign.taken_seq = await self.store.append_fact(fact, origin())
        campaign.taken_to = max(campaign.taken_to, *(fresh or (0,)))
        campaign.queued -= len(some)
        campaign.submitting += len(some)
        for recipient in some:
            self._queue(campaign, recipient)

    async def _without_suppressed(
        self, campaign: Outgoing, address: Address, some: list[Recipient]
    ) -> list[Recipient]:
        """Skip whoever opted out since the plan was made."""
        skipped = [one for one in some if self.is_suppressed(one.phone_hash)]
        if not skipped:
            return some
        out = Outcomes(self.link.id)
        for one in skipped:
            out.skipped(address, Skipped(number=one.number, reason="suppressed"))
        await out.append(self.store)
        campaign.queued -= len(skipped)
        return [one for one in some if not self.is_suppressed(one.phone_hash)]

    def _queue(self, campaign: Outgoing, recipient: Recipient) -> None:
        name = campaign.id, recipient.number
        parts = encode(recipient.text, reference=reference(*name, 0) & 0xFF)
        submits = tuple(
            Part(
                key=(*name, index),
                destination=recipient.phone,
                reference=reference(*name, index),
                octets=part.octets,
                data_coding=part.data_coding,
                udh=part.udh,
                source=campaign.source,
            )
            for index, part in enumerate(parts)
        )
        self.settling.open[name] = Message(
            campaign=campaign.id,
            workspace=campaign.workspace,
            number=recipient.number,
            parts=len(parts),
            tries=recipient.tries,
            phone=recipient.phone,
            source=campaign.source.address.removeprefix("+"),
            submits=submits,
        )
        self._unsent.extend(submits)

    async def _finish(self) -> None:
        """Say of each campaign when nothing is left to do, or nothing can be done."""
        now = datetime.now(UTC)
        for campaign in list(self._campaigns.values()):
            if campaign.finished:
                continue
            end: Event | None = None
            if not campaign.accepted and campaign.refused >= REFUSES_ALL:
                end = SendingFailed(
                    reason=f"the link refused the first {campaign.refused} messages"
                )
            elif campaign.final:
                end = SendingFinished()
            elif self._waited_enough(campaign, now):
                end = SendingFinished(waited=True)
            if end is not None:
                campaign.finished = True
                address = Address(campaign.workspace, campaign.id)
                await keep(self.store, end, address, origin(), derived_id(end.type, campaign.id))

    def _waited_enough(self, campaign: Outgoing, now: datetime) -> bool:
        return (
            campaign.planned
            and not campaign.queued
            and not campaign.submitting
            and campaign.last_submitted_at is not None
            and now - campaign.last_submitted_at > self.limits.delivery_wait
        )

    async def _drain(self) -> None:
        """Hear out what is with the carrier, for a while, so that nothing is left undecided."""
        out = Outcomes(self.link.id)
        now = datetime.now(UTC)
        never_written = [Answer(part.key, 0, None, "unsent", now) for part in self._unsent]
        self._unsent.clear()
        self.settling.answered(never_written, out)
        await out.append(self.store)
        give_up = time.monotonic() + DRAIN_S
        while self.settling.open and self.link.up and time.monotonic() < give_up:
            await self._hear()
            await asyncio.sleep(LINGER_S)


def _spans(numbers: Sequence[int]) -> tuple[Span, ...]:
    """Return ascending numbers as runs without gaps."""
    spans: list[Span] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return tuple(spans)
