"""Answers that are read once for all who ask, and held until a view they come from moves."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

from campaign_events.projector import Projector

MOST = 1_000
"""Answers held at most; beyond that all are let go and read again."""
MANY = 2
"""Where so many asked between two moves of a view, somebody will soon ask after the next."""

type Place = tuple[Hashable, ...]


@dataclass(slots=True)
class _Known[T]:
    """What was read last under one key, from where, and who reads again once that is done."""

    place: Place | None = None
    """Where all views stood when the reading began; None when it holds for nobody else."""
    reading: asyncio.Task[T] | None = None
    next: asyncio.Task[T] | None = None
    asked: int = 0
    """How often, since `is_wanted` was asked last."""


@dataclass(slots=True)
class Kept[T]:
    """Answers by key, each true for as long as its views stand where they stood.

    An answer may hold more than its place says, never less: the place is noted before it is read.
    """

    projectors: Sequence[Projector]
    _known: dict[str, _Known[T]] = field(default_factory=dict)

    async def get(self, key: str, read: Callable[[], Awaitable[T]], moment: Hashable = None) -> T:
        """Return the answer; `read` it when there is none, a view has moved, or `moment` is over.

        While another process keeps a view it may have moved without our knowing: read it then.
        Whoever asks before a reading begins shares what it finds, and so does who asks while it
        goes on, for as long as no view moves.
        """
        known = self._of(key)
        known.asked += 1
        place = self._place(moment)
        if known.reading is not None and place is not None and place == known.place:
            return await asyncio.shield(known.reading)
        if known.next is None:
            known.next = asyncio.create_task(self._read(known, read, moment))
        return await asyncio.shield(known.next)

    def is_wanted(self, key: str) -> bool:
        """Tell, after a move, whether so many asked before it that reading ahead is no waste."""
        known = self._known.get(key)
        if known is None:
            return False
        asked, known.asked = known.asked, 0
        return asked >= MANY

    async def _read(
        self, known: _Known[T], read: Callable[[], Awaitable[T]], moment: Hashable
    ) -> T:
        if known.reading is not None:
            await asyncio.wait({known.reading})
        known.reading, known.next = known.next, None
        known.place = self._place(moment)
        try:
            return await read()
        except BaseException:
            known.place = None
            raise

    def _of(self, key: str) -> _Known[T]:
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[key] = _Known()
        return known

    def _place(self, moment: Hashable) -> Place | None:
        """Return where all views stand; None when another process keeps one of them."""
        if any(projector.live is None for projector in self.projectors):
            return None
        stands = ((one.view.generation, one.seq, one.turn) for one in self.projectors)
        return (moment, *stands)
