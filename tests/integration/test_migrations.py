"""Databases come to the schema that is needed: forwards, once, one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign.migrations import SCHEMA as CAMPAIGN
from campaign_events.envelope import Address
from campaign_events.migrations import FIRST, LockLost, Migration, Schema, SchemaMismatch
from campaign_events.parking import Parking
from campaign_events.projection import Database

AT = datetime(2026, 11, 1, tzinfo=UTC)


def noting(name: str) -> Callable[[Database], Awaitable[None]]:
    """A step that writes down each time that it is run."""

    async def run(db: Database) -> None:
        await db.steps.insert_one({"name": name})
        await asyncio.sleep(0.05)

    return run


SCHEMA = Schema(
    "test", (FIRST, Migration(2, "second", noting("2")), Migration(3, "third", noting("3")))
)


async def steps(db: Database) -> list[str]:
    return [step["name"] async for step in db.steps.find().sort("_id")]


async def test_an_old_database_goes_every_step_once(db: Database) -> None:
    await db.schema.insert_one({"_id": "schema", "version": 1})
    said: list[str] = []
    assert await SCHEMA.migrate(db, said.append) == 2
    assert await SCHEMA.migrate(db, said.append) == 0
    assert await steps(db) == ["2", "3"]
    assert said == ["test: schema 1 to 2, second", "test: schema 2 to 3, third"]
    SCHEMA.check(await SCHEMA.version(db))


async def test_a_database_of_before_schemas_goes_all_of_them(db: Database) -> None:
    await db.contacts.insert_one({"_id": 1})
    await SCHEMA.begin(db)
    assert await SCHEMA.version(db) is None
    assert await SCHEMA.migrate(db, print) == 3


async def test_a_new_database_begins_with_the_newest(db: Database) -> None:
    await SCHEMA.begin(db)
    assert await SCHEMA.version(db) == 3
    assert await SCHEMA.migrate(db, print) == 0


async def test_of_many_who_migrate_at_once_one_does_it(db: Database) -> None:
    done = await asyncio.gather(*(SCHEMA.migrate(db, print) for _ in range(5)))
    assert sorted(done) == [0, 0, 0, 0, 3]
    assert await steps(db) == ["2", "3"]


async def test_where_one_died_the_next_goes_on(db: Database) -> None:
    until = datetime.now(UTC) + timedelta(seconds=1)
    dead = {"owner": "dead", "until": until}
    await db.schema.insert_one({"_id": "schema", "version": 2, "lock": dead})
    assert await SCHEMA.migrate(db, print) == 1
    assert datetime.now(UTC) >= until
    assert await steps(db) == ["3"]
    assert await db.schema.find_one({}) == {"_id": "schema", "version": 3}


async def test_a_step_that_fails_is_done_again_and_lets_go_of_the_lock(db: Database) -> None:
    broken = True

    async def run(db: Database) -> None:
        await noting("2")(db)
        if broken:
            raise RuntimeError("out of order")

    schema = Schema("test", (FIRST, Migration(2, "second", run)))
    with pytest.raises(RuntimeError, match="out of order"):
        await schema.migrate(db, print)
    assert await db.schema.find_one({}) == {"_id": "schema", "version": 1}
    broken = False
    assert await schema.migrate(db, print) == 1


async def test_who_has_lost_the_lock_writes_nothing_down(db: Database) -> None:
    async def run(db: Database) -> None:
        await db.schema.update_one({}, {"$set": {"lock.owner": "somebody else"}})

    with pytest.raises(LockLost):
        await Schema("test", (FIRST, Migration(2, "second", run))).migrate(db, print)
    found = await db.schema.find_one({})
    assert found is not None
    assert (found["version"], found["lock"]["owner"]) == (1, "somebody else")


async def test_the_database_of_a_newer_version_is_left_alone(db: Database) -> None:
    await db.schema.insert_one({"_id": "schema", "version": 4})
    with pytest.raises(SchemaMismatch, match="has schema 4, which a newer version has made"):
        await SCHEMA.migrate(db, print)
    assert await steps(db) == []
    with pytest.raises(SchemaMismatch, match="run `carillon migrate`"):
        SCHEMA.check(2)


async def test_what_was_parked_event_by_event_is_parked_by_campaign(db: Database) -> None:
    def row(seq: int, thing: str, why: str) -> dict[str, Any]:
        place = {"stream": "MESSAGES", "seq": seq, "thing": thing, "error": why, "parked_at": AT}
        subject = f"message.w.{thing}.finished"
        return {"_id": f"r/MESSAGES/{seq}", "reaction": "r", "subject": subject, **place}

    behind = "waits behind a parked event"
    await db.parked.insert_many([row(5, "a", "E"), row(9, "a", behind), row(7, "b", "F")])
    await db.schema.insert_one({"_id": "schema", "version": 1})
    assert await CAMPAIGN.migrate(db, print) == 1
    await CAMPAIGN.migrations[-1].run(db)
    parked = await Parking(db, "r", "reaction").all()
    assert {
        address.thing: (one.seq, one.last, one.waiting, one.error, one.type)
        for address, one in parked.items()
    } == {"a": (5, 9, 1, "E", "message.finished"), "b": (7, 7, 0, "F", "message.finished")}
    assert Address("w", "a") in parked
    assert await db.parked.count_documents({}) == 2
