"""A view that several processes of one service read: one of them keeps it, by a lease."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from pymongo.errors import PyMongoError

from campaign_events.generation import Fenced
from campaign_events.leases import Lease, held
from campaign_events.parking import AWAY, is_away
from campaign_events.projector import Projector

LOOK_S = 0.25
RELEASED_LOOK_S = 1.0
AGAIN_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SharedProjector(Projector):
    """A candidate for keeping the view; until it is its turn it follows how far the view is.

    `moved` is called when somebody else has moved it; `committed` only when this process has.
    """

    owner: str = ""
    moved: Callable[[], None] | None = None
    _released: int | None = None

    async def run(self) -> None:
        """Keep the view whenever nobody else does, and know how far it is, for ever.

        Raises:
            AheadOfLog: this process must not go on.

        """
        name = f"{self.db.name}.view-{self.projection.id}"
        while True:
            watching = asyncio.create_task(self._watch())
            try:
                async with held(self.nc, name, self.owner) as lease:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
                    await self._keep(lease)
            finally:
                watching.cancel()
            await asyncio.sleep(AGAIN_S)

    async def _keep(self, lease: Lease) -> None:
        tasks = (
            asyncio.create_task(Projector.run(self)),
            asyncio.create_task(self._hear_of_releases()),
            asyncio.create_task(lease.lost.wait()),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except Fenced as error:
            log.warning("view is kept by another", projection=self.projection.id, why=str(error))
        except (PyMongoError, *AWAY) as error:
            if not is_away(error):
                raise
            log.warning("view is let go", projection=self.projection.id, why=repr(error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _opened(self) -> None:
        """What the one before has committed last was told to nobody here."""
        if self.moved is not None:
            self.moved()

    async def _watch(self) -> None:
        """Follow the checkpoint."""
        while True:
            try:
                generation, seq, released = await self.succession.stand()
            except PyMongoError as error:
                if not is_away(error):
                    raise
                log.warning("MongoDB is away", projection=self.projection.id, why=repr(error))
            else:
                if (generation, seq) != (self.view.generation, self.seq):
                    self.view.generation = generation
                    await self._move(seq)
                    self._tell_moved(released)
                elif released != self._released:
                    self._tell_moved(released)
            await asyncio.sleep(LOOK_S)

    async def _hear_of_releases(self) -> None:
        """Hear of events that were parked and came in at the hand of another process."""
        while True:
            await asyncio.sleep(RELEASED_LOOK_S)
            try:
                _, _, released = await self.succession.stand()
            except PyMongoError as error:
                if not is_away(error):
                    raise
                continue
            if released != self._released:
                self._tell_moved(released)

    def _tell_moved(self, released: int | None) -> None:
        if released != self._released:
            self.turn += 1
        self._released = released
        if self.moved is not None:
            self.moved()
