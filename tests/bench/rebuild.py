"""Every projection rebuilt over a million facts while a campaign runs: `make bench-rebuild`.

Loopback only; a quarter of an hour. A builder and then a whole service are killed (SIGKILL) in the
middle, and go on where they were. Somebody reads all the while: what is read may never be empty,
nor older than what was read before. In the end one view is rolled back, and all are verified.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import nats

from bench.campaigns import client, done, platform, prepare, sender, until
from bench.folding import fill_campaigns, fill_messages
from bench.rows import say
from campaign_events.call import AttemptEnd, CallsDialled, CallsEnded, CallsFinished, Dial
from campaign_events.envelope import Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import BATCH
from campaign_events.suppression import LIST, SuppressionsAdded
from carillon.stack import Stack
from stacks import Link

FACTS = int(os.environ.get("BENCH_FACTS", "1000000"))
CAMPAIGNS = 2_000
CALLS = 50_000
OPTED_OUT = 50_000
RECIPIENTS = int(os.environ.get("BENCH_MESSAGES", "40000"))
PER_S = 30
LINK = Link("steady", segments_per_second=PER_S)
KILLED_BUILDER = "dispatcher.messages"
KILLED_SERVICE = "read_model.messages"
READ_EVERY_S = 0.05

type Json = dict[str, Any]


@dataclass
class Seen:
    """What a reader saw, read after read."""

    reads: int = 0
    away: int = 0
    """Reads that found the service away: it was killed."""
    last: tuple[int, ...] = (0, 0, 0)
    older: list[tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)


async def fill(stack: Stack) -> None:
    """Put facts about messages, campaigns, calls and opt-outs into the log."""
    nc = await nats.connect(stack.nats.url())
    log, began = EventLog(nc), time.perf_counter()
    facts = await fill_messages(log, FACTS)
    await fill_campaigns(log, CAMPAIGNS)
    origin, calls = Origin(new_id(), datetime.now(UTC), "bench"), Address("bench", new_id())
    for first in range(1, CALLS, BATCH):
        for event in _calls(range(first, first + BATCH)):
            await log.append_fact(Fact(event, calls, new_id()), origin)
    await log.append_fact(Fact(CallsFinished(run=1, left=0), calls, new_id()), origin)
    for first in range(0, OPTED_OUT, BATCH):
        hashes = tuple(f"bench{number:059d}" for number in range(first, first + BATCH))
        event = SuppressionsAdded(hashes=hashes, reason=None, source="upload")
        await log.append_fact(Fact(event, Address("bench", LIST), new_id()), origin)
    await nc.close()
    facts += CAMPAIGNS * 6 + CALLS * 2 + OPTED_OUT
    say(f"{facts:,} facts in the log after {time.perf_counter() - began:.0f} s")


def _calls(numbers: range) -> tuple[Event, Event]:
    dials = (
        Dial(number=n, sequence=1, kind="first", call_id=f"c{n}", caller_id="a") for n in numbers
    )
    ends = (
        AttemptEnd(number=n, sequence=1, outcome="connected", becomes="completed") for n in numbers
    )
    return CallsDialled(run=1, epoch=1, dials=tuple(dials)), CallsEnded(run=1, ends=tuple(ends))


async def caught_up(admin: httpx.AsyncClient) -> list[Json]:
    """Wait until no view lags any more; return all of them."""
    began = time.perf_counter()
    while True:
        items: list[Json] = (await done(await admin.get("/ops/projections")))["items"]
        if all(item["lag"] == 0 and item["generations"] for item in items):
            say(f"live views caught up after {time.perf_counter() - began:.0f} s more")
            return items
        await asyncio.sleep(1)


@asynccontextmanager
async def campaign_under_way(stack: Stack) -> AsyncIterator[str]:
    """A campaign that sends for as long as the block does, if it has enough people."""
    sender_id = await sender(stack)
    made = await prepare(stack, sender_id, LINK.id, RECIPIENTS)
    async with client(stack, "author") as author, client(stack, "admin", sub="mo") as admin:
        await until(admin, f"/moderation/campaigns/{made}/approve")
        yield made
        row = await done(await author.get(f"/campaigns/{made}"))
        say(f"the campaign is {row['status']}: {row['stats']['delivered']:,} delivered meanwhile")


async def read_on(stack: Stack, campaign: str, seen: Seen) -> None:
    """Read a tile and a campaign's numbers, again and again."""
    async with client(stack, "viewer") as viewer:
        while True:
            try:
                kpi, row = (
                    await viewer.get("/overview/kpi"),
                    await viewer.get(f"/campaigns/{campaign}"),
                )
            except httpx.TransportError:
                seen.away += 1
                continue
            if kpi.is_success and row.is_success:
                stats = row.json()["stats"]
                final = stats["delivered"] + stats["failed"]
                found = (kpi.json()["total"], stats["submitted"] + final, final)
                seen.reads += 1
                if any(now < before for now, before in zip(found, seen.last, strict=True)):
                    seen.older.append((seen.last, found))
                seen.last = found
            else:
                seen.away += 1
            await asyncio.sleep(READ_EVERY_S)


async def command(stack: Stack, *arguments: str) -> tuple[int, str]:
    """Run `carillon projections …`; return its exit code and what it printed."""
    program = Path(sys.executable).with_name("carillon")
    process = await asyncio.create_subprocess_exec(
        *(str(program), "projections", *arguments, "--data", str(stack.data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, f"{out.decode()}{err.decode()}"


async def middle(admin: httpx.AsyncClient, name: str) -> Json:
    """Wait until a build is between its beginning and its end; return its progress."""
    while True:
        job = (await done(await admin.get(f"/ops/projections/{name}")))["job"] or {}
        progress: Json = job.get("progress") or {"position": 0, "target": 1}
        if job.get("state") == "growing" and progress["position"] > progress["target"] / 4:
            return progress
        await asyncio.sleep(0.1)


async def rebuilt(stack: Stack, admin: httpx.AsyncClient, item: Json) -> None:
    """Rebuild one projection, with a kill in the middle of two of them."""
    name, began = item["name"], time.perf_counter()
    building = asyncio.create_task(command(stack, "rebuild", name))
    kills: dict[str, Callable[[Json], int]] = {
        KILLED_BUILDER: lambda progress: int(progress["pid"]),
        KILLED_SERVICE: lambda _: stack.file().services[item["service"]].pid or 0,
    }
    if name in kills:
        progress = await middle(admin, name)
        os.kill(kills[name](progress), signal.SIGKILL)
        what = "builder" if name == KILLED_BUILDER else item["service"]
        say(f"  {what} killed at {progress['position']:,} of {progress['target']:,}")
    code, said = await building
    if code:
        raise SystemExit(said)
    took = time.perf_counter() - began
    stands = await done(await admin.get(f"/ops/projections/{name}"))
    told = stands["job"]["progress"]
    say(
        f"{name:<22} generation {stands['generation']} live after {took:5.1f} s, "
        f"{told['position']:>7,} entries, {told['events_per_s']:>7,} entries/s in its last process"
    )


async def main() -> None:
    async with platform((LINK,)) as stack, client(stack, "admin") as admin:
        await measure(stack, admin)


async def measure(stack: Stack, admin: httpx.AsyncClient) -> None:
    """Fill the log, rebuild everything while a campaign runs, roll one back, verify all."""
    await fill(stack)
    items = await caught_up(admin)
    seen = Seen()
    async with campaign_under_way(stack) as campaign:
        reading = asyncio.create_task(read_on(stack, campaign, seen))
        began = time.perf_counter()
        for item in items:
            await rebuilt(stack, admin, item)
        say(f"all {len(items)} rebuilt in {time.perf_counter() - began:.0f} s")
        code, said = await command(stack, "rollback", KILLED_BUILDER)
        say(f"rolled back: exit {code}, {said.splitlines()[0]}")
        code, said = await command(stack, "switch", KILLED_BUILDER)
        say(f"switched again: exit {code}, {said.splitlines()[0]}")
        began = time.perf_counter()
        code, said = await command(stack, "verify")
        say(f"verified while it goes on: exit {code}, {time.perf_counter() - began:.0f} s")
        say("\n".join(f"  {line}" for line in said.splitlines() if "documents" in line))
        reading.cancel()
    say(f"{seen.reads:,} reads, {seen.away} found a killed service away, older: {seen.older or 0}")


if __name__ == "__main__":
    asyncio.run(main())
