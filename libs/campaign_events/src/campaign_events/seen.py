"""What was seen within the last seconds: looked at once a second, however many want to know."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

HOLDS_S = 1.0
ENOUGH_S = 2.0


@dataclass(slots=True)
class Seen[T]:
    """Looks again after a second; who asks meanwhile gets what was seen before, unless it is old.

    So nobody who asks often ever waits for the look. `known` is what is believed before the first.
    """

    look: Callable[[], Awaitable[T]]
    known: T
    _known_at: float = float("-inf")
    _looking: asyncio.Task[T] | None = None

    async def get(self, within_s: float = ENOUGH_S) -> T:
        """Return what was seen at most `within_s` ago, if need be after a look."""
        age = time.monotonic() - self._known_at
        if age > HOLDS_S and self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if age > within_s and self._looking is not None:
            return await asyncio.shield(self._looking)
        return self.known

    async def _look(self) -> T:
        try:
            self.known = await self.look()
            self._known_at = time.monotonic()
            return self.known
        finally:
            self._looking = None
