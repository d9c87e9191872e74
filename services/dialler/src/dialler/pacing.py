"""How many calls to place now, so that seats stay busy and nearly nobody is abandoned.

`ProgressivePacer` places one call per free seat. `PredictivePacer` also places calls for seats that
will be free when somebody answers. Both are fed `(kind, time, id, value)` events and asked with the
room as it is. They read no clock and throw no dice: the same events give the same decisions.

The rule. One more call is placed while the risk that its person finds no seat is at most a price.

1. *Forecast* (`dialler.forecast`). From each seat's own elapsed talk or wrap-up, the probability
   that it is free when the call is answered plus the time a person waits; from each call's own
   elapsed ring, the probability that its person comes first. Talk and wrap-up are Kaplan-Meier
   estimates over finished and running spells. An answer that is still screened counts by how
   likely a person answers after such a ring.
2. *Risk* (`dialler.shortage`). P(people before this one >= seats), averaged over five quantiles of
   the time from dial to person; an exact convolution in small rooms, a skewed normal in large ones.
3. *Price* (`dialler.budget`). What the abandon limit leaves for the rest of the shift, divided by
   what the price has turned out to cost: abandoned over predicted, and predicted over price.
4. *Guard*. Before 20 people have answered, with the budget spent, or with more borrowed from the
   rest of the shift than its size allows, the room is progressive: then nobody is abandoned,
   whatever the model believes. Before that, no more people may be in flight than the budget bears
   if most of them are lost before the first loss is heard of (`Budget.bearable`), so that a
   mistake that is found out late stays small. Over-dialling never goes below progressive either.

Assumed: calls are answered independently, seats are alike, a shift ends (`elapsed_frac`) and goes
on as it began; what breaks this moves the price, and in the end the guard. A person waits
`max_wait`, or as long as people turned out to wait, first come, first served. Without detection
every answered call takes a seat. When seats leave instead of becoming free (breaks), the others are
believed to stay less, for some minutes. Lines are the caller's to limit: placing fewer calls than
asked for is always safe.

Sources: Samuelson, Predictive Dialing for Outbound Telephone Call Centers, Interfaces 29(5), 1999;
Korolev, Anisimov and Ristock, SpringSim BIS 2008 (small rooms); US 5,640,445 (seats weighted by
time in state); US 8,345,856 (empirical ring and handling times); Kaplan and Meier, JASA 53, 1958.
The price is the multiplier of the abandon constraint of a constrained Markov decision process.
"""

import math
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Protocol

from dialler.budget import Budget
from dialler.forecast import WEIGHTS, Forecast

KINDS = (
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
)
FIRST_PEOPLE = 20
FORGOTTEN_S = 600.0
MOST_PER_SEAT = 3

type Event = tuple[Any, float, Hashable, float | None]


class Room(Protocol):
    """The room as it is now; where it disagrees with the events, it is right."""

    @property
    def idle(self) -> int | Sized: ...  # noqa: D102
    @property
    def talking(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def wrapping(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def dialling(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def amd(self) -> Mapping[Any, tuple[float, float]]: ...  # noqa: D102
    @property
    def waiting(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def staffed(self) -> int: ...  # noqa: D102
    @property
    def humans(self) -> int: ...  # noqa: D102
    @property
    def abandoned(self) -> int: ...  # noqa: D102
    @property
    def target(self) -> float | None: ...  # noqa: D102
    @property
    def max_wait(self) -> float: ...  # noqa: D102
    @property
    def elapsed_frac(self) -> float: ...  # noqa: D102
    @property
    def amd_on(self) -> bool: ...  # noqa: D102


class ProgressivePacer:
    """One call in flight per free seat, never more."""

    def __init__(self, target: float = 0.0) -> None:
        self.target = target

    def on_event(self, event: Event) -> None:
        """Nothing to learn: the room says it all."""

    def calls_to_place(self, now: float, room: Room) -> int:  # noqa: ARG002 - the pacers' interface
        """The free seats that no call in flight is for."""
        return max(_idle(room) - _in_flight(room), 0)


@dataclass(slots=True)
class _Call:
    dialled: float
    risk: float
    price: float
    rang_s: float | None = None
    takes_seat: bool = False


class PredictivePacer:
    """Calls for seats that will be free, as many as the limit on abandoned calls can pay for."""

    def __init__(self, target: float = 0.03) -> None:
        self.target = target
        self._budget = Budget(target)
        self._forecast = Forecast()
        self._calls: dict[Hashable, _Call] = {}
        self._talked: set[Hashable] = set()
        self._placed: deque[tuple[float, float]] = deque()
        self._decided = (-math.inf, 0, 0)
        self._amd_on = True
        self._heard: dict[Any, Callable[[float, Hashable, float | None], None]] = {}
        for number, kind in enumerate(KINDS):
            hear = getattr(self, f"_{kind.lower()}")
            self._heard |= {kind: hear, kind.lower(): hear, number: hear}

    @property
    def price(self) -> float:
        """The risk at which one more call is still worth placing (theta)."""
        return self._budget.price

    def on_event(self, event: Event) -> None:
        """Learn from one event; kinds by name, by enum member, or by place in `KINDS`."""
        kind, time, thing, value = event
        hear = self._heard.get(getattr(kind, "name", kind))
        if hear is None:
            return
        if value is not None and not 0.0 <= value < math.inf:
            value = None
        hear(time, thing, value)

    def calls_to_place(self, now: float, room: Room) -> int:
        """How many calls to place in this moment."""
        flying = len(room.dialling) + len(room.amd)
        moment, flew, count = self._decided
        if moment == now and flew <= flying <= flew + count:
            return count - (flying - flew)
        self._amd_on = bool(room.amd_on)
        count = self._decide(now, room)
        self._decided = (now, flying, count)
        return count

    def _decide(self, now: float, room: Room) -> int:
        idle = _idle(room) - len(room.waiting)
        floor = max(idle - len(room.dialling) - len(room.amd), 0)
        self._placed.clear()
        limit = self.target if room.target is None else min(self.target, room.target)
        if limit <= 0.0 or room.humans < FIRST_PEOPLE:
            return floor
        self._budget.limit = limit
        self._budget.follow(room)
        self._budget.reprice(room)
        most = min(self._most(room, idle), floor + MOST_PER_SEAT * max(room.staffed, 1))
        if most <= floor:
            return floor
        if self._forecast.refresh(now, room):
            self._forget(now, room)
        return self._plan(now, room, idle, floor, most)

    def _most(self, room: Room, idle: int) -> int:
        """How many calls the budget can bear, should the forecast be wrong."""
        bearable = self._budget.bearable(room)
        if bearable <= 0.0:
            return 0
        screened = len(room.amd) * self._forecast.people_among_answers
        return int((idle + bearable - screened) / self._forecast.answers) - len(room.dialling)

    def _plan(self, now: float, room: Room, idle: int, floor: int, most: int) -> int:
        price = self._budget.price
        horizons = self._forecast.shortages(now, room, idle)
        for count in range(most):
            risk = sum([w * horizon.risk() for w, horizon in zip(WEIGHTS, horizons, strict=True)])
            if count >= floor and risk > price:
                return count
            self._placed.append((min(risk, price), price))
            for horizon in horizons:
                horizon.add()
        return len(self._placed)

    def _forget(self, now: float, room: Room) -> None:
        """Drop calls whose end was never heard."""
        self._calls = {
            thing: call
            for thing, call in self._calls.items()
            if thing in room.dialling
            or thing in room.amd
            or thing in room.waiting
            or abs(now - call.dialled) < FORGOTTEN_S
        }

    def _dialled(self, time: float, call: Hashable, _: float | None) -> None:
        risk, price = self._placed.popleft() if self._placed else (0.0, self._budget.price)
        self._calls.setdefault(call, _Call(time, risk, price))

    def _answered(self, time: float, thing: Hashable, value: float | None) -> None:
        self._stir()
        call = self._calls.get(thing)
        if call is not None and call.rang_s is None:
            call.rang_s = max(time - call.dialled, 0.0) if value is None else value
            if not self._amd_on:
                self._took_seat(time, call)

    def _human(self, time: float, thing: Hashable, _: float | None) -> None:
        self._stir()
        call = self._calls.get(thing)
        if call is not None and not call.takes_seat:
            self._took_seat(time, call)

    def _took_seat(self, time: float, call: _Call) -> None:
        call.takes_seat = True
        self._forecast.person(call.rang_s, max(time - call.dialled, 0.0))
        self._budget.person(call.risk, call.price)

    def _machine(self, time: float, thing: Hashable, _: float | None) -> None:
        self._nobody(time, thing, machine=True)

    def _failed(self, time: float, thing: Hashable, _: float | None) -> None:
        self._nobody(time, thing, machine=False)

    _noanswer = _failed

    def _nobody(self, time: float, thing: Hashable, *, machine: bool) -> None:
        self._stir()
        call = self._calls.pop(thing, None)
        if call is not None and not call.takes_seat:
            rang_s = max(time - call.dialled, 0.0) if call.rang_s is None else call.rang_s
            self._forecast.nobody(rang_s, machine=machine)

    def _connected(self, _time: float, thing: Hashable, _: float | None) -> None:
        self._stir()
        self._calls.pop(thing, None)

    def _abandoned(self, _time: float, thing: Hashable, waited: float | None) -> None:
        self._stir()
        if self._calls.pop(thing, None) is not None:
            self._budget.lost()
            self._forecast.gave_up(waited)

    def _talk_end(self, _time: float, seat: Hashable, value: float | None) -> None:
        self._stir()
        if value is not None:
            self._talked.add(seat)
            self._forecast.talked(value)

    _machine_end = _talk_end

    def _ready(self, _time: float, seat: Hashable, value: float | None) -> None:
        self._stir()
        if value is not None:
            self._forecast.wrapped(value)
        self._free_again(seat, stays=True)

    def _logout(self, _time: float, seat: Hashable, _: float | None) -> None:
        self._stir()
        self._free_again(seat, stays=False)

    def _free_again(self, seat: Hashable, *, stays: bool) -> None:
        if seat in self._talked:
            self._talked.discard(seat)
            self._forecast.after_talk(stays=stays)

    def _stir(self) -> None:
        """Whatever was decided in this moment is decided again."""
        self._decided = (-math.inf, 0, 0)


def _idle(room: Room) -> int:
    idle = room.idle
    return idle if isinstance(idle, int) else len(idle)


def _in_flight(room: Room) -> int:
    return len(room.dialling) + len(room.amd) + len(room.waiting)
