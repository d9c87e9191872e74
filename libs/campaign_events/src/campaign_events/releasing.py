"""What was parked is offered again: the event that failed first, then those behind it, in order."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Protocol

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from campaign_events.decider import Conflict
from campaign_events.digestion import digest
from campaign_events.envelope import Batch, Recorded
from campaign_events.eventlog import EventLog
from campaign_events.generation import Generation
from campaign_events.parking import Indigestible, Parked, Parking, covers
from campaign_events.projector import Projector

TRIES = 20
RETRY_S = 0.05


class Reader(Protocol):
    """What parks events, and can be offered them again: a projection or a reaction."""

    @property
    def parking(self) -> Parking:
        """What it could not digest."""

    def wants(self, recorded: Recorded[Any]) -> bool:
        """Tell whether an event of a parked thing would reach this reader at all."""

    async def digest(
        self, parked: Parked, events: Batch, *, drop: bool
    ) -> tuple[int, Parked | None]:
        """Deal with the first of these events; return with how many, and what is parked then.

        With `drop` the very first is passed over. At least one is dealt with.

        Raises:
            Indigestible: the first is as bad as before; nothing has changed.
            Conflict: somebody else is at it.

        """


@dataclass(frozen=True, slots=True)
class Released:
    """How many events were dealt with, and what is parked now; `failed`: it has been tried."""

    done: int
    left: Parked | None
    failed: bool = False


async def release(
    reader: Reader, log: EventLog, parked: Parked, *, drop: bool = False, within_s: float = 10.0
) -> Released:
    """Offer a reader again what is parked of one thing, until it is free or fails again.

    With `drop` the event that failed is left out for good. What takes longer than `within_s` stays
    parked, in order: ask again. A failure of the first event changes nothing but its count.

    Raises:
        Conflict: somebody else is at it.
        PyMongoError, ReadFailed: MongoDB or the log is away; ask again.

    """
    done, give_up, left = 0, time.monotonic() + within_s, parked
    while True:
        events = await _next(reader, log, left)
        if not events:
            return Released(done, await _settled(reader.parking, left, None))
        try:
            number, following = await reader.digest(left, events, drop=drop)
        except Indigestible as error:
            failed = left.failed(events[0], error)
            return Released(done, await _settled(reader.parking, left, failed), failed=True)
        done, drop = done + number, False
        if following is None or time.monotonic() > give_up:
            return Released(done, following)
        left = following


async def _next(reader: Reader, log: EventLog, parked: Parked) -> Batch:
    """Return the first event and some hundred of those that wait behind it, in order."""
    after = parked.seq - 1
    while events := await log.load_some(parked.stream, parked.address.everything, after=after):
        if wanted := [one for one in events if one.seq <= parked.last and reader.wants(one)]:
            return wanted
        after = events[-1].seq
    return ()


async def _settled(parking: Parking, seen: Parked, after: Parked | None) -> Parked | None:
    """Put down how it ended; what came meanwhile waits as before."""
    for _ in range(TRIES):
        fresh = await current(parking, seen)
        following = None if after is None else after.with_those_of(fresh)
        if await parking.settle(fresh, following):
            return following
    raise Conflict(f"{seen.id} changes faster than it can be worked off")


async def current(
    parking: Parking, seen: Parked, session: AsyncClientSession | None = None
) -> Parked:
    """Return what is parked of the thing at this moment.

    Raises:
        Conflict: somebody else has dealt with its first event.

    """
    fresh = await parking.find(seen.address, session)
    if fresh is None or fresh.seq != seen.seq:
        raise Conflict(f"{seen.id} is dealt with by somebody else")
    return fresh


@dataclass(frozen=True, slots=True)
class ParkedByView:
    """A projection as a reader of what it has parked."""

    projector: Projector

    @property
    def parking(self) -> Parking:
        """What the live generation could not digest."""
        projection = self.projector.projection
        live = projection.checkpoint(self.projector.view.generation)
        return Parking(self.projector.db, live, "projection", projection.id)

    def wants(self, recorded: Recorded[Any]) -> bool:
        """Tell whether the projection follows such events."""
        return covers((self.projector.projection.subject,), recorded)

    async def digest(
        self, parked: Parked, events: Batch, *, drop: bool
    ) -> tuple[int, Parked | None]:
        """Fold and commit as many of them as go together, in one transaction."""
        number = len(events)
        while True:
            try:
                left = await self._committed(parked, events[:number], drop=drop)
            except Indigestible:
                if number == 1:
                    raise
                number //= 2
            else:
                await self.projector.came_in(events[:number])
                return number, left

    async def _committed(self, parked: Parked, events: Batch, *, drop: bool) -> Parked | None:
        one = self.projector
        async with one.db.client.start_session() as session:
            live = Generation(one.projection, one.view.generation, one.nc, one.db, session)
            found = digest(one.projection.fold, events[drop:])
            for _ in range(TRIES):
                await live.look()
                try:
                    async with await session.start_transaction():
                        fresh = await current(self.parking, parked, session)
                        left = fresh.without(events)
                        if await live.advance(found):
                            if drop:
                                await self.parking.drop(fresh, session)
                            await self.parking.settle(fresh, left, session)
                            return left
                        await session.abort_transaction()
                except PyMongoError as error:
                    if not error.has_error_label("TransientTransactionError"):
                        raise
                await asyncio.sleep(RETRY_S)
        raise Conflict(f"{parked.id} changes faster than it can be worked off")
