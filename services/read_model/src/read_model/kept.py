"""Answers that are read once and held until the view they come from moves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from campaign_events.projector import Projector

MOST = 10_000
"""Answers held at most; beyond that all are let go and read again."""


@dataclass(slots=True)
class Kept[T]:
    """Answers by key, each true for as long as its view stands where it stood.

    An answer may hold more than its place says, never less: the place is noted before it is read.
    """

    projector: Projector
    _held: dict[str, tuple[tuple[int, int, int], T]] = field(default_factory=dict)

    async def get(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; `read` it when there is none or the view has moved since.

        While another process keeps the view it may have moved without our knowing: read it then.
        """
        if self.projector.live is None:
            return await read()
        place = (self.projector.view.generation, self.projector.seq, self.projector.turn)
        held = self._held.get(key)
        if held is not None and held[0] == place:
            return held[1]
        answer = await read()
        if len(self._held) >= MOST:
            self._held.clear()
        self._held[key] = place, answer
        return answer
