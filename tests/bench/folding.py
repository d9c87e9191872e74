"""A log full of facts, how fast it can be read, and how fast fresh views grow from it."""

import asyncio
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

from nats.aio.client import Client
from pymongo import AsyncMongoClient

from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignStarted,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.follow import Follower
from campaign_events.message import (
    BATCH,
    MessagesPlanned,
    MessagesReported,
    MessagesSubmitted,
    MessagesTaken,
    Submission,
)
from campaign_events.projection import Projection
from campaign_events.projector import Projector

BY = Actor(id="bench", name="Bench")
PATIENCE_S = 600

type Mongo = AsyncMongoClient[dict[str, Any]]


async def fill_messages(log: EventLog, facts: int) -> int:
    """Append four facts about each of many messages, in full batches."""
    origin = Origin(new_id(), datetime.now(UTC), "bench")
    campaigns = [Address("bench", new_id()) for _ in range(5)]
    per_campaign = facts // 4 // len(campaigns)
    for address in campaigns:
        for first in range(1, per_campaign + 1, BATCH):
            await asyncio.gather(
                *(
                    log.append_fact(Fact(event, address, new_id()), origin)
                    for event in _life(address, first)
                )
            )
    return facts


def _life(address: Address, first: int) -> tuple[Event, ...]:
    last = first + BATCH - 1
    numbers = range(first, last + 1)
    return (
        MessagesPlanned(audience="a", first=first, last=last, parts=((1, BATCH),)),
        MessagesTaken(link="bench", epoch=1, spans=((first, last),), count=BATCH),
        MessagesSubmitted(
            link="bench",
            messages=tuple(
                Submission(number=number, carrier_ids=(f"{address.thing[-6:]}{number:x}",))
                for number in numbers
            ),
        ),
        MessagesReported(link="bench", delivered=tuple(numbers)),
    )


async def fill_campaigns(log: EventLog, count: int) -> None:
    """Append the whole lives of many campaigns, event by event, many campaigns at a time."""
    settings = SmsSettings(
        name="Winter sale",
        text="Hello {{name}}, all boots at half price until Sunday: https://shop.example/boots",
        sender_id=new_id(),
        link_id="bench",
    )
    life = (
        CampaignCreated(settings=settings, author=BY),
        ContactsUploaded(
            audience=new_id(), accepted=2000, invalid=3, duplicate=5, suppressed=0, by=BY, review=1
        ),
        CampaignApproved(was="new", by=BY, review=-1),
        CampaignBuilt(was="building", queued=2000, skipped=0, segments=2000),
        CampaignStarted(was="pending"),
        CampaignCompleted(was="sending"),
    )
    origin = Origin(new_id(), datetime.now(UTC), "bench")
    for _ in range(0, count, 500):
        addresses = [Address("bench", new_id()) for _ in range(500)]
        for event in life:
            await asyncio.gather(
                *(log.append_fact(Fact(event, address, new_id()), origin) for address in addresses)
            )


async def read_rate(
    nc: Client, projection: Projection, *, as_events: bool = True
) -> tuple[int, float]:
    """Return a stream's entries, and how many of them the ordered pull of a projection delivers.

    As events they are read one after the other, as a fold does; else they stay bytes.
    """
    end = await EventLog(nc).last_seq(projection.stream)
    follower = Follower(nc, projection.stream, batch=projection.batch)
    began, seen = time.perf_counter(), 0
    while seen < end:
        entries = await follower.fetch()
        seen += len(entries)
        if as_events:
            deque(entries, maxlen=0)
    took = time.perf_counter() - began
    await follower.close()
    return end, end / took


async def fold_rate(nc: Client, mongo: Mongo, projection: Projection) -> float:
    """Grow a view in a fresh database; return the log's entries per second."""
    db = mongo[f"bench_{uuid.uuid4().hex[:8]}"]
    end = await EventLog(nc).last_seq(projection.stream)
    projector = Projector(projection, nc, db)
    began = time.perf_counter()
    running = asyncio.create_task(projector.run())
    try:
        assert await projector.reached(end, PATIENCE_S)
        return end / (time.perf_counter() - began)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await mongo.drop_database(db.name)
