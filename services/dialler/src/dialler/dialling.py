"""Dialling: one owner per campaign, one turn after the other. The log first, then the phone side.

What the phone side tells is heard at once, also while a turn waits for the log: whoever answers
gets a seat within milliseconds. A turn stores the ends before it acknowledges them, closes who will
not be called, and places the next calls: the intent to ring is durable before the phone side hears
of it, and it follows the last intent in the log, so of two that believe to own the campaign only
one gets through. What we name a call is its name at the phone side: one intent never rings twice.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Histogram
from pymongo.errors import ConnectionFailure

from campaign_events import tracing
from campaign_events.call import CALLS_BATCH, CallsDialled, Dial
from campaign_events.eventlog import EventLog, Rejected
from campaign_events.leases import Lease
from campaign_events.windows import is_open
from dialler.calling import Call
from dialler.closing import Closer
from dialler.ending import Endings
from dialler.facts import append_wish
from dialler.finishing import Finisher
from dialler.joining import Joiner
from dialler.live import LiveBlock, Pulse
from dialler.names import CallId
from dialler.noting import Notes
from dialler.pace import Pace
from dialler.reading import Views
from dialler.recalling import open_calls, standings
from dialler.run import FRUITLESS, Candidate, Run
from dialler.shelf import Shelf, terms_of
from dialler.switchboard import Extension
from dialler.talking import Orders, Talking
from dialler.telephony.telephony import CallEvent, Ended, LiveCall, Originate, Screening, parted

DIALS = Counter("carillon_dials", "Calls placed", ["kind"])
ENDS = Counter("carillon_attempts", "Attempts that came to their end", ["outcome"])
TURN = Histogram(
    "carillon_dialling_turn_seconds",
    "One turn of dialling one campaign",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

RUNG_WITHIN_S = 5.0
"""How old the intent to ring somebody may be; windows and statuses may be others by then."""
LINGER_S = 0.01
BUSY_S = 0.1
IDLE_S = 1.0

log = structlog.get_logger(__name__)


class OwnershipInDoubt(Exception):
    """Our process stood still for so long that somebody else may own the campaign by now."""


@dataclass(slots=True)
class Dialling:
    """Dials one run of one campaign for as long as its lease is held."""

    store: EventLog
    views: Views
    run: Run
    extension: Extension
    pace: Pace
    talking: Talking
    endings: Endings
    closer: Closer
    joiner: Joiner
    finisher: Finisher
    shelf: Shelf
    notes: Notes
    pulse: Pulse
    lease: Lease
    over: bool = False
    _recalled: Sequence[LiveCall] = ()
    _ended: list[tuple[Call, Ended]] = field(default_factory=list)
    _told: list[CallEvent] = field(default_factory=list)
    _busy: bool = False
    _stopping: bool = False

    def block(self) -> LiveBlock:
        """Return how dialling goes just now."""
        return self.pulse.block(self.run, self.talking, datetime.now(UTC))

    def stop(self) -> None:
        """Take no more turns; calls live on for the next owner."""
        self._stopping = True
        self.extension.stirred.set()

    async def take_over(self) -> None:
        """Find the calls that the previous owner left open, and learn where they are."""
        calls = await open_calls(self.views, self.notes, self.run)
        self.talking.calls |= {call.call_id: call for call in calls}
        # What comes before this is not confirmed, and so is told again.
        self.extension.heard = self._hear
        found = await standings(self.extension.telephony, calls)
        self._recalled = [one for one in found if isinstance(one, LiveCall)]
        self.extension.put([one for one in found if isinstance(one, Ended)])

    async def work(self) -> None:
        """Take turns until the run is over, or the lease is.

        Raises:
            Conflict, OwnershipInDoubt: somebody else may own the campaign.

        """
        while not (self.lease.lost.is_set() or self.over or self._stopping):
            await self._wait()
            with TURN.time():
                await self._turn()

    async def _wait(self) -> None:
        """Sleep until there is something to do, and a little more so that it comes in batches."""
        now = time.time()
        moments = (self.talking.next_deadline(self.pace.room.max_wait), self.pace.room.next_ready)
        due = min((moment - now for moment in moments if moment is not None), default=IDLE_S)
        pause = min(due, BUSY_S if self._busy or self.talking.calls else IDLE_S)
        try:
            await asyncio.wait_for(self.extension.stirred.wait(), max(pause, LINGER_S))
        except TimeoutError:
            return
        self.extension.stirred.clear()
        await asyncio.sleep(LINGER_S)

    async def _turn(self) -> None:
        if not self.lease.is_good:
            return
        if self.extension.failure is not None:
            raise self.extension.failure
        self._adopt()
        self._hear(())
        await self._store()
        now = datetime.now(UTC)
        try:
            await self._close(now)
            await self._dial(now)
            await self._finish()
        except ConnectionFailure as error:
            # Live calls need no MongoDB; everything else waits for it.
            log.warning("MongoDB is away, nothing is dialled", why=repr(error))

    def _hear(self, events: Sequence[CallEvent]) -> None:
        """Move calls on, and have the phone side do what follows; what must be stored waits."""
        if not self.lease.is_good:
            return
        orders = Orders()
        self.pace.room.tick(time.time())
        self.talking.hear(events, self.run.settings, orders)
        self._told += events
        self._order(orders)

    def _adopt(self) -> None:
        """Go on with the calls of the previous owner, after what was left to be told of them."""
        recalled, self._recalled = self._recalled, ()
        if recalled:
            orders = Orders()
            now = datetime.now(UTC)
            self.pace.room.tick(now.timestamp())
            self.talking.adopt(recalled, self.run.settings, now, orders)
            self._order(orders)

    def _order(self, orders: Orders) -> None:
        now = time.time()
        self.talking.seat(now, self.run.settings.abandon.max_wait_s, orders)
        self.extension.telephony.attach(orders.attach)
        self.extension.telephony.hang_up(orders.hang_up)
        self._ended += orders.ended
        self.notes.over(call for call, _ in orders.ended)
        self.pulse.connected(now, len(orders.attach))
        for call, ended in orders.ended:
            if call.ringing_at is not None:
                self.pulse.rang(((call.answered_at or ended.at) - call.ringing_at).total_seconds())

    async def _store(self) -> None:
        """Store the ends, then confirm everything that the phone side has told."""
        now = datetime.now(UTC)
        self.pace.learn(now)
        told, self._told = self._told, []
        ended = self._ended.copy()
        if ended:
            ends = await self.endings.store(ended, now)
            del self._ended[: len(ended)]
            for end in ends:
                ENDS.labels(end.outcome).inc()
            self.pulse.final(now.timestamp(), sum(end.due_at is None for end in ends))
        await self.notes.write(self.talking.calls, self.talking.changed)
        if told:
            self.extension.telephony.acknowledge(told)

    @property
    def _under_way(self) -> set[int]:
        """Who is being called, or was until just now."""
        return self.talking.numbers | {call.number for call, _ in self._ended}

    async def _close(self, now: datetime) -> None:
        """Close who will not be called any more; take in who has joined."""
        run, at = self.run, now.timestamp()
        over = run.over(now)
        if over is not None and not run.broken:
            if run.waiting:
                await self.closer.close_all(run, over, at)
            return
        await self.joiner.join(run)
        await self.closer.exclude(run, self._under_way, at)
        await self.closer.close_given_up(run)
        if run.pending and run.fruitless >= FRUITLESS:
            await self.closer.close_missing(run)

    async def _dial(self, now: datetime) -> None:
        """Choose who is next, store the intent, and only then let the phone side hear of it."""
        run = self.run
        self._busy = False
        if run.over(now) is not None or not run.dials(now) or not self.extension.telephony.up:
            return
        await self.shelf.fill(run, now)
        count = self.pace.calls_to_place(run, datetime.now(UTC))
        chosen = self._choose(min(count, run.ready, CALLS_BATCH), now)
        self._busy = bool(run.ready) or bool(chosen)
        if not chosen:
            return
        led_to_by = [run.traceparent]
        with tracing.span("dial", linked=led_to_by, campaign=run.campaign, calls=len(chosen)):
            await self._place(chosen, now)

    async def _place(self, chosen: Sequence[Candidate], now: datetime) -> None:
        """Store the intent to ring these, then have them rung, unless that took too long."""
        try:
            calls = await self._take(chosen)
        except Rejected as error:
            log.warning("the log takes nothing, nobody is rung", why=str(error))
            self.run.put_back(chosen)
            return
        if not self.lease.is_good:
            raise OwnershipInDoubt(self.run.campaign)
        self.pace.room.tick(time.time())
        self.talking.place(calls)
        self.pace.rate.spend(len(calls), time.time())
        self.pulse.dialled(now, len(calls))
        stored_at = datetime.now(UTC)
        if (stored_at - calls[0].dialled_at).total_seconds() > RUNG_WITHIN_S:
            self.extension.put([Ended(call.call_id, stored_at, "cancelled") for call in calls])
            return
        self.extension.telephony.originate([self._originate(call) for call in calls])
        for call in calls:
            DIALS.labels(call.kind).inc()

    def _choose(self, count: int, now: datetime) -> list[Candidate]:
        """Take out who is next and may still be rung by the clocks."""
        run, chosen = self.run, list[Candidate]()
        opened: dict[str, bool] = {}
        live = self._under_way
        while len(chosen) < count and run.ready:
            one = run.pop()
            if one.number in live or one.number in run.given_up:
                continue
            if one.timezone not in opened:
                opened[one.timezone] = is_open(terms_of(run, one.timezone).window, now)
            if opened[one.timezone]:
                chosen.append(one)
            else:
                run.pass_over(one, now.timestamp())
        return chosen

    async def _take(self, chosen: Sequence[Candidate]) -> list[Call]:
        run, callers = self.run, self.run.settings.caller_ids or ("",)
        calls = [
            Call(
                number=one.number,
                sequence=one.sequence,
                kind=one.kind,
                call_id=CallId(run.campaign, run.number, one.number).attempt(one.sequence),
                caller_id=callers[(run.attempts + place) % len(callers)],
                dialled_at=datetime.now(UTC),
                phone=one.phone,
                timezone=one.timezone,
                connected_before=one.connected_before,
            )
            for place, one in enumerate(chosen)
        ]
        dials = tuple(
            Dial(
                number=call.number,
                sequence=call.sequence,
                kind=call.kind,
                call_id=call.call_id,
                caller_id=call.caller_id,
            )
            for call in calls
        )
        event = CallsDialled(run=run.number, epoch=self.lease.epoch, dials=dials)
        seq, at = await append_wish(self.store, event, run.address, after=run.fences.dialled)
        run.dialled(chosen, seq)
        for call in calls:
            call.dialled_at = at
        return calls

    def _originate(self, call: Call) -> Originate:
        settings = self.run.settings
        amd = settings.amd
        return Originate(
            call_id=call.call_id,
            phone=call.phone,
            caller_id=call.caller_id,
            ring_timeout_s=settings.dial_timeout_s,
            destination=parted(settings.destination)[1],
            amd=Screening(amd.total_analysis_ms) if amd.enabled else None,
        )

    async def _finish(self) -> None:
        """Say when the run can not go on, and when nothing is left of it."""
        reason = self.endings.refusals.reason
        if reason is not None and not self.run.broken:
            await self.finisher.fail(self.run, reason)
        if not (self.talking.calls or self._ended):
            self.over = await self.finisher.finish(self.run)
