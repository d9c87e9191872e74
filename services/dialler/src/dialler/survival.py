"""How long things last: spells on a seat, and calls until somebody answers.

Spells are product-limit estimates (Kaplan and Meier, 1958) that forget slowly. Those that still run
count as long as they have lasted: finished spells alone show only the short ones while a shift
starts, and whoever believes them over-dials badly.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

GRID_S = 0.5
RING_SLOTS = 160
TOO_HEAVY = 1e6


def _edges(last: int) -> tuple[int, ...]:
    edges = [0, 1]
    while edges[-1] < last:
        edges.append(max(edges[-1] + 1, int(edges[-1] * 1.15)))
    return tuple(edges)


class Spells:
    """The length of spells (talk, wrap-up) as a hazard per slice of elapsed time.

    A slice that has seen little borrows from the overall hazard: `PULL` spells' worth.
    """

    EDGES: Sequence[int] = _edges(1200)
    LONGEST: int = EDGES[-1]
    PULL = 1.5
    PRIOR = 2.0

    def __init__(self, mean_s: float, memory: float) -> None:
        self._mean_s, self._growth, self._weight = mean_s, 1.0 + 1.0 / memory, 1.0
        self._ended = [0.0] * len(self.EDGES)
        self._partial = [0.0] * len(self.EDGES)
        self._tail = 1.0 / mean_s
        self._outlasts = [math.exp(-second / mean_s) for second in range(self.LONGEST + 1)]

    def finished(self, seconds: float) -> None:
        """Count one spell that ended."""
        slot = bisect_right(self.EDGES, seconds) - 1
        self._weight *= self._growth
        self._ended[slot] += self._weight
        self._partial[slot] += self._weight * (seconds - self.EDGES[slot])
        if self._weight > TOO_HEAVY:
            self._ended = [value / self._weight for value in self._ended]
            self._partial = [value / self._weight for value in self._partial]
            self._weight = 1.0

    def learn(self, running: Iterable[float]) -> None:
        """Estimate again from the spells that ended and those that still run."""
        edges = self.EDGES
        ended = [value / self._weight for value in self._ended]
        exposure = self._exposure(ended, [max(seconds, 0.0) for seconds in running])
        overall = (sum(ended) + self.PRIOR) / (sum(exposure) + self.PRIOR * self._mean_s)
        alive, outlasts = 1.0, [1.0]
        for slot in range(len(edges) - 1):
            hazard = (ended[slot] + self.PULL) / (exposure[slot] + self.PULL / overall)
            keep = math.exp(-hazard)
            for _ in range(edges[slot + 1] - edges[slot]):
                alive *= keep
                outlasts.append(alive)
        self._outlasts, self._tail = outlasts, overall

    def _exposure(self, ended: Sequence[float], running: Iterable[float]) -> list[float]:
        """The time that spells spent in each slice."""
        edges = self.EDGES
        stopped = list(ended)
        exposure = [value / self._weight for value in self._partial]
        for seconds in running:
            slot = bisect_right(edges, seconds) - 1
            stopped[slot] += 1.0
            exposure[slot] += seconds - edges[slot]
        reaching = stopped[-1]
        for slot in range(len(edges) - 2, -1, -1):
            exposure[slot] += reaching * (edges[slot + 1] - edges[slot])
            reaching += stopped[slot]
        return exposure

    def outlasts(self, seconds: float) -> float:
        """The probability that a spell lasts longer than `seconds`."""
        slot = int(seconds)
        if slot >= self.LONGEST:
            return max(self._outlasts[-1] * math.exp((self.LONGEST - seconds) * self._tail), 1e-300)
        low = self._outlasts[slot]
        return max(low + (seconds - slot) * (self._outlasts[slot + 1] - low), 1e-300)

    def ends_within(self, elapsed: float, seconds: float) -> float:
        """The probability that a spell that has lasted `elapsed` ends in the next `seconds`."""
        return 1.0 - self.outlasts(elapsed + seconds) / self.outlasts(elapsed)


def freed_within(talk: Spells, wrapped: Sequence[float], elapsed: float, seconds: float) -> float:
    """The probability that a talk that has lasted `elapsed` ends, and its wrap-up too.

    `wrapped` is the probability that a wrap-up is over in what is left after each step.
    """
    step = seconds / len(wrapped)
    before = start = talk.outlasts(elapsed)
    total = 0.0
    for index, over in enumerate(wrapped, 1):
        after = talk.outlasts(elapsed + index * step)
        total += (before - after) * over
        before = after
    return total / start


class Rings:
    """When, after the dial, one kind of end comes: half seconds, counted with a fading memory."""

    def __init__(self, first_s: float, last_s: float, memory: float, prior: float) -> None:
        self._growth, self._weight = 1.0 + 1.0 / memory, 1.0
        first, last = int(first_s / GRID_S), int(last_s / GRID_S)
        share = prior / (last - first)
        self._counts = [share if first <= slot < last else 0.0 for slot in range(RING_SLOTS)]

    def seen(self, seconds: float) -> None:
        """Count one end that came `seconds` after the dial."""
        self._weight *= self._growth
        self._counts[min(int(seconds / GRID_S), RING_SLOTS - 1)] += self._weight
        if self._weight > TOO_HEAVY:
            self._counts = [value / self._weight for value in self._counts]
            self._weight = 1.0

    def shares(self) -> list[float]:
        """The share of ends in each half second."""
        total = sum(self._counts)
        return [value / total for value in self._counts]


class AnswerRate:
    """The share of dials that become people: a slow average, and a fast one when the day turns."""

    SLOW = 800.0
    FAST = 120.0
    PRIOR = 20.0

    def __init__(self) -> None:
        self._seen = self.PRIOR
        self._slow = self._fast = 0.5

    def seen(self, *, person: bool) -> None:
        """Count how one dial ended."""
        self._seen += 1.0
        self._slow += (person - self._slow) / min(self._seen, self.SLOW)
        self._fast += (person - self._fast) / min(self._seen, self.FAST)

    def value(self) -> float:
        """The slow average, or the fast one as far as chance does not explain the gap."""
        spread = math.sqrt(max(self._slow * (1.0 - self._slow), 1e-4) / (2.0 * self.FAST))
        doubt = min(max((abs(self._fast - self._slow) / spread - 1.5) / 1.5, 0.0), 1.0)
        return min(max(self._slow + doubt * (self._fast - self._slow), 0.005), 0.995)
