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
from campaign_events.succession import Stand

AGAIN_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SharedProjector(Projector):
    """A candidate for keeping the view; until it is its turn it is told how far the view is.

    `moved` is called when somebody else has moved it; `committed` only when this process has.
    """

    owner: str = ""
    moved: Callable[[], None] | None = None
    _released: int | None = None
    _keeps: bool = False

    async def run(self) -> None:
        """Keep the view whenever nobody else does, for ever.

        Raises:
            AheadOfLog: this process must not go on.

        """
        name = f"{self.db.name}.view-{self.projection.id}"
        while True:
            async with held(self.nc, name, self.owner) as lease:
                self._keeps = True
                try:
                    await self._keep(lease)
                finally:
                    self._keeps = False
            await asyncio.sleep(AGAIN_S)

    async def _keep(self, lease: Lease) -> None:
        tasks = (
            asyncio.create_task(Projector.run(self)),
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

    async def see(self, stand: Stand) -> None:
        """Follow a view that another process keeps; of one's own hear what others have released."""
        generation, seq = stand.standing.live, stand.seq
        released = stand.released != self._released
        moves = not self._keeps and (generation, seq) != (self.view.generation, self.seq)
        if released:
            self.turn += 1
            self._released = stand.released
        if moves:
            self.view.generation = generation
            await self._move(seq)
        if self.moved is not None and (moves or released):
            self.moved()
