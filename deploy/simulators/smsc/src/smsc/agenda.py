"""Work that is due later: one heap and one timer, however much there is."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

_GRAIN: Final = 0.001
"""Work that is due within the same millisecond is done together."""


class Agenda[T]:
    """Hands over items when their time has come, in the order of their times."""

    def __init__(self, loop: asyncio.AbstractEventLoop, due: Callable[[list[T]], None]) -> None:
        self._loop = loop
        self._due = due
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, after: float, item: T) -> None:
        """Hand `item` over `after` seconds from now."""
        when = self._loop.time() + after
        self._count += 1
        heappush(self._heap, (when, self._count, item))
        if self._timer is None or when < self._rings - _GRAIN:
            self._wind()

    def close(self) -> None:
        """Hand nothing over any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._heap.clear()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = max(self._heap[0][0], self._loop.time() + _GRAIN)
        self._timer = self._loop.call_at(self._rings, self._ring)

    def catch_up(self) -> None:
        """Hand over now what is due: the timer may be behind that of another agenda."""
        if self._timer is not None:
            self._timer.cancel()
        self._ring()

    def _ring(self) -> None:
        self._timer = None
        until = self._loop.time() + _GRAIN
        heap = self._heap
        ready: list[T] = []
        while heap and heap[0][0] <= until:
            ready.append(heappop(heap)[2])
        if heap:
            self._wind()
        if ready:
            self._due(ready)
