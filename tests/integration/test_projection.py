import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.client import Client
from pymongo import UpdateOne

from campaign_events.entries import Entries
from campaign_events.envelope import Address, Events, Origin, Recorded, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.generation import AheadOfLog, Fenced, Generation
from campaign_events.message import MessagesReported
from campaign_events.projection import Database, Projection, Writes
from campaign_events.projector import Projector


def fold(events: Events) -> Writes:
    delivered: Counter[str] = Counter()
    for recorded in events:
        if isinstance(recorded.event, MessagesReported):
            delivered[recorded.address.thing] += len(recorded.event.delivered)
    return {
        "totals": [
            UpdateOne({"_id": thing}, {"$inc": {"delivered": count}}, upsert=True)
            for thing, count in delivered.items()
        ]
    }


TOTALS = Projection("totals", 1, "MESSAGES", fold, {"totals": ()}, batch=7)


async def report(log: EventLog, address: Address, times: int) -> int:
    origin = Origin(new_id(), datetime.now(UTC), "test")
    event = MessagesReported(link="sim", delivered=(1, 2, 3))
    facts = [Fact(event, address, new_id()) for _ in range(times)]
    return max(await asyncio.gather(*(log.append_fact(fact, origin) for fact in facts)))


async def test_a_view_follows_the_log_and_tells_when_it_is_there(
    nc: Client, log: EventLog, db: Database, workspace: str
) -> None:
    address = Address(workspace, new_id())
    projector = Projector(TOTALS, nc, db)
    running = asyncio.create_task(projector.run())

    seq = await report(log, address, 50)

    assert await projector.reached(seq, 10)
    assert await db["totals.r1"].find_one({"_id": address.thing}) == {
        "_id": address.thing,
        "delivered": 150,
    }
    assert not await projector.reached(seq + 1, 0.05)
    running.cancel()


async def test_a_projector_that_comes_back_counts_nothing_twice(
    nc: Client, log: EventLog, db: Database, workspace: str
) -> None:
    address = Address(workspace, new_id())
    for turn in range(3):
        seq = await report(log, address, 20)
        projector = Projector(TOTALS, nc, db)
        running = asyncio.create_task(projector.run())
        if turn < 2:
            await projector.reached(seq - 10, 10)
        else:
            assert await projector.reached(seq, 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    found = await db["totals.r1"].find_one({"_id": address.thing})
    assert found is not None
    assert found["delivered"] == 180


async def test_the_second_of_two_projectors_is_fenced(
    nc: Client, log: EventLog, db: Database, workspace: str
) -> None:
    address = Address(workspace, new_id())
    first, second = Projector(TOTALS, nc, db), Projector(TOTALS, nc, db)
    tasks = [asyncio.create_task(projector.run()) for projector in (first, second)]
    await first.reached(await log.last_seq("MESSAGES"), 10)

    await report(log, address, 30)
    done, going = await asyncio.wait(tasks, timeout=10, return_when=asyncio.FIRST_COMPLETED)

    assert len(done) == 1
    assert isinstance(done.pop().exception(), Fenced)
    going.pop().cancel()


async def test_a_checkpoint_ahead_of_the_log_stops_the_projector(
    nc: Client, log: EventLog, db: Database
) -> None:
    ahead = await log.last_seq("MESSAGES") + 1
    await db.checkpoints.insert_one({"_id": TOTALS.id, "seq": ahead, "stream": "MESSAGES"})

    with pytest.raises(AheadOfLog, match="carillon restore BACKUP"):
        await Projector(TOTALS, nc, db).run()


async def test_a_view_that_grows_to_an_end_folds_every_event_once(
    nc: Client, log: EventLog, db: Database, workspace: str
) -> None:
    seen: Counter[int] = Counter()

    def noting(events: Events) -> Writes:
        def noted() -> Iterator[Recorded[Any]]:
            for recorded in events:
                seen[recorded.seq] += 1
                yield recorded

        return fold(noted())

    end = await report(log, Address(workspace, new_id()), 40)
    await report(log, Address(workspace, new_id()), 10)
    async with db.client.start_session() as session:
        generation = Generation(replace(TOTALS, fold=noting), 2, nc, db, session)
        await generation.open()
        await generation.follow(_quietly, end=end)

    assert generation.seq == end
    assert {seq: seen[seq] for seq in range(1, end + 1)} == dict.fromkeys(range(1, end + 1), 1)


async def _quietly(_: Entries) -> None:
    return
