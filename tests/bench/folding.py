"""How fast fresh views grow from the log, beside how fast the log can be read at all."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import nats
from nats.aio.client import Client
from pymongo import AsyncMongoClient

import dispatcher.views
import read_model.projections
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignStarted,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, Recorded, new_id
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
from campaign_events.service import collect_garbage_less_often

FACTS = 400_000
CAMPAIGNS = 5_000
BY = Actor(id="bench", name="Bench")


async def fold_rates(nats_url: str, mongo: AsyncMongoClient[dict[str, Any]]) -> list[str]:
    """Fill the log with facts about messages and campaigns; fold all of it into fresh views."""
    collect_garbage_less_often()  # as every service does
    nc = await nats.connect(nats_url)
    log = EventLog(nc)
    facts = await fill_messages(log, FACTS)
    await fill_campaigns(log, CAMPAIGNS)
    raw = {stream: await _read(nc, log, stream) for stream in ("MESSAGES", "CAMPAIGNS")}
    lines = []
    for owner, projection in (
        ("read_model", read_model.projections.CAMPAIGNS),
        ("read_model", read_model.projections.HISTORY),
        ("read_model", read_model.projections.MESSAGES),
        ("dispatcher", dispatcher.views.MESSAGES),
    ):
        entries, seconds = await _fold(nc, log, mongo, projection)
        line = f"folded, {owner} {projection.name}: {entries / seconds:,.0f} log entries/s"
        if projection.stream == "MESSAGES":
            line += f", {facts / seconds:,.0f} facts/s"
        read = raw[projection.stream]
        lines.append(f"{line} ({entries / seconds / read:.2f} of reading's {read:,.0f}/s)")
    await nc.close()
    return lines


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


async def _read(nc: Client, log: EventLog, stream: str) -> float:
    """Return entries per second of reading and decoding alone."""
    end = await log.last_seq(stream)
    follower = Follower(nc, stream)
    began, seen = time.perf_counter(), 0
    last: Recorded[Any] | None = None
    while last is None or last.seq < end:
        batch = await follower.fetch()
        seen, last = seen + len(batch), batch[-1]
    await follower.close()
    return seen / (time.perf_counter() - began)


async def _fold(
    nc: Client, log: EventLog, mongo: AsyncMongoClient[dict[str, Any]], projection: Projection
) -> tuple[int, float]:
    """Grow a view in a fresh database; return the log's entries and the seconds it took."""
    db = mongo[f"bench_{uuid.uuid4().hex[:8]}"]
    end = await log.last_seq(projection.stream)
    projector = Projector(projection, nc, db)
    began = time.perf_counter()
    running = asyncio.create_task(projector.run())
    try:
        assert await projector.reached(end, 600)
        return end, time.perf_counter() - began
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await mongo.drop_database(db.name)
