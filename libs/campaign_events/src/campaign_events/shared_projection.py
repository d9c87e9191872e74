"""A view that several processes of one service read: one of them keeps it, by a lease."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from pymongo.errors import ConnectionFailure

from campaign_events.generation import Fenced
from campaign_events.leases import Lease, held
from campaign_events.projector import Projector

LOOK_S = 0.1

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SharedProjector(Projector):
    """A candidate for keeping the view; until it is its turn it follows how far the view is.

    `moved` is called when somebody else has moved it; `committed` only when this process has.
    """

    owner: str = ""
    moved: Callable[[], None] | None = None

    async def run(self) -> None:
        """Keep the view whenever nobody else does, and know how far it is, for ever."""
        name = f"view-{self.db.name}-{self.projection.id}"
        while True:
            watching = asyncio.create_task(self._watch())
            try:
                async with held(self.nc, name, self.owner) as lease:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
                    await self._keep(lease)
            finally:
                watching.cancel()

    async def _keep(self, lease: Lease) -> None:
        keeping = asyncio.create_task(Projector.run(self))
        losing = asyncio.create_task(lease.lost.wait())
        try:
            await asyncio.wait({keeping, losing}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
        except Fenced as error:
            log.warning("view is kept by another", projection=self.projection.id, why=str(error))
        finally:
            for task in (keeping, losing):
                task.cancel()
            await asyncio.gather(keeping, losing, return_exceptions=True)

    async def _watch(self) -> None:
        """Follow the checkpoint."""
        while True:
            try:
                generation, seq = await self.succession.place()
            except ConnectionFailure as error:
                log.warning("MongoDB is away", projection=self.projection.id, why=repr(error))
                generation, seq = self.view.generation, self.seq
            if (generation, seq) != (self.view.generation, self.seq):
                self.view.generation = generation
                await self._move(seq)
                if self.moved is not None:
                    self.moved()
            await asyncio.sleep(LOOK_S)
