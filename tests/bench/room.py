"""A room of seats and the telephone network around it, simulated event by event.

A dial takes U(1,4) s to reach the network. A person then answers after gamma(8 s, cv .65); of all
others 35 % are machines (a quarter at once, the rest after about 20 s), 15 % fail, half ring out
after 25 s. Detection says who it is after U(1,2.5) s. A person waits `max_wait` for a seat and is
abandoned then. Talk is lognormal (120 s, cv .9), wrap-up gamma (20 s, cv .5). The shift begins
cold, with every seat free. In the memoryless variant all of these are exponential.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import Any, Protocol

HOUR = 3600.0
TICK_S = 1.0
RING_OUT_S = 25.0
MACHINE_ON_SEAT_S = 12.0

type Event = tuple[str, float, Any, float | None]
type Curve = Callable[[float], float]


class Pacer(Protocol):
    def on_event(self, event: Event) -> None: ...

    def calls_to_place(self, now: float, room: Any) -> int: ...


@dataclass(frozen=True, slots=True)
class Day:
    """What a shift is like; curves take the second of the shift."""

    seats: int
    answers: float = 0.3
    factor: Curve = lambda _: 1.0
    talk_s: Curve = lambda _: 120.0
    wrap_s: float = 20.0
    hours: float = 8.0
    target: float = 0.03
    max_wait: float = 2.0
    amd_on: bool = True
    memoryless: bool = False
    breaks: bool = False
    constant_talk: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    occupancy: float
    abandonment: float
    humans: int
    decision_us: float
    worst_hour: float


class Room:
    """The room as the pacer sees it, and the events that move it."""

    def __init__(self, day: Day, pacer: Pacer, seed: int) -> None:
        self._day, self._pacer = day, pacer
        self._dice = random.Random(seed)
        self._agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self._free: deque[int] = deque()
        self._leaving: set[int] = set()
        self._away: set[int] = set()
        self._busy_s = self._staffed_s = 0.0
        self._decisions, self._deciding_s = 0, 0.0
        self._hours: list[tuple[int, int]] = []
        self._persons: set[int] = set()
        self.now = 0.0
        self.talking: dict[int, float] = {}
        self.wrapping: dict[int, float] = {}
        self.dialling: dict[int, float] = {}
        self.amd: dict[int, tuple[float, float]] = {}
        self.waiting: dict[int, float] = {}
        self.dialled = self.answered = self.humans = self.connected = 0
        self.abandoned = self.machines = self.failed = self.noanswer = 0
        self.target, self.max_wait = day.target, day.max_wait
        self.lines, self.amd_on = 20 * day.seats, day.amd_on

    @property
    def idle(self) -> int:
        return len(self._free)

    @property
    def staffed(self) -> int:
        return self._day.seats - len(self._away)

    @property
    def elapsed_frac(self) -> float:
        return self.now / (self._day.hours * HOUR)

    def run(self) -> Outcome:
        day = self._day
        for seat in range(day.seats):
            self._login(seat)
        self._at(TICK_S, self._tick)
        if day.breaks:
            for hour in range(int(day.hours)):
                self._at(hour * HOUR + HOUR / 2, self._break, day.seats // 3)
        for hour in range(1, math.ceil(day.hours) + 1):
            self._at(hour * HOUR, self._close_hour)
        end = day.hours * HOUR
        while self._agenda and self._agenda[0][0] <= end:
            moment, _, action, details = heapq.heappop(self._agenda)
            self._pass(moment)
            action(*details)
            self._decide()
        rates = [
            (gone - before_gone) / max(people - before, 1)
            for (before_gone, before), (gone, people) in zip(
                [(0, 0), *self._hours], self._hours, strict=False
            )
        ]
        return Outcome(
            occupancy=self._busy_s / max(self._staffed_s, 1.0),
            abandonment=self.abandoned / max(self.humans, 1),
            humans=self.humans,
            decision_us=1e6 * self._deciding_s / max(self._decisions, 1),
            worst_hour=max(rates, default=0.0),
        )

    def _pass(self, moment: float) -> None:
        passed = moment - self.now
        self._busy_s += passed * (len(self.talking) + len(self.wrapping))
        self._staffed_s += passed * self.staffed
        self.now = moment

    def _at(self, moment: float, action: Callable[..., None], *details: Any) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (moment, self._order, action, details))

    def _say(self, kind: str, thing: int, value: float | None = None) -> None:
        self._pacer.on_event((kind, self.now, thing, value))

    def _decide(self) -> None:
        while True:
            before = process_time()
            count = self._pacer.calls_to_place(self.now, self)
            self._deciding_s += process_time() - before
            self._decisions += 1
            if count <= 0:
                return
            for _ in range(count):
                self._dial()

    def _tick(self) -> None:
        self._at(self.now + TICK_S, self._tick)

    def _close_hour(self) -> None:
        self._hours.append((self.abandoned, self.humans))

    def _gamma(self, mean: float, cv: float) -> float:
        if self._day.memoryless:
            return self._dice.expovariate(1 / mean)
        return self._dice.gammavariate(1 / cv**2, mean * cv**2)

    def _dial(self) -> None:
        self.dialled += 1
        call = self.dialled
        self.dialling[call] = self.now
        self._say("DIALLED", call)
        dice, day = self._dice, self._day
        reach = 0.0 if day.memoryless else dice.uniform(1, 4)
        if dice.random() < min(day.answers * day.factor(self.now), 0.95):
            ring = self._gamma(12.0 if day.memoryless else 8.0, 0.65)
            self._at(self.now + reach + ring, self._answer, call, True)
            return
        fate = dice.random()
        if fate < 0.35:
            ring = dice.uniform(0, 1) if dice.random() < 0.25 else max(dice.gauss(20, 1), 1.0)
            self._at(self.now + reach + ring, self._answer, call, False)
        elif fate < 0.5:
            self._at(self.now + reach + dice.uniform(0, 1), self._end, call, "FAILED")
        else:
            self._at(self.now + reach + RING_OUT_S, self._end, call, "NOANSWER")

    def _end(self, call: int, kind: str) -> None:
        since = self.dialling.pop(call)
        if kind == "FAILED":
            self.failed += 1
        else:
            self.noanswer += 1
        self._say(kind, call, self.now - since)

    def _answer(self, call: int, person: bool) -> None:
        since = self.dialling.pop(call)
        self.answered += 1
        if self._day.amd_on and not self._day.memoryless:
            self.amd[call] = (since, self.now)
            self._at(self.now + self._dice.uniform(1, 2.5), self._verdict, call, person)
        self._say("ANSWERED", call, self.now - since)
        if call not in self.amd:
            self._verdict(call, person)

    def _verdict(self, call: int, person: bool) -> None:
        detected = self.amd.pop(call, None) is not None or self._day.memoryless
        if person:
            self.humans += 1
            self._persons.add(call)
            self._say("HUMAN", call)
        elif detected:
            self.machines += 1
            self._say("MACHINE", call)
            return
        if self._free:
            self._connect(call, self._free.popleft())
        else:
            self.waiting[call] = self.now
            self._at(self.now + self.max_wait, self._give_up, call)

    def _give_up(self, call: int) -> None:
        since = self.waiting.pop(call, None)
        if since is not None and call in self._persons:
            self.abandoned += 1
            self._persons.discard(call)
            self._say("ABANDONED", call, self.now - since)

    def _connect(self, call: int, seat: int) -> None:
        self.connected += 1
        self.talking[seat] = self.now
        self._say("CONNECTED", call)
        if call not in self._persons:
            self._at(self.now + MACHINE_ON_SEAT_S, self._talked, seat, "MACHINE_END")
            return
        self._persons.discard(call)
        mean = self._day.talk_s(self.now)
        if self._day.memoryless:
            talk = self._dice.expovariate(1 / mean)
        elif self._day.constant_talk:
            talk = mean
        else:
            spread = math.sqrt(math.log(1 + 0.9**2))
            talk = self._dice.lognormvariate(math.log(mean) - spread**2 / 2, spread)
        self._at(self.now + talk, self._talked, seat, "TALK_END")

    def _talked(self, seat: int, kind: str) -> None:
        since = self.talking.pop(seat)
        self._say(kind, seat, self.now - since)
        if kind == "MACHINE_END" or self._day.wrap_s == 0:
            self._ready(seat, 0.0)
            return
        self.wrapping[seat] = self.now
        wrap = self._gamma(self._day.wrap_s, 0.5)
        self._at(self.now + wrap, self._wrapped, seat)

    def _wrapped(self, seat: int) -> None:
        since = self.wrapping.pop(seat)
        self._ready(seat, self.now - since)

    def _ready(self, seat: int, wrapped_s: float | None) -> None:
        if seat in self._leaving:
            self._logout(seat)
            return
        self._say("READY", seat, wrapped_s)
        if self.waiting:
            call = next(iter(self.waiting))
            del self.waiting[call]
            self._connect(call, seat)
        else:
            self._free.append(seat)

    def _login(self, seat: int) -> None:
        self._away.discard(seat)
        self._ready(seat, None)

    def _logout(self, seat: int) -> None:
        self._leaving.discard(seat)
        self._away.add(seat)
        self._say("LOGOUT", seat)
        self._at(self.now + 600.0, self._login, seat)

    def _break(self, count: int) -> None:
        """A third of the room goes for ten minutes, everybody when the call in hand is done."""
        here = [seat for seat in range(self._day.seats) if seat not in self._away]
        for seat in self._dice.sample(here, min(count, len(here))):
            if seat in self._free:
                self._free.remove(seat)
                self._logout(seat)
            else:
                self._leaving.add(seat)
