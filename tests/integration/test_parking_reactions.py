"""A reaction that can not digest an event parks it; its thing waits, everything else goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faststream.nats import NatsBroker
from nats.aio.client import Client
from pymongo import AsyncMongoClient
from structlog.contextvars import get_contextvars

from campaign_events import tracing
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Origin, Recorded, new_id
from campaign_events.eventlog import EventLog, Fact, Unavailable
from campaign_events.message import MessagesReported
from campaign_events.projection import Database
from campaign_events.reaction import Reaction
from campaign_events.releasing import Released, release
from campaign_events.topology import Reader
from mongods import Mongod

WITHIN_S = 15
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Handler:
    """Writes down what it is told, and fails on some of it."""

    buggy: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    away: dict[int, int] = field(default_factory=dict)
    stumbling: dict[int, int] = field(default_factory=dict)
    """How often it fails, once nobody is away any more."""
    done: list[tuple[str, int]] = field(default_factory=list)
    tried: list[int] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, recorded: Recorded[Any]) -> None:
        (number,) = recorded.event.delivered
        self.tried.append(number)
        if self.away.get(number, 0) > 0:
            self.away[number] -= 1
            raise Unavailable("the log does not answer")
        if self.stumbling.get(number, 0) > 0:
            self.stumbling[number] -= 1
            raise RuntimeError("once bitten")
        if number in self.buggy:
            raise RuntimeError(f"never heard of {number}")
        async with self.news:
            self.done.append((recorded.address.thing, number))
            self.news.notify_all()
        if number in self.refused:
            raise Refused("no")

    def of(self, thing: Address) -> list[int]:
        return [number for name, number in self.done if name == thing.thing]

    async def until(self, thing: Address, number: int) -> None:
        async with self.news:
            wanted = (thing.thing, number)
            await asyncio.wait_for(self.news.wait_for(lambda: wanted in self.done), WITHIN_S)


@asynccontextmanager
async def reacting(url: str, nc: Client, reaction: Reaction) -> AsyncIterator[None]:
    reader = reaction.reader
    await nc.jetstream().add_consumer(reader.stream, reader.config)
    broker = NatsBroker(url, logger=None)
    reaction.join(broker)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


@pytest.fixture
def reader(workspace: str) -> Reader:
    return Reader("MESSAGES", f"test-{workspace}", (f"message.{workspace}.*.reported",))


@pytest.fixture
def bad(workspace: str) -> Address:
    return Address(workspace, new_id())


@pytest.fixture
def good(workspace: str) -> Address:
    return Address(workspace, new_id())


async def say(log: EventLog, address: Address, *numbers: int) -> None:
    origin = Origin(new_id(), datetime.now(UTC), "test")
    for number in numbers:
        event = MessagesReported(link="sim", delivered=(number,))
        await log.append_fact(Fact(event, address, new_id()), origin)


async def released(reaction: Reaction, log: EventLog, thing: Address, **how: Any) -> Released:
    found = await reaction.parking.find(thing)
    assert found is not None
    return await release(reaction, log, found, **how)


async def test_after_a_repair_what_waited_is_handled_in_order(  # noqa: PLR0917
    nats_url: str,
    nc: Client,
    log: EventLog,
    db: Database,
    reader: Reader,
    bad: Address,
    good: Address,
) -> None:
    handler = Handler(buggy={2, 5}, refused={3})
    reaction = Reaction.of(reader, handler, db)
    async with reacting(nats_url, nc, reaction):
        await say(log, bad, 1, 2, 3)
        await say(log, good, 1)
        await say(log, bad, 4, 5, 6)
        await say(log, good, 3)
        await handler.until(good, 3)
        assert (handler.of(bad), handler.of(good)) == ([1], [1, 3])
        assert handler.tried.count(2) == 4, "a bug is tried a few times, quickly"
        found = await reaction.parking.find(bad)
        assert found is not None
        assert (found.waiting, found.tries, found.error) == (4, 1, "RuntimeError: never heard of 2")

        vain = await released(reaction, log, bad)
        assert (vain.done, vain.failed) == (0, True)
        again = await reaction.parking.find(bad)
        assert again is not None
        assert (again.seq, again.last, again.waiting) == (found.seq, found.last, found.waiting)
        assert (again.tries, again.first_at) == (2, found.first_at)
        handler.buggy = {5}
        half = await released(reaction, log, bad)
        assert (half.done, half.failed, handler.of(bad)) == (3, True, [1, 2, 3, 4])
        await say(log, bad, 7)
        await say(log, good, 8)
        await handler.until(good, 8)
        assert handler.of(bad) == [1, 2, 3, 4], "it waits behind the other one"
        assert (await released(reaction, log, bad, drop=True)).left is None
        await say(log, bad, 9)
        await handler.until(bad, 9)
    assert handler.of(bad) == [1, 2, 3, 4, 6, 7, 9]


async def test_log_lines_about_an_event_name_what_led_to_it(  # noqa: PLR0917
    nats_url: str, nc: Client, log: EventLog, db: Database, reader: Reader, good: Address
) -> None:
    handler = Handler()
    seen: list[dict[str, Any]] = []

    async def look(recorded: Recorded[Any]) -> None:
        line: dict[str, Any] = {**get_contextvars(), "at": recorded}
        seen.append(dict(tracing.log_ids(None, "info", line)))
        await handler(recorded)

    async with reacting(nats_url, nc, Reaction.of(reader, look, db)):
        with tracing.span("request", parent=PARENT):
            await say(log, good, 1)
        await say(log, good, 2)
        await handler.until(good, 2)
    in_a_trace, outside = seen
    assert in_a_trace["trace_id"] == PARENT.split("-")[1]
    assert in_a_trace["correlation_id"] == in_a_trace["at"].correlation_id
    assert "trace_id" not in outside
    assert outside["correlation_id"] == outside["at"].correlation_id
    assert "correlation_id" not in get_contextvars()


async def test_types_from_the_future_are_parked_for_a_version_that_knows_them(  # noqa: PLR0917
    nats_url: str,
    nc: Client,
    log: EventLog,
    db: Database,
    reader: Reader,
    bad: Address,
    good: Address,
) -> None:
    handler = Handler()
    reaction = Reaction.of(reader, handler, db)
    subject = f"message.{bad.workspace}.{bad.thing}.reported"
    await nc.jetstream().publish(subject, b'{"type": "message.reported"}')
    async with reacting(nats_url, nc, reaction):
        await say(log, bad, 1)
        await say(log, good, 1)
        await handler.until(good, 1)
    found = await reaction.parking.find(bad)
    assert found is not None
    assert (found.waiting, handler.of(bad)) == (1, [])


async def test_whoever_is_away_is_waited_for_and_nothing_is_parked(  # noqa: PLR0917
    nats_url: str, nc: Client, log: EventLog, db: Database, reader: Reader, bad: Address
) -> None:
    """Nor by the first failure of its own after that."""
    handler = Handler(away={1: 4}, stumbling={1: 1})
    reaction = Reaction.of(reader, handler, db)
    async with reacting(nats_url, nc, reaction):
        await say(log, bad, 1, 2)
        await handler.until(bad, 2)
    assert handler.of(bad) == [1, 2]
    assert await reaction.parking.all() == {}


@pytest.mark.timeout(90)
async def test_while_mongodb_stands_still_what_is_free_goes_on(  # noqa: PLR0917
    nats_url: str, nc: Client, log: EventLog, tmp_path: Path, reader: Reader, good: Address
) -> None:
    bad = Address(good.workspace, new_id())
    handler = Handler(buggy={2})
    with Mongod(tmp_path / "own") as server:
        async with AsyncMongoClient[dict[str, Any]](server.url, tz_aware=True) as mongo:
            reaction = Reaction.of(reader, handler, mongo["reacting"])
            async with reacting(nats_url, nc, reaction):
                await say(log, bad, 2)
                await say(log, good, 1)
                await handler.until(good, 1)
                server.stand_still()
                await say(log, good, 3)
                await handler.until(good, 3)
                await say(log, bad, 4)
                await say(log, good, 5)
                server.go_on()
                await handler.until(good, 5)
                handler.buggy = set()
                assert (await released(reaction, log, bad)).done == 2
    assert (handler.of(good), handler.of(bad)) == ([1, 3, 5], [2, 4])
