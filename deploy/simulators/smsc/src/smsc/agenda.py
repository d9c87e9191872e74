"""Work that is due later: whatever falls due in the same moment is one slot of a wheel.

A moment is a whole number of milliseconds, for the loop's timers know nothing finer. An item lies
in the first moment at or after its time, so nothing is handed over early.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil
from time import monotonic


class Agenda[T]:
    """Hands over items when their time has come, moment by moment.

    Moments lie `grain_ms` apart: the longer, the more is handed over together.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, due: Callable[[list[T]], None], grain_ms: int = 1
    ) -> None:
        self._loop = loop
        self._due = due
        self._grain_ms = grain_ms
        self._slots: dict[int, list[T]] = {}
        self._moments: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def put(self, at: float, item: T) -> None:
        """Hand `item` over at this time of `monotonic`."""
        moment = ceil(at * 1000 / self._grain_ms)
        slot = self._slots.get(moment)
        if slot is not None:
            slot.append(item)
            return
        self._slots[moment] = [item]
        heappush(self._moments, moment)
        if moment == self._moments[0]:
            self._wind()

    def close(self) -> None:
        """Hand nothing over any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._slots.clear()
        self._moments.clear()

    def catch_up(self) -> None:
        """Hand over now what is due: the timer may be behind that of another agenda."""
        now = int(monotonic() * 1000 / self._grain_ms)
        moments = self._moments
        ready: list[T] = []
        while moments and moments[0] <= now:
            ready += self._slots.pop(heappop(moments))
        if ready:
            self._due(ready)

    def _wind(self) -> None:
        """Ring at the first moment: counted from a whole millisecond, as the loop counts."""
        if self._timer is not None:
            self._timer.cancel()
        wait_ms = self._moments[0] * self._grain_ms - int(monotonic() * 1000)
        self._timer = self._loop.call_later(max(0.0, wait_ms / 1000), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.catch_up()
        if self._moments and self._timer is None:
            self._wind()
