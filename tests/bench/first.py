"""The first campaign, measured: `make bench-first`. Loopback only; a few minutes; prints ratios.

One campaign goes through the whole platform as fast as it can, against the bundled simulator (20 ms
latency, every message reported). A second one goes at a steady rate, while somebody polls the KPI
tiles and somebody watches the stream; a third so slowly that each report comes alone. Raw limits
are measured in the same run.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.campaigns import client, cpu_seconds, done, memory, platform, prepare, send, sender
from bench.raw import raw_link_rate
from bench.rows import quantile, say
from carillon.stack import Stack
from stacks import Link

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "30000"))
WINDOW = int(os.environ.get("BENCH_WINDOW", "200"))
LATENCY_MS = 20
STEADY_PER_S = 800
STEADY = 12_000
SLOW_PER_S = 1.25
SLOW = 30
KPI_EVERY_S = 0.02
LINKS = tuple(
    Link(name, WINDOW, rate)
    for name, rate in (("fast", 100_000), ("steady", STEADY_PER_S), ("slow", SLOW_PER_S))
)


@dataclass
class Seen:
    """What was observed while the campaign ran."""

    kpi_ms: list[float] = field(default_factory=list)
    pages: list[tuple[float, int]] = field(default_factory=list)
    """(when, delivered so far) of every event of the campaign's stream."""


def quantiles(values: Sequence[float]) -> str:
    return f"p50 {quantile(values, 0.5):.0f} ms, p99 {quantile(values, 0.99):.0f} ms"


@asynccontextmanager
async def watched(stack: Stack, campaign: str, seen: Seen) -> AsyncIterator[None]:
    """Poll the tiles and follow the campaign's stream for as long as the block runs."""
    tasks = [
        asyncio.create_task(poll(stack, seen)),
        asyncio.create_task(follow(stack, campaign, seen)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def poll(stack: Stack, seen: Seen) -> None:
    async with client(stack, "viewer") as viewer:
        while True:
            began = time.perf_counter()
            await done(await viewer.get("/overview/kpi"))
            seen.kpi_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(KPI_EVERY_S)


async def follow(stack: Stack, campaign: str, seen: Seen) -> None:
    async with (
        client(stack, "viewer") as viewer,
        viewer.stream("GET", f"/campaigns/{campaign}/stream") as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                numbers = json.loads(line[5:])["stats"]
                seen.pages.append((time.time(), numbers["delivered"] + numbers["failed"]))


async def send_watched(stack: Stack, campaign: str, count: int) -> Seen:
    """Send a campaign while somebody looks, until its page shows all of it."""
    seen = Seen()
    async with watched(stack, campaign, seen):
        await send(stack, campaign, count)
        while not seen.pages or seen.pages[-1][1] < count:
            await asyncio.sleep(0.1)
    return seen


def report_to_page(stack: Stack, seen: Seen, count: int) -> list[float]:
    """How long each report took from the carrier's door to a page, in ms.

    The last `count` messages that the carrier accepted are those of the campaign on the page.
    """
    ledger = (stack.data / "smsc" / "ledger.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in ledger]
    accepted = [entry["due"] for entry in entries if entry["event"] == "accepted"]
    sent = sorted(accepted[-count:])
    waits: list[float] = []
    page = iter(seen.pages)
    at, shown = next(page)
    for index, moment in enumerate(sent, start=1):
        while shown < index:
            at, shown = next(page)
        waits.append(max(0.0, (at - moment) * 1000))
    return waits


async def main() -> None:
    async with platform(LINKS, LATENCY_MS, jitter_ms=5) as stack:
        sender_id = await sender(stack)
        campaign = await prepare(stack, sender_id, "fast", MESSAGES)
        before = cpu_seconds(stack)
        rate = await send(stack, campaign, MESSAGES)
        spent = {name: used - before[name] for name, used in cpu_seconds(stack).items()}
        used = ", ".join(f"{name} {size:.0f}" for name, size in memory(stack).items())
        pages: dict[str, list[float]] = {}
        watched_: dict[str, Seen] = {}
        for link, count in (("steady", STEADY), ("slow", SLOW)):
            say(f"sending {count} messages over the {link} link")
            seen = await send_watched(stack, await prepare(stack, sender_id, link, count), count)
            watched_[link], pages[link] = seen, report_to_page(stack, seen, count)
        say(f"sent {MESSAGES} messages; measuring the bare link")
        raw = await raw_link_rate(LINKS[0], LATENCY_MS, MESSAGES)
    say(
        f"whole path: {rate:,.0f} messages/s with delivery reports "
        f"({rate / raw:.2f} of the bare link's {raw:,.0f}/s; window {WINDOW}, 20 ms)"
    )
    shares = ", ".join(f"{name} {used / MESSAGES * 1e6:.0f}" for name, used in spent.items())
    say(f"processor time per message, µs: {shares}")
    say(
        f"delivery report to page, reports one by one: {quantiles(pages['slow'])}; "
        f"{STEADY_PER_S} a second: {quantiles(pages['steady'])} "
        "(a stream tells at most 2 changes a second)"
    )
    polls = watched_["steady"].kpi_ms
    say(
        f"GET /overview/kpi at {STEADY_PER_S} messages/s: {quantiles(polls)} "
        f"over {len(polls)} requests"
    )
    say(f"memory, MiB: {used}")


if __name__ == "__main__":
    asyncio.run(main())
