"""The overview of 10,000 campaigns and 5 million messages, asked for by 64 clients.

`python -m bench.overview`: beside one bare `find_one` through the same web server, and beside the
same answer worked out by aggregation from a document per message.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from typing import Any

import httpx
import psutil
from pymongo import AsyncMongoClient, IndexModel

import servers
from bench.bare import PEER
from bench.histories import LINK, History, histories, tell
from bench.load import Offered, Seen, load
from bench.reader import Servers, connected, folded, reading, serving
from bench.rows import SHORT, Findings, Row, measured, quantile, say
from campaign_events.envelope import Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import MessagesReported

CAMPAIGNS = 300 if SHORT else 10_000
FEW = 100 if SHORT else 1_000
AGGREGATED = 100 if SHORT else 2_000
"""Campaigns of the peer: a document per message takes its time to write."""
EACH = 500
SENDING = 40
CLIENTS = 64
RUNS = 1 if SHORT else 3
POLLED_S = 2.0 if SHORT else 6.0
PRESSED_S = 1.0 if SHORT else 3.0
MOVES_PER_S = 20
MOVED = 50
AIM_MS = 15
AIM_TIMES = 2
FLAT = 1.25
SMALL, LARGE = "small", "large"
"""The two workspaces."""

OF_MESSAGES = [
    IndexModel([("campaign", 1), ("status", 1)]),
    IndexModel([("workspace", 1), ("submitted_at", 1)]),
    IndexModel([("workspace", 1), ("status", 1), ("reported_at", 1)]),
]
OF_CAMPAIGNS = [
    IndexModel([("workspace", 1), ("status", 1)]),
    IndexModel([("workspace", 1), ("created_at", -1), ("author", 1)]),
]

type Mongo = AsyncMongoClient[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the overview, the single document and the aggregated overview are asked for."""

    overview: str
    bare: str
    tokens: Mapping[str, str]
    pids: tuple[int, int]
    """Of the read model, and of the bare web server."""

    async def polled(self, workspace: str) -> Seen:
        """Each client asks once a second, as a dashboard without a stream does."""
        return await self._ask(workspace, seconds=POLLED_S, every_s=1)

    async def pressed(self, workspace: str, clients: int = CLIENTS) -> Seen:
        """Each client asks as soon as it has its answer."""
        return await self._ask(workspace, clients=clients, seconds=PRESSED_S)

    async def beside(self, path: str, clients: int = CLIENTS, every_s: float = 0) -> Seen:
        """Do the same with the bare web server."""
        seconds = POLLED_S if every_s else PRESSED_S
        return await load(
            Offered(url=f"{self.bare}/{path}", clients=clients, seconds=seconds, every_s=every_s)
        )

    async def _ask(
        self, workspace: str, *, seconds: float, clients: int = CLIENTS, every_s: float = 0
    ) -> Seen:
        token = self.tokens[workspace]
        return await load(
            Offered(
                url=self.overview, token=token, clients=clients, seconds=seconds, every_s=every_s
            )
        )


@dataclass(slots=True)
class Figures:
    """What all runs found, in ms."""

    polled: list[float] = field(default_factory=list)
    polled_bare: list[float] = field(default_factory=list)
    moving: list[float] = field(default_factory=list)
    pressed: list[float] = field(default_factory=list)
    pressed_bare: list[float] = field(default_factory=list)
    pressed_small: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    processor_bare: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    aggregated: list[float] = field(default_factory=list)


async def run(doors: Doors, log: EventLog, told: Sequence[History], found: Figures) -> None:
    """Measure everything once, ours and theirs in turns."""
    found.polled.append(_p99(await doors.polled(LARGE)))
    found.polled_bare.append(_p99(await doors.beside("one", every_s=1)))
    moving = asyncio.create_task(_move(log, told))
    found.moving.append(_p99(await doors.polled(LARGE)))
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    ours, theirs = doors.pids
    before = _used(ours)
    pressed = await doors.pressed(LARGE)
    found.processor.append((_used(ours) - before) / len(pressed.milliseconds))
    found.pressed.append(_p50(pressed))
    found.per_s.append(pressed.per_s)
    before = _used(theirs)
    pressed = await doors.beside("one")
    found.processor_bare.append((_used(theirs) - before) / len(pressed.milliseconds))
    found.pressed_bare.append(_p50(pressed))
    found.pressed_small.append(_p50(await doors.pressed(SMALL)))
    found.alone.append(_p50(await doors.pressed(LARGE, clients=1)))
    found.aggregated.append(_p50(await doors.beside("aggregated", clients=1)))


async def _move(log: EventLog, told: Sequence[History]) -> None:
    """Report messages of the campaigns that still send, for as long as nobody stops it."""
    for history in cycle(told[-SENDING:]):
        event = MessagesReported(link=LINK, delivered=tuple(range(1, MOVED + 1)))
        origin = Origin(new_id(), datetime.now(UTC), "bench")
        await log.append_fact(Fact(event, history.address, new_id()), origin)
        await asyncio.sleep(1 / MOVES_PER_S)


def _used(pid: int) -> float:
    """Return how much processor time a process has used, in ms."""
    times = psutil.Process(pid).cpu_times()
    return (times.user + times.system) * 1000


def _p50(seen: Seen) -> float:
    return median(seen.milliseconds)


def _p99(seen: Seen) -> float:
    return quantile(seen.milliseconds, 0.99)


async def fill_peer(mongo: Mongo, told: Sequence[History]) -> None:
    """Give the peer a document per campaign and per message, with the indexes that it needs."""
    db = mongo[PEER]
    await db.campaigns.insert_many(
        [
            {
                "_id": history.address.thing,
                "workspace": LARGE,
                "status": "sending" if history.sends else "done",
                "channel": "sms",
                "author": history.author.id,
                "created_at": history.at,
            }
            for history in told
        ]
    )
    status = {"$cond": [{"$eq": ["$status", "sending"]}, "submitted", "delivered"]}
    message = {
        "_id": 0,
        "workspace": 1,
        "campaign": "$_id",
        "number": {"$range": [1, EACH + 1]},
        "status": status,
        "submitted_at": "$created_at",
        "reported_at": "$created_at",
    }
    stages: list[dict[str, Any]] = [
        {"$project": message},
        {"$unwind": "$number"},
        {"$out": "messages"},
    ]
    await (await db.campaigns.aggregate(stages)).to_list()
    await db.messages.create_indexes(OF_MESSAGES)
    await db.campaigns.create_indexes(OF_CAMPAIGNS)


@asynccontextmanager
async def bare(up: Servers) -> AsyncIterator[tuple[str, int]]:
    """Run the bare web server for as long as the block does."""
    port = servers.free_port()
    command = (sys.executable, "-m", "bench.bare", str(port), up.mongo_url, LARGE)
    process = await asyncio.create_subprocess_exec(*command)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    (await client.get(f"{url}/one")).raise_for_status()
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        await process.wait()


async def measure() -> Findings:
    """Fill a log, have the read model fold it, and ask."""
    found = Figures()
    async with serving() as up, connected(up) as (log, mongo):
        told = histories(LARGE, CAMPAIGNS, EACH, sending=SENDING)
        say(f"telling of {CAMPAIGNS * EACH:,} messages of {CAMPAIGNS:,} campaigns")
        await tell(log, [*histories(SMALL, FEW, EACH, sending=SENDING), *told])
        say("filling the peer")
        await fill_peer(mongo, told[-AGGREGATED:])
        async with reading(up) as reader, bare(up) as (beside, pid):
            await folded(log, mongo)
            tokens = {name: up.issuer.token(name, "viewer") for name in (SMALL, LARGE)}
            pids = reader.process.pid, pid
            doors = Doors(f"{reader.url}/api/v1/overview", beside, tokens, pids)
            for name in tokens:  # the first look at a view and a token is not what is measured
                await doors.pressed(name, clients=1)
            for number in range(RUNS):
                say(f"run {number + 1} of {RUNS}")
                await run(doors, log, told, found)
    return Findings(title="The overview", method=METHOD, rows=_rows(found))


METHOD = (
    f"One `read_model` process over one nats-server and one mongod; {CAMPAIGNS:,} campaigns with "
    f"{CAMPAIGNS * EACH:,} messages in one workspace ({SENDING} of them under way), all folded "
    f"from the log. {CLIENTS} clients, each with one kept connection, in a process of their own, "
    "ask the service itself (not through the edge). Polled: each client once a second. Pressed: "
    "each again as soon as it has its answer, so the latency is their number divided by the "
    "throughput. The bare `find_one` is FastAPI, uvicorn and the driver with the same settings, "
    "without tokens, limits, audit and metrics. The aggregated overview comes through that bare "
    f"server too, from {AGGREGATED * EACH:,} documents, one per message, with an index for each "
    f"question: of {AGGREGATED / CAMPAIGNS:.0%} of the messages, in its favour."
)


def _rows(found: Figures) -> tuple[Row, ...]:
    polled, times = median(found.polled), median(found.pressed) / median(found.pressed_bare)
    moving, flat = median(found.moving), median(found.pressed) / median(found.pressed_small)
    size = f"{CAMPAIGNS:,} campaigns, {CAMPAIGNS * EACH:,} messages"
    return (
        Row(
            what=f"GET /overview, {size}, {CLIENTS} clients that ask once a second, p99",
            unit="ms",
            ours=tuple(found.polled),
            beside="one bare find_one, asked as often",
            theirs=tuple(found.polled_bare),
            aim=f"< {AIM_MS} ms, ≤ {AIM_TIMES} times",
            reached=polled < AIM_MS and polled <= AIM_TIMES * median(found.polled_bare),
        ),
        Row(
            what=f"the same while {MOVES_PER_S * MOVED:,} messages a second are reported, p99",
            unit="ms",
            ours=tuple(found.moving),
            aim=f"< {AIM_MS} ms",
            reached=moving < AIM_MS,
        ),
        Row(
            what=f"GET /overview, {CLIENTS} clients that never wait, p50",
            unit="ms",
            ours=tuple(found.pressed),
            beside="one bare find_one",
            theirs=tuple(found.pressed_bare),
            aim=f"≤ {AIM_TIMES} times",
            reached=times <= AIM_TIMES,
            note=f"{median(found.per_s):,.0f} overviews a second; this is the processor's time: "
            f"{CLIENTS} clients that never wait keep one Python process busy all the time",
        ),
        Row(
            what="the service's processor time per answer",
            unit="ms",
            ours=tuple(found.processor),
            beside="one bare find_one",
            theirs=tuple(found.processor_bare),
            aim=f"≤ {AIM_TIMES} times",
            reached=median(found.processor) <= AIM_TIMES * median(found.processor_bare),
        ),
        Row(
            what=f"{CAMPAIGNS:,} campaigns beside {FEW:,}, p50",
            unit="ms",
            ours=tuple(found.pressed),
            beside=f"{FEW:,} campaigns",
            theirs=tuple(found.pressed_small),
            aim=f"flat (≤ {FLAT} times)",
            reached=flat <= FLAT,
        ),
        Row(
            what="GET /overview, one client, p50",
            unit="ms",
            ours=tuple(found.alone),
            beside="the same data by aggregation",
            theirs=tuple(found.aggregated),
            note=f"aggregated from {AGGREGATED * EACH:,} messages only",
        ),
    )


if __name__ == "__main__":
    measured("overview", measure)
