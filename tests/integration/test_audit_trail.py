"""Where audit records go: MongoDB, else the file, and from there in again, in order and once."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from pymongo import AsyncMongoClient

from campaign_events import audit_store
from campaign_events.audit import Record, Resource
from campaign_events.audit_file import FallbackFile
from campaign_events.audit_retention import Retention
from campaign_events.audit_trail import Trail
from campaign_events.campaign import SETTINGS, SettingsChanged, WorkspaceSettings
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.projection import Database
from doors import at_work
from mongods import Mongod

pytestmark = pytest.mark.timeout(90)
ANN = Actor(id="ann", name="Ann")
ANSWER_S = 1.0
RETURN_S = 5.0
KEPT_DAYS = 120
"""As somebody who runs it has set it for all workspaces that say nothing."""


def record(number: int = 0, **changed: Any) -> Record:
    known: dict[str, Any] = {
        "id": new_id(),
        "at": datetime.now(UTC),
        "workspace": "demo",
        "actor": ANN,
        "action": "campaign.paused",
        "resource": Resource("campaign", "c1"),
        "outcome": "done",
        "after": {"number": number},
    }
    return Record(**(known | changed))


@dataclass
class World:
    """A service's pen, a mongod that may go away, and what is in both places."""

    trail: Trail
    file: FallbackFile
    path: Path
    db: Database
    mongod: Mongod
    nc: Client

    async def keep(self, *numbers: int) -> None:
        for number in numbers:
            began = time.monotonic()
            await self.trail.keep(record(number))
            assert time.monotonic() - began < ANSWER_S

    async def stored(self) -> list[int]:
        """The numbers in MongoDB in the order of their insertion."""
        found = await self.db.records.find().sort("$natural", 1).to_list()
        return [one["after"]["number"] for one in found]

    def in_file(self) -> list[int]:
        lines = self.path.read_bytes().splitlines()
        return [orjson.loads(line)["after"]["number"] for line in lines]

    async def drained(self) -> None:
        async with asyncio.timeout(RETURN_S):
            while self.file.lines:
                await asyncio.sleep(0.02)

    def tending(self) -> Any:
        return at_work(self.trail.work(self.nc, "test"))


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with Mongod(tmp_path_factory.mktemp("audit") / "db") as started:
        yield started


@pytest.fixture
async def world(
    mongod: Mongod, nc: Client, log: EventLog, tmp_path: Path, workspace: str
) -> AsyncIterator[World]:
    path = tmp_path / "audit.jsonl"
    async with AsyncMongoClient[dict[str, Any]](mongod.url, tz_aware=True) as client:
        db = client[workspace]
        await audit_store.ensure(db)
        file = FallbackFile(path)
        trail = Trail(db.records, file, Retention(nc, log, KEPT_DAYS))
        yield World(trail, file, path, db, mongod, nc)
        await trail.close()


async def test_a_record_is_in_mongodb_when_its_answer_may_leave(world: World) -> None:
    await world.keep(1, 2, 3)
    assert await world.stored() == [1, 2, 3]
    assert world.path.read_bytes() == b""


async def test_many_records_at_once_are_few_writes(world: World) -> None:
    began = time.monotonic()
    await asyncio.gather(*(world.trail.keep(record(number)) for number in range(2000)))
    assert time.monotonic() - began < 5
    assert sorted(await world.stored()) == list(range(2000))


async def test_mongodb_killed_records_wait_in_the_file_and_come_in_order_and_once(
    world: World,
) -> None:
    async with world.tending():
        await world.keep(0)
        world.mongod.kill()
        await world.keep(*range(1, 21))
        assert world.in_file() == list(range(1, 21))
        await world.mongod.back()
        await world.drained()
        await world.keep(21)
    assert await world.stored() == list(range(22))
    assert world.path.read_bytes() == b""


async def test_mongodb_standing_still_delays_no_answer_and_doubles_no_record(
    world: World,
) -> None:
    async with world.tending():
        await world.keep(0)
        world.mongod.stand_still()
        await world.keep(*range(1, 11))
        assert len(world.in_file()) == 10
        world.mongod.go_on()
        await world.drained()
    assert sorted(await world.stored()) == list(range(11))


async def test_a_burst_while_mongodb_stands_still_delays_no_answer(world: World) -> None:
    async with world.tending():
        world.mongod.stand_still()
        await asyncio.gather(*(world.keep(number) for number in range(1500)))
        assert world.file.lines == 1500
        world.mongod.go_on()
        await world.drained()
    assert sorted(await world.stored()) == list(range(1500))


async def test_the_next_write_brings_in_what_waits(world: World) -> None:
    world.mongod.kill()
    await world.keep(0, 1)
    await world.mongod.back()
    async with world.tending():
        await world.keep(2)
        await world.drained()
    assert await world.stored() == [0, 1, 2]


async def test_a_service_that_died_reads_in_what_it_left(world: World, log: EventLog) -> None:
    world.mongod.kill()
    await world.keep(0, 1, 2)
    await world.mongod.back()
    await world.trail.close()
    with world.path.open("ab") as file:
        file.write(b'{"_id": "torn')
    world.file = FallbackFile(world.path)
    world.trail = Trail(world.db.records, world.file, Retention(world.nc, log, KEPT_DAYS))
    async with world.tending():
        await world.drained()
    assert await world.stored() == [0, 1, 2]


async def test_a_record_that_mongodb_has_already_is_not_doubled(world: World) -> None:
    twice = record(1)
    await world.trail.keep(twice)
    await world.file.append([twice.line(90), record(2).line(90)])
    async with world.tending():
        await world.drained()
    assert await world.stored() == [1, 2]
    await world.trail.keep(twice)
    assert await world.stored() == [1, 2]


async def test_a_line_that_nobody_can_read_stands_in_nobodys_way(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.file.append([record(1).line(90), b"\0\0\0", record(2).line(90)])
    async with world.tending():
        await world.drained()
    assert await world.stored() == [1, 2]
    assert "audit record dropped" in capsys.readouterr().out


async def test_a_full_file_refuses_loudly_and_delays_nobody(
    world: World, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    small = FallbackFile(world.path.with_name("small.jsonl"), cap=800)
    trail = Trail(world.db.records, small, Retention(world.nc, log, KEPT_DAYS))
    world.mongod.kill()
    try:
        for number in range(5):
            await trail.keep(record(number))
        assert 0 < small.lines < 5
        said = capsys.readouterr().out
        assert said.count("audit record dropped") == 5 - small.lines
        assert "the fallback file is full" in said
    finally:
        await world.mongod.back()
    async with at_work(trail.work(world.nc, "test")), asyncio.timeout(RETURN_S):
        while small.lines:
            await asyncio.sleep(0.02)
    await trail.close()
    assert await world.stored() == list(range(len(await world.stored())))


async def test_records_are_kept_as_long_as_their_workspace_wants(
    world: World, log: EventLog, workspace: str
) -> None:
    changed = SettingsChanged(settings=WorkspaceSettings(retention_days=7), by=ANN)
    place = Address(workspace, SETTINGS)
    first = SettingsChanged(settings=WorkspaceSettings(retention_days=30), by=ANN)
    await log.append_fact(Fact(first, place, new_id()), Origin(new_id(), datetime.now(UTC), "t"))

    async def days(number: int) -> None:
        async with asyncio.timeout(5):
            while world.trail.retention.days(workspace) != number:
                await asyncio.sleep(0.02)

    async with world.tending():
        await days(30)
        await log.append_fact(
            Fact(changed, place, new_id()), Origin(new_id(), datetime.now(UTC), "t")
        )
        await days(7)
        await world.trail.keep(record(1, workspace=workspace))
        await world.trail.keep(record(2, workspace="another"))
        other = SettingsChanged(settings=WorkspaceSettings(default_region="GB"), by=ANN)
        await log.append_fact(
            Fact(other, place, new_id()), Origin(new_id(), datetime.now(UTC), "t")
        )
        await days(KEPT_DAYS)
    found = await world.db.records.find().sort("after.number", 1).to_list()
    assert [one["expires_at"] - one["at"] for one in found] == [
        timedelta(days=7),
        timedelta(days=KEPT_DAYS),
    ]
    indexes = (await world.db.records.index_information()).values()
    assert [one["key"] for one in indexes if one.get("expireAfterSeconds") == 0] == [
        [("expires_at", 1)]
    ]


async def test_repeated_records_are_summed_also_at_the_end(world: World) -> None:
    repeated: Sequence[Record] = [record(1) for _ in range(50)]
    for one in repeated:
        await world.trail.keep_summed(one)
    assert await world.stored() == [1]
    await world.trail.close()
    counts = [one["count"] async for one in world.db.records.find().sort("$natural", 1)]
    assert counts == [1, 49]
    world.file = FallbackFile(world.path)
    world.trail = Trail(world.db.records, world.file, world.trail.retention)
