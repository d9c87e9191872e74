"""FastStream over the same nats-server: a handler that upserts one document per fact.

As its documentation has it: a durable pull subscriber of a JetStream stream whose handler
acknowledges by hand; handlers of one batch run side by side.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import batched
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.client import Client
from nats.js.api import StorageType, StreamConfig
from pydantic import BaseModel
from pymongo.asynchronous.collection import AsyncCollection

from bench.projected import MOVES, STATUSES
from campaign_events.envelope import new_id
from campaign_events.projection import Document

NAME = f"FastStream {version('faststream')}"
STREAM = "FACTS"
AT_ONCE = 500
"""Facts that are published side by side, while the stream is filled."""

type Handle = Callable[[AsyncCollection[Document], "Fact"], Awaitable[Any]]


class Fact(BaseModel):
    """What happened to one message."""

    kind: str
    campaign: str
    number: int
    at: datetime
    link: str | None = None
    segments: int | None = None
    carrier_ids: tuple[str, ...] | None = None


async def fill(nc: Client, campaigns: Sequence[str], facts: int) -> None:
    """Publish four facts about each of many messages, one message of the stream each."""
    js = nc.jetstream(timeout=30)
    config = StreamConfig(name=STREAM, subjects=["facts.>"], storage=StorageType.FILE)
    await js.add_stream(config)
    numbers = range(1, facts // 4 // len(campaigns) + 1)
    everything = (
        _fact(kind, campaign, number)
        for campaign in campaigns
        for some in batched(numbers, AT_ONCE)
        for kind in STATUSES
        for number in some
    )
    for some in batched(everything, AT_ONCE):
        published = (
            js.publish(f"facts.{fact.campaign}", fact.model_dump_json().encode()) for fact in some
        )
        await asyncio.gather(*published)


def _fact(kind: str, campaign: str, number: int) -> Fact:
    fact = Fact(kind=kind, campaign=campaign, number=number, at=datetime.now(UTC))
    if kind == "Planned":
        return fact.model_copy(update={"segments": 1})
    if kind == "Submitted":
        carrier_ids = (f"{campaign[-6:]}{number:x}",)
        return fact.model_copy(update={"link": "bench", "carrier_ids": carrier_ids})
    return fact.model_copy(update={"link": "bench"})


async def upsert_message(collection: AsyncCollection[Document], fact: Fact) -> None:
    """Keep a document per message."""
    known = fact.model_dump(exclude={"kind", "at"}, exclude_none=True)
    change = {"$set": {**known, "status": STATUSES[fact.kind], "changed_at": fact.at}}
    await collection.update_one({"_id": f"{fact.campaign}/{fact.number}"}, change, upsert=True)


async def upsert_counters(collection: AsyncCollection[Document], fact: Fact) -> None:
    """Keep a document of counters per campaign."""
    await collection.update_one({"_id": fact.campaign}, {"$inc": MOVES[fact.kind]}, upsert=True)


BATCHES: dict[Handle, int] = {upsert_message: 50, upsert_counters: 10}
"""How many are fetched at a time: what suits each best. Upserts of one document get in each other's
way."""


async def rebuild_s(
    url: str, collection: AsyncCollection[Document], handle: Handle, facts: int
) -> float:
    """Handle all facts from the first on; return the seconds it took."""
    broker = NatsBroker(url, logger=None)
    left, done = facts, asyncio.Event()

    @broker.subscriber(
        "facts.>",
        stream=JStream(STREAM, declare=False),
        durable=f"bench-{new_id()}",
        pull_sub=PullSub(batch_size=BATCHES[handle]),
        ack_policy=AckPolicy.MANUAL,
    )
    async def on_fact(fact: Fact, message: NatsMessage) -> None:
        nonlocal left
        await handle(collection, fact)
        await message.ack()
        left -= 1
        if left == 0:
            done.set()

    began = time.perf_counter()
    async with broker:
        await broker.start()
        await done.wait()
        return time.perf_counter() - began
