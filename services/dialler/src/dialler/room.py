"""The room as a pacer sees it: seats, who sits there, and calls on their way to them. No I/O.

A seat is one conversation that the campaign may hold; after it the seat wraps up for as long as the
destination says. All times are seconds since the epoch, as the owner's clock shows them.
"""

import heapq
from dataclasses import dataclass, field
from typing import Literal

from dialler.calling import UNANSWERED, Call

type Kind = Literal[
    "DIALLED",
    "ANSWERED",
    "HUMAN",
    "MACHINE",
    "FAILED",
    "NOANSWER",
    "CONNECTED",
    "ABANDONED",
    "TALK_END",
    "MACHINE_END",
    "READY",
    "LOGOUT",
]
type RoomEvent = tuple[Kind, float, str | int, float | None]


@dataclass(slots=True)
class Room:
    """What pacers may look at; `events` has what happened since somebody took them."""

    staffed: int
    target: float
    max_wait: float
    amd_on: bool
    now: float = 0.0
    elapsed_frac: float = 1.0
    dialled: int = 0
    answered: int = 0
    humans: int = 0
    connected: int = 0
    abandoned: int = 0
    machines: int = 0
    failed: int = 0
    noanswer: int = 0
    talking: dict[int, float] = field(default_factory=dict)
    wrapping: dict[int, float] = field(default_factory=dict)
    dialling: dict[str, float] = field(default_factory=dict)
    amd: dict[str, tuple[float, float]] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    events: list[RoomEvent] = field(default_factory=list)
    _seats: dict[str, int] = field(default_factory=dict)
    _machines: set[str] = field(default_factory=set)
    _ready_at: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events += [("READY", self.now, seat, None) for seat in range(self.staffed)]

    @property
    def idle(self) -> int:
        """How many seats are free."""
        return max(self.staffed - len(self.talking) - len(self.wrapping), 0)

    @property
    def lines(self) -> int:
        """How many calls there are."""
        return len(self.dialling) + len(self.amd) + len(self.waiting) + len(self.talking)

    @property
    def next_ready(self) -> float | None:
        """When the next seat is free again."""
        return self._ready_at[0][0] if self._ready_at else None

    def staff(self, seats: int) -> None:
        """Have so many seats from now on."""
        more = range(self.staffed, seats)
        fewer = range(seats, self.staffed)
        self.events += [("READY", self.now, seat, None) for seat in more]
        self.events += [("LOGOUT", self.now, seat, None) for seat in fewer]
        self.staffed = seats

    def tick(self, now: float) -> None:
        """Let time pass: seats whose wrap-up is over are free."""
        self.now = now
        while self._ready_at and self._ready_at[0][0] <= now:
            _, seat = heapq.heappop(self._ready_at)
            since = self.wrapping.pop(seat, None)
            if since is not None and seat < self.staffed:
                self._say("READY", seat, now - since)

    def dial(self, call: Call) -> None:
        """A call is placed."""
        self.dialled += 1
        self.dialling[call.call_id] = self.now
        self._say("DIALLED", call.call_id, None)

    def adopt(self, call: Call) -> None:
        """Another process placed this call; where it is says its state."""
        began = call.dialled_at.timestamp()
        if call.state in UNANSWERED:
            self.dialling[call.call_id] = began
            return
        if call.state == "amd_screening":
            self.amd[call.call_id] = began, self.now
            return
        if call.by_person:
            self.humans += 1
            self._say("HUMAN", call.call_id, None)
        if call.meant == "abandoned":
            self.abandoned += 1
            self._say("ABANDONED", call.call_id, 0.0)
        elif call.waits:
            self.waiting[call.call_id] = self.now
        elif call.asked:
            self._sit(call, self.now)

    def follow(self, call: Call) -> None:
        """Keep in step with a call that an event has moved."""
        began = self.dialling.get(call.call_id)
        if began is not None and call.answered_at is not None:
            del self.dialling[call.call_id]
            self.answered += 1
            self._say("ANSWERED", call.call_id, self.now - began)
            if call.state == "amd_screening":
                self.amd[call.call_id] = began, self.now
                return
            self._judge(call)
        elif call.call_id in self.amd and call.state != "amd_screening":
            del self.amd[call.call_id]
            self._judge(call)

    def seat(self, call: Call) -> bool:
        """Give a waiting call a seat; False when none is free."""
        if not self.idle:
            return False
        waited = self.now - self.waiting.pop(call.call_id, self.now)
        self._sit(call, self.now)
        if call.amd != "machine":
            self.connected += 1
        self._say("CONNECTED", call.call_id, waited)
        return True

    def abandon(self, call: Call) -> None:
        """Whoever waited is given up."""
        since = self.waiting.pop(call.call_id, None)
        if since is not None:
            self.abandoned += 1
            self._say("ABANDONED", call.call_id, self.now - since)

    def end(self, call: Call, wrap_s: float) -> None:
        """A call is over; its seat wraps up."""
        began = self.dialling.pop(call.call_id, None)
        if began is not None:
            answered = call.answered_at is not None
            kind: Kind = "NOANSWER" if call.state == "ringing" and not answered else "FAILED"
            self.noanswer += kind == "NOANSWER"
            self.failed += kind == "FAILED"
            self._say(kind, call.call_id, self.now - began)
        if self.amd.pop(call.call_id, None) is not None:
            self._say("MACHINE", call.call_id, None)
        self.abandon(call)
        seat = self._seats.pop(call.call_id, None)
        if seat is None:
            return
        talked = self.now - self.talking.pop(seat)
        kind = "MACHINE_END" if call.call_id in self._machines else "TALK_END"
        self._machines.discard(call.call_id)
        self._say(kind, seat, talked)
        self.wrapping[seat] = self.now
        heapq.heappush(self._ready_at, (self.now + wrap_s, seat))

    def _judge(self, call: Call) -> None:
        """Count who answered; those who may talk wait."""
        if call.by_person:
            self.humans += 1
            self._say("HUMAN", call.call_id, None)
        else:
            self.machines += 1
            self._say("MACHINE", call.call_id, None)
        if call.waits:
            self.waiting[call.call_id] = self.now

    def _sit(self, call: Call, since: float) -> None:
        taken = self.talking.keys() | self.wrapping.keys()
        seat = next(seat for seat in range(len(taken) + 1) if seat not in taken)
        self.talking[seat] = since
        self._seats[call.call_id] = seat
        if call.amd == "machine":
            self._machines.add(call.call_id)

    def _say(self, kind: Kind, what: str | int, value: float | None) -> None:
        self.events.append((kind, self.now, what, value))
