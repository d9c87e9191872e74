"""Dials per second: never more than the limit within any second. No I/O."""

from collections import deque


class Rate:
    """Remembers the dials of the last moments."""

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s
        self._dials: deque[float] = deque()

    @property
    def _at_once(self) -> int:
        return max(int(self.per_s), 1)

    @property
    def _within_s(self) -> float:
        return self._at_once / self.per_s

    def room(self, now: float) -> int:
        """Return how many calls may be placed now."""
        while self._dials and self._dials[0] <= now - self._within_s:
            self._dials.popleft()
        return max(self._at_once - len(self._dials), 0)

    def spend(self, count: int, now: float) -> None:
        """Take note of calls that are placed now."""
        self._dials.extend([now] * count)

    def wait_s(self, now: float) -> float:
        """Return how long it takes until the next call may be placed."""
        return 0.0 if self.room(now) else self._dials[0] + self._within_s - now
