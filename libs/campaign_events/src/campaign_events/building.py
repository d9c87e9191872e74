"""A process of its own that grows a generation of a view, so that the live one keeps its pace.

`python -m campaign_events.building` takes its order from standard input; only the service that
keeps the view starts it, and it ends with that service. Killed, it goes on from its checkpoint.
"""

import asyncio
import os
import pickle
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import uvloop

from campaign_events.generation import Generation
from campaign_events.growing import Over, Progress, grow
from campaign_events.projection import Projection
from campaign_events.service import Resources, connected
from campaign_events.settings import Settings
from campaign_events.succession import SCRATCH, Succession
from campaign_events.verifying import Verification

NICER = 10
"""What serves people goes first."""
SIZE = 8
"""Bytes that tell how long the order is."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to grow, for which job, and where."""

    service: str
    settings: Settings
    database: str
    projection: Projection
    job: str
    number: int

    @property
    def packed(self) -> bytes:
        """The order as its process reads it."""
        content = pickle.dumps(self)
        return len(content).to_bytes(SIZE) + content


async def obey(order: Order, resources: Resources) -> None:
    """Do what was ordered, unless nobody wants it any more."""
    db = resources.mongo[order.database]
    succession = Succession(db, order.projection)
    async with db.client.start_session() as session:
        generation = Generation(order.projection, order.number, resources.nc, db, session)
        progress = Progress(succession, order.job, generation)
        try:
            await progress.enter("growing")
            if order.number == SCRATCH:
                await _verify(Verification(succession, generation), progress)
            else:
                await grow(generation, resources.log, progress)
        except Over:
            return


async def _verify(verification: Verification, progress: Progress) -> None:
    """Fold the whole log, compare, and write down what was found."""
    scratch = progress.generation
    await progress.begin(await verification.prepare())
    await scratch.follow(progress.tell, end=progress.target)
    await progress.note()
    await progress.enter("comparing")
    found = await verification.compare(progress.tell)
    await scratch.db.verifications.replace_one(
        {"_id": scratch.projection.id},
        {"job": progress.job, "at": datetime.now(UTC), **asdict(found)},
        upsert=True,
    )


async def main() -> None:
    """Read the order and obey; end early when whoever gave it is gone."""
    size = int.from_bytes(sys.stdin.buffer.read(SIZE))
    order: Order = pickle.loads(sys.stdin.buffer.read(size))  # noqa: S301 - from who started us
    async with connected(f"{order.service}-builder", order.settings) as resources:
        tasks = [asyncio.create_task(obey(order, resources)), asyncio.create_task(_orphaned())]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _orphaned() -> None:
    """Return when the other end of standard input is closed."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    os.nice(NICER)
    uvloop.run(main())
