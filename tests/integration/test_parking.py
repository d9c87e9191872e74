"""What can not be digested is parked: its thing waits, everything else goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from pymongo import InsertOne, UpdateOne

from campaign_events.envelope import Address, Events, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import MessagesReported
from campaign_events.parking import Parked, Parking
from campaign_events.projection import Database, Projection, Writes
from campaign_events.projector import Projector
from campaign_events.releasing import ParkedByView, Released, release

WITHIN_S = 10


class Poison(Exception):
    """What the fold makes of numbers that it does not like."""


@dataclass
class Fold:
    """Keeps the numbers of each thing in order; chokes on some of them."""

    poisonous: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def __call__(self, events: Events) -> Writes:
        writes: list[Any] = []
        for recorded in events:
            match recorded.event:
                case MessagesReported(delivered=(number,)):
                    if number in self.poisonous:
                        raise Poison(f"{number} of +44 7700 900123")
                    name = {"_id": recorded.address.thing}
                    writes.append(UpdateOne(name, {"$push": {"seen": number}}, upsert=True))
                    if number in self.refused:
                        writes += [InsertOne({"_id": recorded.seq})] * 2
                case _:
                    pass
        return {"seen": writes}


def projection(fold: Fold) -> Projection:
    return Projection("seen", 1, "MESSAGES", fold, {"seen": ()}, batch=7)


async def say(log: EventLog, address: Address, *numbers: int) -> int:
    """Say numbers in this order; return the place of the last."""
    origin = Origin(new_id(), datetime.now(UTC), "test")
    seq = 0
    for number in numbers:
        event = MessagesReported(link="sim", delivered=(number,))
        seq = await log.append_fact(Fact(event, address, new_id()), origin)
    return seq


@asynccontextmanager
async def projected(projector: Projector) -> AsyncIterator[Projector]:
    running = asyncio.create_task(projector.run())
    try:
        yield projector
    finally:
        running.cancel()
        ended = (await asyncio.gather(running, return_exceptions=True))[0]
        assert isinstance(ended, asyncio.CancelledError), ended


async def seen(db: Database, address: Address) -> Sequence[int]:
    found = await db["seen.r1"].find_one({"_id": address.thing})
    return [] if found is None else found["seen"]


@pytest.fixture
def bad(workspace: str) -> Address:
    return Address(workspace, new_id())


@pytest.fixture
def good(workspace: str) -> Address:
    return Address(workspace, new_id())


@pytest.mark.parametrize("how", ["poisonous", "refused"])
async def test_what_a_view_can_not_digest_is_parked_and_the_rest_goes_on(  # noqa: PLR0917
    nc: Client, log: EventLog, db: Database, bad: Address, good: Address, how: str
) -> None:
    fold = Fold(**{how: {3}})
    poison = await say(log, bad, 1, 2, 3)
    await say(log, good, 1, 2)
    await say(log, bad, 4)
    await say(log, good, 4, 5, 6, 7, 8, 9)
    async with projected(Projector(projection(fold), nc, db)) as projector:
        assert await projector.reached(await say(log, good, 10), WITHIN_S)
        last = await say(log, bad, 5)
        assert await projector.reached(last, WITHIN_S)

    assert await seen(db, bad) == [1, 2]
    assert await seen(db, good) == [1, 2, *range(4, 11)]
    parked = await Parking(db, "seen.r1", "projection").find(bad)
    assert parked is not None
    assert (parked.seq, parked.last, parked.waiting, parked.tries) == (poison, last, 2, 1)
    assert parked.type == "message.reported"
    assert parked.error.startswith(
        "Poison: 3 of …" if how == "poisonous" else "write refused: 11000"
    )
    assert "900123" not in parked.error + parked.trace


@pytest.mark.parametrize("how", ["poisonous", "refused"])
async def test_what_was_folded_ahead_waits_too_behind_what_was_parked_meanwhile(  # noqa: PLR0917
    nc: Client, log: EventLog, db: Database, bad: Address, good: Address, how: str
) -> None:
    numbers = range(1, 41)
    for number in numbers:
        await say(log, bad, number)
        last = await say(log, good, number + 100)

    async with projected(Projector(projection(Fold(**{how: {3}})), nc, db)) as projector:
        assert await projector.reached(last, WITHIN_S)

    assert await seen(db, bad) == [1, 2]
    assert await seen(db, good) == [number + 100 for number in numbers]
    parked = await Parking(db, "seen.r1", "projection").find(bad)
    assert parked is not None
    assert parked.waiting == len(numbers) - 3


async def test_entries_that_nobody_can_read_are_parked(
    nc: Client, log: EventLog, db: Database, bad: Address, good: Address
) -> None:
    await say(log, bad, 1)
    subject = f"message.{bad.workspace}.{bad.thing}.reported"
    placed = await nc.jetstream().publish(subject, b'{"phone": "+447700900123"')
    await say(log, bad, 2)
    async with projected(Projector(projection(Fold()), nc, db)) as projector:
        assert await projector.reached(await say(log, good, 1), WITHIN_S)

    assert (await seen(db, bad), await seen(db, good)) == ([1], [1])
    parked = await Parking(db, "seen.r1", "projection").find(bad)
    assert parked is not None
    assert (parked.seq, parked.waiting, parked.type) == (placed.seq, 1, "message.reported")
    assert "900123" not in parked.error


async def test_types_from_the_future_are_skipped_and_counted(
    nc: Client, log: EventLog, db: Database, bad: Address
) -> None:
    await say(log, bad, 1)
    entry = {"id": "x", "source": "test", "time": "2026-11-22T09:00:00Z", "data": {}}
    entry |= {"type": "message.teleported", "subject": bad.thing, "workspace": bad.workspace}
    await nc.jetstream().publish(
        f"message.{bad.workspace}.{bad.thing}.teleported", orjson.dumps(entry)
    )
    async with projected(Projector(projection(Fold()), nc, db)) as projector:
        assert await projector.reached(await say(log, bad, 2), WITHIN_S)

    assert await seen(db, bad) == [1, 2]
    checkpoint = await db.checkpoints.find_one({"_id": "seen.r1"})
    assert checkpoint is not None
    assert checkpoint["unknown"] == {"message": {"teleported": 1}}


async def parked(projector: Projector, thing: Address) -> Parked:
    found = await ParkedByView(projector).parking.find(thing)
    assert found is not None
    return found


async def released(
    projector: Projector, log: EventLog, thing: Address, *, drop: bool = False
) -> Released:
    return await release(ParkedByView(projector), log, await parked(projector, thing), drop=drop)


async def test_after_a_repair_what_was_parked_comes_in_in_order(
    nc: Client, log: EventLog, db: Database, bad: Address, good: Address
) -> None:
    fold = Fold(poisonous={3, 1500})
    await say(log, bad, 1, 2, 3, *range(4, 30))
    async with projected(Projector(projection(fold), nc, db)) as projector:
        last = await say(log, bad, 1500, 31)
        assert await projector.reached(await say(log, good, 1), WITHIN_S)
        before = await parked(projector, bad)

        vain = await released(projector, log, bad)
        assert (vain.failed, vain.done) == (True, 0)
        after = await parked(projector, bad)
        assert (after.seq, after.last, after.waiting) == (before.seq, last, before.waiting)
        assert (after.tries, after.first_at) == (2, before.first_at)
        assert await seen(db, bad) == [1, 2]

        fold.poisonous = {1500}
        half = await released(projector, log, bad)
        assert (half.failed, half.done) == (True, 27)
        assert half.left is not None
        assert (half.left.waiting, half.left.tries) == (1, 1)
        assert await seen(db, bad) == list(range(1, 30))
        assert await projector.reached(await say(log, bad, 32), WITHIN_S)
        assert await seen(db, bad) == list(range(1, 30)), "it waits behind the other one"

        fold.poisonous = set()
        assert await released(projector, log, bad) == Released(3, None)
        assert await projector.reached(await say(log, bad, 33), WITHIN_S)
    assert await seen(db, bad) == [*range(1, 30), 1500, 31, 32, 33]
    assert projector.turn > 1, "readers who hold answers see that the view has changed"


async def test_dropping_skips_the_poison_and_works_off_what_waited(
    nc: Client, log: EventLog, db: Database, bad: Address, good: Address
) -> None:
    await say(log, bad, 1, 2, 3, 4, 5)
    async with projected(Projector(projection(Fold(refused={2, 4})), nc, db)) as projector:
        assert await projector.reached(await say(log, good, 1), WITHIN_S)
        first = await released(projector, log, bad, drop=True)
        assert (first.done, first.failed) == (2, True)
        assert await seen(db, bad) == [1, 3]
        assert (await released(projector, log, bad, drop=True)).left is None
        assert await projector.reached(await say(log, bad, 6), WITHIN_S)
    assert await seen(db, bad) == [1, 3, 5, 6]
    assert await ParkedByView(projector).parking.find(bad) is None
    await db.checkpoints.delete_one({"_id": "seen.r1"})
    await db["seen.r1"].drop()
    async with projected(Projector(projection(Fold(refused={2, 4})), nc, db)) as projector:
        assert await projector.reached(await say(log, good, 2), WITHIN_S)
    assert await seen(db, bad) == [1, 3, 5, 6], "another generation passes over the same"


async def test_events_that_come_while_it_is_released_stay_in_order(
    nc: Client, log: EventLog, db: Database, bad: Address
) -> None:
    fold = Fold(poisonous={1})
    async with projected(Projector(projection(fold), nc, db)) as projector:
        assert await projector.reached(await say(log, bad, *range(1, 60)), WITHIN_S)
        fold.poisonous = set()
        saying = asyncio.create_task(say(log, bad, *range(60, 400)))
        while (await released(projector, log, bad)).left is not None:
            pass
        assert await projector.reached(await saying, WITHIN_S)
    assert await seen(db, bad) == list(range(1, 400))


async def test_of_two_who_release_the_same_each_event_comes_in_once(
    nc: Client, log: EventLog, db: Database, bad: Address
) -> None:
    fold = Fold(poisonous={1})
    async with projected(Projector(projection(fold), nc, db)) as projector:
        assert await projector.reached(await say(log, bad, *range(1, 560)), WITHIN_S * 2)
        fold.poisonous = set()
        ended = await asyncio.gather(
            *(released(projector, log, bad) for _ in range(2)), return_exceptions=True
        )
    assert await seen(db, bad) == list(range(1, 560))
    assert any(isinstance(one, Released) and one.left is None for one in ended), ended
