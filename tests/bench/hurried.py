"""The room at a high time scale: everything is faster but the dialler, which decides in turns.

So its decisions are late and come in bunches, and people hang up long before `max_wait` is over. A
pacer can not know; the limit on abandoned calls must hold all the same.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.room import Day, Pacer, Room

PATIENCE_CV = 0.5
FOR_EVER_H = 1000.0


@dataclass(frozen=True, slots=True)
class Hurry:
    """How much faster the world is than the dialler, and how many contacts there are."""

    scale: float
    contacts: int
    turn_s: float = 0.05
    patience_s: float = 20.0


class HurriedRoom(Room):
    """Lasts until every contact was called once."""

    def __init__(self, seats: int, answers: float, hurry: Hurry, pacer: Pacer, seed: int) -> None:
        super().__init__(Day(seats, answers, hours=FOR_EVER_H), pacer, seed)
        self._hurry = hurry
        self._next_turn = 0.0

    @property
    def elapsed_frac(self) -> float:
        return min(self.dialled / self._hurry.contacts, 1.0)

    def call_everybody(self) -> float:
        """Return the share of people who were abandoned."""
        for seat in range(self._day.seats):
            self._login(seat)
        self._at(0.0, self._tick)
        while self.dialled < self._hurry.contacts or self.dialling or self.amd or self.waiting:
            moment, _, action, details = heapq.heappop(self._agenda)
            self._pass(moment)
            action(*details)
            self._decide()
        return self.abandoned / self.humans

    def _at(self, moment: float, action: Callable[..., None], *details: Any) -> None:
        after = (moment - self.now) / self._hurry.scale
        if action == self._tick:
            after = self._hurry.turn_s
        elif action == self._give_up:
            patience = self._gamma(self._hurry.patience_s, PATIENCE_CV) / self._hurry.scale
            after = min(moment - self.now, patience)
        super()._at(self.now + after, action, *details)

    def _decide(self) -> None:
        if self.now < self._next_turn:
            return
        self._next_turn = self.now + self._hurry.turn_s
        wanted = self._pacer.calls_to_place(self.now, self)
        for _ in range(min(wanted, self._hurry.contacts - self.dialled)):
            self._dial()
