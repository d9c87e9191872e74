"""Pushing through two processes at once, as far as MongoDB and the log can tell them apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from nats.aio.client import Client

from campaign_events.envelope import Recorded, new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database, View
from campaign_events.projector import Projector
from dispatcher.pushes import Pushes
from dispatcher.pushing import Push, Pushed, Stores
from dispatcher.reading import Views
from dispatcher.suppressed import SUPPRESSED
from dispatcher.suppressions import Suppressions
from dispatcher.views import CAMPAIGNS, MESSAGES

pytestmark = pytest.mark.timeout(90)


@dataclass
class Field:
    """One campaign, and two that push into it."""

    log: EventLog
    views: Views
    campaign: dict[str, Any]
    one: Pushes
    other: Pushes

    def push(self, key: int, number: int) -> Push:
        name = f"{self.campaign['_id']}/k{key}"
        return Push(name, f"+4915112{number:06d}", {"name": f"N{number}"})

    async def plans(self) -> list[Recorded[Any]]:
        subject = f"message.{self.campaign['workspace']}.{self.campaign['_id']}.planned"
        return await self.log.load_subject("MESSAGES", subject)


@pytest.fixture
async def field(nc: Client, log: EventLog, db: Database, workspace: str) -> AsyncIterator[Field]:
    settings = {"mode": "trigger", "text": "Hello {{name}}"}
    campaign = {"_id": new_id(), "workspace": workspace, "settings": settings}
    messages, listed = Projector(MESSAGES, nc, db), Projector(SUPPRESSED, nc, db)
    suppressions = Suppressions(log, db, b"k" * 32, listed)
    views = Views(View(CAMPAIGNS, db), messages.view, db)
    stores = Stores(log, views, messages, suppressions)
    async with AsyncExitStack() as stack:
        for projector in (messages, listed):
            await stack.enter_async_context(_running(projector.run()))
        # The stream holds what earlier tests wrote, and a push waits for it 5 s at most.
        assert await messages.reached(await log.last_seq("MESSAGES"), 50)
        both = [Pushes(stores) for _ in range(2)]
        for pushes in both:
            await pushes.prepare()
            await stack.enter_async_context(_running(pushes.run()))
        yield Field(log, views, campaign, *both)


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_two_that_push_at_once_give_every_number_once_and_every_key_one(field: Field) -> None:
    async def some(pushes: Pushes, start: int) -> list[tuple[int, Pushed]]:
        told = []
        for turn in range(10):
            keys = [(start + turn * 20 + n) % 200 for n in range(20)]
            answers = await asyncio.gather(
                *(pushes.push(field.campaign, field.push(key, key)) for key in keys)
            )
            told += list(zip(keys, answers, strict=True))
        return told

    told = [
        pair
        for pairs in await asyncio.gather(
            *(some(pushes, start) for pushes in (field.one, field.other) for start in (0, 7, 100))
        )
        for pair in pairs
    ]

    numbers: dict[int, set[int]] = {}
    for key, pushed in told:
        numbers.setdefault(key, set()).add(pushed.number)
    assert all(len(found) == 1 for found in numbers.values())
    assert {number for found in numbers.values() for number in found} == set(range(1, 201))
    plans = await field.plans()
    spans = [(fact.event.first, fact.event.last) for fact in plans]
    assert [number for first, last in spans for number in range(first, last + 1)] == (
        list(range(1, 201))
    )
    assert all(fact.event.queued == fact.event.last - fact.event.first + 1 for fact in plans)
    contacts = await field.views.pushed.find({"audience": field.campaign["_id"]}).to_list()
    by_key = {contact["_id"].rpartition("/k")[2]: contact["number"] for contact in contacts}
    assert {int(key): {number} for key, number in by_key.items()} == numbers


async def test_only_who_pushes_again_waits_until_it_is_seen_what_became_of_it(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await field.one.push(field.campaign, field.push(1, 1))
    is_seen = asyncio.Event()

    async def reached(*_: object) -> bool:
        return await is_seen.wait()

    monkeypatch.setattr(Projector, "reached", reached)
    again = asyncio.create_task(field.one.push(field.campaign, field.push(1, 1)))
    async with asyncio.timeout(30):
        others = [await field.one.push(field.campaign, field.push(n, n)) for n in (2, 3)]

    assert [other.number for other in others] == [2, 3]
    assert not again.done()
    is_seen.set()
    assert (await again).number == first.number


async def test_what_a_crash_left_without_a_plan_is_planned_by_the_next_owner(field: Field) -> None:
    await field.one.push(field.campaign, field.push(1, 1))
    left = [
        {
            "_id": f"{field.campaign['_id']}/k{number}",
            "audience": field.campaign["_id"],
            "number": number,
            "phone": f"+4915112{number:06d}",
            "variables": {"name": f"N{number}"},
        }
        for number in (2, 3)
    ]
    await field.views.pushed.insert_many(left)
    field.other.take_up(field.campaign)
    async with asyncio.timeout(60):
        while len(await field.plans()) < 2:
            await asyncio.sleep(0.02)
    again = await field.one.push(field.campaign, field.push(3, 3))
    fresh = await field.one.push(field.campaign, field.push(4, 4))

    assert (again.number, again.status) == (3, "queued")
    assert fresh.number == 4
    assert [(fact.event.first, fact.event.last) for fact in await field.plans()] == [
        (1, 1),
        (2, 3),
        (4, 4),
    ]


async def test_when_a_campaign_is_taken_up_with_nothing_left_over_nothing_is_said(
    field: Field,
) -> None:
    field.one.take_up(field.campaign)
    pushed = await field.one.push(field.campaign, field.push(1, 1))
    assert (pushed.number, len(await field.plans())) == (1, 1)
