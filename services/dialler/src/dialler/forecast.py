"""What the room will look like when a call that is placed now is answered.

A forecast learns from what ended, and turns it every few seconds into tables by elapsed time, one
per horizon, so that a decision only looks up: will this seat be free by then, will this call have
become a person by then. Horizons are quantiles of the time from dial to person.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import Any, Protocol

from dialler.shortage import ExactShortage, NormalShortage
from dialler.survival import GRID_S, RING_SLOTS, AnswerRate, Rings, Spells, freed_within

QUANTILES = (0.04, 0.2, 0.45, 0.7, 0.92)
WEIGHTS = (0.1, 0.23, 0.25, 0.25, 0.17)
LEARN_EVERY_S = 10.0
LEARN_LATEST_S = 30.0
LEARN_FROM_DIALS = 25
EXACT_UP_TO = 24
NEARLY_ALL = 0.995
OVER = 1e-4
STEPS = 6
TALK_SLOT_S, TALK_SLOTS = 2.0, 600
WRAP_SLOT_S, WRAP_SLOTS = 1.0, 300

type Shortage = ExactShortage | NormalShortage


class Seats(Protocol):
    """What a forecast looks at in the room."""

    @property
    def talking(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def wrapping(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def dialling(self) -> Mapping[Any, float]: ...  # noqa: D102
    @property
    def amd(self) -> Mapping[Any, tuple[float, float]]: ...  # noqa: D102
    @property
    def max_wait(self) -> float: ...  # noqa: D102
    @property
    def amd_on(self) -> bool: ...  # noqa: D102


class Forecast:
    """Learns a room, and says how short of seats it may be. Priors under-dial until it has."""

    def __init__(self) -> None:
        self._talk = Spells(150.0, memory=600)
        self._wrap = Spells(30.0, memory=400)
        self._rate = AnswerRate()
        self._person = Rings(3.0, 20.0, memory=1500, prior=8)
        self._machine = Rings(1.0, 28.0, memory=1500, prior=4)
        self._other = Rings(2.0, 28.0, memory=1500, prior=8)
        self._machine_share = 0.2
        self._verdict_s = 2.0
        self._stay = 1.0
        self._patience_s = math.inf
        self._learnt = -math.inf
        self._news = 0

    def person(self, rang_s: float | None, total_s: float) -> None:
        """A person answered after `rang_s`; detection said so `total_s` after the dial."""
        if rang_s is None:
            rang_s = max(total_s - self._verdict_s, 0.0)
        else:
            self._verdict_s += 0.02 * (min(total_s - rang_s, 20.0) - self._verdict_s)
        self._person.seen(rang_s)
        self._rate.seen(person=True)
        self._news += 1
        self._machine_share += 0.003 * (0.0 - self._machine_share)

    def nobody(self, rang_s: float, *, machine: bool) -> None:
        """A dial ended without a person; its ringing lasted `rang_s`."""
        self._other.seen(rang_s)
        if machine:
            self._machine.seen(rang_s)
        self._rate.seen(person=False)
        self._news += 1
        self._machine_share += 0.003 * (machine - self._machine_share)

    def gave_up(self, waited_s: float | None) -> None:
        """Somebody was abandoned; people may hang up before we let them wait no longer."""
        if waited_s is not None:
            known = waited_s if self._patience_s == math.inf else self._patience_s
            self._patience_s = known + 0.1 * (waited_s - known)

    @property
    def answers(self) -> float:
        """The share of dials that become people."""
        return self._rate.value()

    @property
    def people_among_answers(self) -> float:
        """The share of the answers that are people's."""
        return self.answers / (self.answers + self._machine_share)

    def talked(self, seconds: float) -> None:
        """A seat's talk ended."""
        self._talk.finished(seconds)

    def wrapped(self, seconds: float) -> None:
        """A seat finished its wrap-up."""
        self._wrap.finished(seconds)

    def after_talk(self, *, stays: bool) -> None:
        """A seat became free after a talk, or left."""
        self._stay += 0.05 * (stays - self._stay)

    def refresh(self, now: float, room: Seats) -> bool:
        """Learn again if it is time; say whether it was."""
        enough = self._news >= LEARN_FROM_DIALS
        if 0.0 <= now - self._learnt < (LEARN_EVERY_S if enough else LEARN_LATEST_S):
            return False
        self._learnt, self._news = now, 0
        self._talk.learn([now - since for since in room.talking.values()])
        self._wrap.learn([now - since for since in room.wrapping.values()])
        self._tabulate(
            min(room.max_wait or 0.0, self._patience_s), self._verdict_s if room.amd_on else 0.0
        )
        return True

    def _tabulate(self, max_wait: float, verdict_s: float) -> None:
        rate = self._rate.value()
        persons = self._person.shares()
        answered = [0.0, *accumulate(persons)]
        gone = [0.0, *accumulate(self._other.shares())]
        self._person_at = _blame(persons, rate, self._machine.shares(), self._machine_share)
        self._becomes, self._each, self._talk_frees, self._wrap_frees = [], [], [], []
        for quantile in QUANTILES:
            rings = _quantile(answered, quantile)
            self._each.append(rate * quantile)
            self._becomes.append(_becomes(rate, answered, gone, rings))
            horizon = rings * GRID_S + verdict_s + max_wait
            left = [horizon * (STEPS - step - 0.5) / STEPS for step in range(STEPS)]
            wrapped = [self._wrap.ends_within(0.0, seconds) for seconds in left]
            talk = [freed_within(self._talk, wrapped, node, horizon) for node in TALK_GRID.nodes]
            self._talk_frees.append(TALK_GRID.fill(talk))
            wrap = [self._wrap.ends_within(node, horizon) for node in WRAP_GRID.nodes]
            self._wrap_frees.append(WRAP_GRID.fill(wrap))

    def shortages(self, now: float, room: Seats, idle: int) -> list[Shortage]:
        """What one more person would find at each horizon; `idle` is net of those who wait."""
        talks = _slots(room.talking.values(), now, TALK_SLOT_S, TALK_SLOTS)
        wraps = _slots(room.wrapping.values(), now, WRAP_SLOT_S, WRAP_SLOTS)
        rings = _slots(room.dialling.values(), now, GRID_S, RING_SLOTS)
        screened = [
            self._person_at[min(max(int((answered - dialled) / GRID_S), 0), RING_SLOTS - 1)]
            for dialled, answered in room.amd.values()
        ]
        exact = len(wraps) + len(rings) + len(screened) <= EXACT_UP_TO
        shortages: list[Shortage] = []
        for index, each in enumerate(self._each):
            frees, becomes = self._talk_frees[index], self._becomes[index]
            talking = [frees[slot] for slot in talks]
            frees = self._wrap_frees[index]
            wrapping = [frees[slot] for slot in wraps]
            if self._stay < NEARLY_ALL:
                talking = [self._stay * chance for chance in talking]
                wrapping = [self._stay * chance for chance in wrapping]
            others = [becomes[slot] for slot in rings] + screened
            shortages.append(
                ExactShortage(idle, talking, wrapping, others, each)
                if exact
                else NormalShortage(idle, talking, wrapping, others, each)
            )
        return shortages


class Grid:
    """Elapsed times: few nodes to compute at, ever wider, and the slots between them."""

    def __init__(self, slot_s: float, slots: int) -> None:
        self.nodes = [0.0]
        while self.nodes[-1] <= slot_s * slots:
            self.nodes.append(max(self.nodes[-1] + 2.0, self.nodes[-1] * 1.12))
        self._between: list[tuple[int, float]] = []
        node = 0
        for slot in range(slots):
            middle = (slot + 0.5) * slot_s
            while self.nodes[node + 1] <= middle:
                node += 1
            width = self.nodes[node + 1] - self.nodes[node]
            self._between.append((node, (middle - self.nodes[node]) / width))

    def fill(self, values: Sequence[float]) -> list[float]:
        """The values at the slots, between those at the nodes."""
        return [
            values[node] + share * (values[node + 1] - values[node])
            for node, share in self._between
        ]


TALK_GRID = Grid(TALK_SLOT_S, TALK_SLOTS)
WRAP_GRID = Grid(WRAP_SLOT_S, WRAP_SLOTS)


def _slots(since: Collection[float], now: float, width: float, count: int) -> list[int]:
    """The slot of each elapsed time; what lasts longer stays in the last one."""
    last = count - 1
    slots = [min(int((now - moment) / width), last) for moment in since]
    if slots and min(slots) < 0:
        return [max(slot, 0) for slot in slots]
    return slots


def _quantile(sums: Sequence[float], share: float) -> float:
    """Where on the grid the cumulative shares reach `share`."""
    slot = next((index for index, value in enumerate(sums) if value >= share), len(sums) - 1)
    low = sums[slot - 1]
    return slot - 1 + (share - low) / max(sums[slot] - low, 1e-9)


def _becomes(
    rate: float, answered: Sequence[float], gone: Sequence[float], ahead: float
) -> list[float]:
    """By age of a ringing call: the probability that a person answers within `ahead`."""
    chances, whole = [], int(ahead)
    share = ahead - whole
    last = len(answered) - 1
    for age in range(last):
        low = 0.5 * (answered[age] + answered[age + 1])
        near, far = min(age + whole, last), min(age + whole + 1, last)
        further = min(age + whole + 2, last)
        begin = 0.5 * (answered[near] + answered[far])
        end = 0.5 * (answered[far] + answered[further])
        alive = rate * (1.0 - low) + (1.0 - rate) * (1.0 - 0.5 * (gone[age] + gone[age + 1]))
        soon = rate * (begin + share * (end - begin) - low)
        chances.append(min(max(soon / alive, 0.0), 1.0) if alive > OVER else 0.0)
    return chances


def _blame(
    persons: Sequence[float], rate: float, machines: Sequence[float], machine_rate: float
) -> list[float]:
    """By ring time of an answered call: the probability that it is a person."""
    chances = []
    for slot in range(len(persons)):
        near = slice(max(slot - 1, 0), slot + 2)
        person = rate * (sum(persons[near]) + 0.002)
        machine = machine_rate * (sum(machines[near]) + 0.002)
        chances.append(person / (person + machine))
    return chances
