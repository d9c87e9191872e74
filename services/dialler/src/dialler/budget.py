"""What abandoned calls may be spent on: the price of one, and the guard that needs no model."""

import math
from collections import deque
from typing import Protocol

CAUTION = 0.85
"""How much of the people still expected today the guard believes in."""
RESERVE = 1.2
RESERVE_BY_SIZE = 0.7
"""Abandoned calls that are never spent: those in flight may go wrong together."""
EARLY_PEOPLE = 300
EARLY_RESERVE = 2.0
MOST_LOST = 0.55
"""The share of the people in flight beyond the seats who may be lost before anybody notices."""
WIDEST_RATE = 2.5
NARROWEST_RATE = 0.2
MEMORY_LOST = 60.0
MARK_EVERY, RECENT, SHORTEST = 0.01, 0.08, 0.02
PRIOR_LOST = 5.0
PRIOR_PEOPLE = 100.0
FIRST_TRUTH = 1.8
FIRST_USE = 0.5


class Ledger(Protocol):
    """The numbers of the room that the budget is kept from."""

    @property
    def humans(self) -> int: ...  # noqa: D102
    @property
    def abandoned(self) -> int: ...  # noqa: D102
    @property
    def staffed(self) -> int: ...  # noqa: D102
    @property
    def elapsed_frac(self) -> float: ...  # noqa: D102


class Budget:
    """Keeps abandoned ÷ people under `limit` at the end of the shift, and nearly so all day.

    `price` is the risk of being abandoned at which one more call is still worth placing. It is what
    the rest of the day may run at, corrected by how people fared who were dialled at known risks.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.price = limit
        self._keep = 1.0 - max(limit, 1e-3) / MEMORY_LOST
        self._predicted = self._priced = self._lost = 0.0
        self._marks: deque[tuple[float, int]] = deque()
        self._rest = 0.0

    def person(self, risk: float, price: float) -> None:
        """Somebody answered a call that was placed at this predicted risk and price."""
        self._predicted = self._predicted * self._keep + risk
        self._priced = self._priced * self._keep + price
        self._lost *= self._keep

    def lost(self) -> None:
        """Somebody was abandoned."""
        self._lost += 1.0

    def follow(self, ledger: Ledger) -> None:
        """Look at the books: how many more people the shift will bring, as it went, or goes now."""
        share = min(max(ledger.elapsed_frac or 0.0, 0.0), 1.0)
        people, marks = ledger.humans, self._marks
        if marks and not (marks[-1][0] <= share and marks[-1][1] <= people):
            marks.clear()
        if not marks or share - marks[-1][0] >= MARK_EVERY:
            marks.append((share, people))
        while marks[0][0] < share - RECENT:
            marks.popleft()
        pace = people / max(share, SHORTEST)
        first, then = marks[0]
        if share - first >= RECENT / 2:
            pace = min(pace, (people - then) / (share - first))
        self._rest = pace * (1.0 - share)

    def bearable(self, ledger: Ledger) -> float:
        """How many people in flight no free seat may be for, whatever the model says.

        None with the budget spent or too much of it borrowed. Before that, only as many as budget
        and reserve bear when most of them are lost before anybody can notice; what was saved so
        far does not count, for it may be the model's mistake that is still to be found out.
        """
        people, rest = ledger.humans, self._rest
        left = self.limit * (people + CAUTION * rest) - ledger.abandoned - _reserve(ledger)
        early = EARLY_RESERVE * max(1.0 - people / EARLY_PEOPLE, 0.0)
        borrowed = max(ledger.abandoned - self.limit * people, 0.0)
        may_borrow = 2.0 + math.sqrt(self.limit * (people + rest))
        slack = min(left - early, may_borrow - borrowed)
        return (slack + _reserve(ledger)) / MOST_LOST if slack >= 0.0 else 0.0

    def reprice(self, ledger: Ledger) -> None:
        """Set the price so that the account is even again soon, without a jerk."""
        people, rest = ledger.humans, self._rest
        kept = _reserve(ledger) * (0.5 + 0.5 * people / max(people + rest, 1.0))
        spare = self.limit * people - ledger.abandoned - kept
        swing = max(1.8 * math.sqrt(self.limit * (people + rest)), 3.0)
        over = max(min(rest, swing / self.limit), 20.0)
        rate = min(
            max(self.limit + spare / over, NARROWEST_RATE * self.limit), WIDEST_RATE * self.limit
        )
        prior = PRIOR_PEOPLE * self.limit
        truth = (self._lost + FIRST_TRUTH * PRIOR_LOST) / (self._predicted + PRIOR_LOST)
        use = (self._predicted + FIRST_USE * prior) / (self._priced + prior)
        highest = min(0.5, 12.0 * self.limit)
        self.price = min(max(rate / max(truth * use, 1e-6), 0.05 * self.limit), highest)


def _reserve(ledger: Ledger) -> float:
    return max(RESERVE, RESERVE_BY_SIZE * math.sqrt(max(ledger.staffed, 0)))
