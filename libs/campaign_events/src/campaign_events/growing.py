"""A generation of a view grows until little is left of the log, and tells how far it is."""

import os
import time
from dataclasses import dataclass, field

from campaign_events.entries import Entries
from campaign_events.eventlog import EventLog
from campaign_events.generation import Generation
from campaign_events.succession import State, Succession

NEAR = 500
"""Entries that are left to whoever changes over."""
TOLD_EVERY_S = 0.5


class Over(Exception):
    """Nobody wants it any more."""


@dataclass(slots=True)
class Progress:
    """Tells how far a generation is: position, target, and entries of the log per second."""

    succession: Succession
    job: str
    generation: Generation
    target: int = 0
    _from: int = 0
    _began: float = field(default_factory=time.monotonic)
    _told: float = float("-inf")

    async def begin(self, target: int) -> None:
        """Note that this process is at it."""
        self._from, self._began = self.generation.seq, time.monotonic()
        self.target = target
        await self.note()

    async def enter(self, state: State) -> None:
        """Note that the job comes to its next part.

        Raises:
            Over: the job was ended by somebody.

        """
        if not await self.succession.note(self.job, state=state):
            raise Over

    async def tell(self, _: Entries) -> None:
        """Note the progress now and then.

        Raises:
            Over: the job was ended by somebody.

        """
        if time.monotonic() - self._told >= TOLD_EVERY_S:
            await self.note()

    async def note(self) -> None:
        """Note the progress.

        Raises:
            Over: the job was ended by somebody.

        """
        self._told, grown = time.monotonic(), self.generation.seq - self._from
        facts = {
            "pid": os.getpid(),
            "position": self.generation.seq,
            "target": self.target,
            "events_per_s": round(grown / max(self._told - self._began, 0.001)),
        }
        if not await self.succession.note(self.job, progress=facts):
            raise Over


async def grow(generation: Generation, log: EventLog, progress: Progress) -> None:
    """Follow the log until little is left."""
    projection = generation.projection
    await generation.open()
    await progress.begin(await log.last_seq(projection.stream, projection.subject))
    while True:
        await generation.follow(progress.tell, end=progress.target)
        await progress.note()
        progress.target = await log.last_seq(projection.stream, projection.subject)
        if progress.target - generation.seq <= NEAR:
            return
