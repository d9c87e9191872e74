"""The loop that keeps a view, and changes over to another generation of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client
from prometheus_client import Counter, Gauge
from pymongo.asynchronous.client_session import AsyncClientSession

from campaign_events.entries import Entries, Heading
from campaign_events.generation import Generation
from campaign_events.projection import Database, Heard, Projection, View
from campaign_events.succession import Stand, Succession

EVENTS = Counter("carillon_projection_events", "Events folded into a view", ["projection"])
POSITION = Gauge(
    "carillon_projection_position_entries",
    "Sequence of the last entry that the view holds",
    ["projection"],
)


@dataclass(slots=True)
class Projector:
    """Follows the log for one projection and tells how far it has come."""

    projection: Projection
    nc: Client
    db: Database
    committed: Heard | None = None

    seq: int = 0
    turn: int = 0
    """Grows when the view changes while it stays where it is."""
    view: View = field(init=False)
    """Where readers look."""
    succession: Succession = field(init=False)
    live: Generation | None = None
    """What this process keeps; None while it does not."""
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _wanted: int | None = None
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.view = View(self.projection, self.db)
        self.succession = Succession(self.db, self.projection)

    @property
    def pending(self) -> int:
        """How many events this process has yet to fold."""
        return 0 if self.live is None else self.live.pending

    async def prepare(self) -> None:
        """Have readers look where they shall, before the first of them comes."""
        self.view.generation = (await self.succession.standing()).live

    async def run(self) -> None:
        """Fold and commit for ever.

        Raises:
            Fenced, AheadOfLog: this process must not go on.

        """
        async with self.db.client.start_session() as session:
            await self.prepare()
            live = self._generation(self.view.generation, session)
            await live.open()
            await self._move(live.seq)
            self.live = live
            await self._opened()
            try:
                while True:
                    await self.live.follow(self._told, stop=self._stirred)
                    await self._change_over(self.live, session)
            finally:
                leaving, self.live = self.live, None
                await leaving.close()

    async def switch(self, generation: int) -> None:
        """Have readers see another generation; they do when this returns.

        It catches up with the live one first, so what is read is never older than before. It must
        be near the end of the log: the live one stands still until it is there.
        """
        self._wanted = generation
        self._stirred.set()
        async with self._moved:
            await self._moved.wait_for(lambda: self.view.generation == generation)

    async def see(self, stand: Stand) -> None:
        """Be told where MongoDB says that the view stands; who alone keeps it knows."""

    async def came_in(self, events: Sequence[Heading]) -> None:
        """Tell of events that were parked and are in the view now."""
        self.turn += 1
        if self.committed is not None:
            await self.committed(events)

    async def reached(self, seq: int, within_s: float) -> bool:
        """Wait until the view holds the entry `seq` of its stream; False when it takes longer."""
        async with self._moved:
            try:
                await asyncio.wait_for(self._moved.wait_for(lambda: self.seq >= seq), within_s)
            except TimeoutError:
                return False
            return True

    async def _change_over(self, live: Generation, session: AsyncClientSession) -> None:
        """Go on with the wanted generation from the very place where the live one stands.

        So every event is told once, and at no moment do readers see less.
        """
        self._stirred.clear()
        wanted = self._wanted
        if wanted is None or wanted == live.number:
            self._wanted = None
            return
        successor = self._generation(wanted, session)
        try:
            await successor.open()
            await live.follow(self._told, end=successor.seq)
            await successor.follow(_tell_nobody, end=live.seq)
            await self.succession.switched(live.number, wanted)
        except BaseException:
            self._stirred.set()  # whoever runs this next goes on with it
            await successor.close()
            raise
        if self._wanted == wanted:
            self._wanted = None
        self.live = successor
        self.view.generation = wanted
        await self._move(successor.seq)
        await live.close()

    def _generation(self, number: int, session: AsyncClientSession) -> Generation:
        return Generation(self.projection, number, self.nc, self.db, session)

    async def _told(self, batch: Entries) -> None:
        EVENTS.labels(self.projection.name).inc(len(batch))
        await self._move(batch.last_seq)
        if self.committed is not None:
            await self.committed(batch.stored)

    async def _opened(self) -> None:
        """Be told that this process keeps the view from now on."""

    async def _move(self, seq: int) -> None:
        POSITION.labels(self.projection.name).set(seq)
        self.seq = seq
        async with self._moved:
            self._moved.notify_all()


async def _tell_nobody(_: Entries) -> None:
    """Say nothing: these events have been told when the live generation held them."""
