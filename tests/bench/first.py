"""The first campaign, measured: `make bench-first`. Loopback only; a few minutes; prints ratios.

One campaign goes through the whole platform as fast as it can, against the bundled simulator (20 ms
latency, every message reported). A second one goes at a steady rate, while somebody polls the KPI
tiles and somebody watches the stream; a third so slowly that each report comes alone. Then a long
log is folded into fresh views. Raw limits are measured in the same run.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nats
import psutil
from pymongo import AsyncMongoClient

from bench.folding import fold_rates
from bench.raw import raw_link_rate
from campaign_events.eventlog import EventLog
from carillon.identity import Identity
from carillon.stack import Options, Stack, running_stack

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "30000"))
WINDOW = int(os.environ.get("BENCH_WINDOW", "200"))
STEADY_PER_S = 800
STEADY = 12_000
SLOW_PER_S = 1.25
SLOW = 30
KPI_EVERY_S = 0.02
CARRIER = """
seed = 1
[[accounts]]
system_id = "fast"
password = "secret"
[[accounts]]
system_id = "steady"
password = "secret"
[[accounts]]
system_id = "slow"
password = "secret"
[answers]
latency_ms = 20
jitter_ms = 5
[receipts]
min_s = 0.05
mean_s = 0.3
max_s = 5
window = 500
"""


@dataclass
class Seen:
    """What was observed while the campaign ran."""

    kpi_ms: list[float] = field(default_factory=list)
    pages: list[tuple[float, int]] = field(default_factory=list)
    """(when, delivered so far) of every event of the campaign's stream."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def quantile(values: Sequence[float], share: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def quantiles(values: Sequence[float]) -> str:
    return f"p50 {quantile(values, 0.5):.0f} ms, p99 {quantile(values, 0.99):.0f} ms"


def client(stack: Stack, *roles: str, sub: str = "bench") -> httpx.AsyncClient:
    token = stack.issuer.mint(Identity(sub, sub.title(), "bench", roles))
    return httpx.AsyncClient(
        base_url=f"{stack.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )


async def done(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise SystemExit(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer.json()


async def sender(stack: Stack) -> str:
    """Make a sender and approve it."""
    async with client(stack, "author") as author, client(stack, "admin", sub="mo") as admin:
        made = await done(await author.post("/senders", json={"name": "B", "saddr": "Bench"}))
        await until(admin, f"/moderation/senders/{made['id']}/revisions/1/approve")
        return str(made["id"])


async def prepare(stack: Stack, sender_id: str, link: str, count: int) -> str:
    """Make a campaign of `count` numbers that waits for its moderator."""
    async with client(stack, "author") as author:
        body = {
            "channel": "sms",
            "name": f"Bench {link}",
            "text": "Hello {{name}}, this is measured",
            "sender_id": sender_id,
            "link_id": link,
            "mode": "on_demand",
        }
        campaign = await done(await author.post("/campaigns", json=body))
        rows = "phone,name\n" + "".join(f"+4915112{row:06d},N{row}\n" for row in range(count))
        began = time.perf_counter()
        report = await done(
            await author.put(
                f"/campaigns/{campaign['id']}/contacts",
                content=rows,
                headers={"Content-Type": "text/csv"},
            )
        )
        assert report["accepted"] == count, report
        if count == MESSAGES:
            say(f"upload: {count / (time.perf_counter() - began):,.0f} rows/s")
        return str(campaign["id"])


async def until(admin: httpx.AsyncClient, path: str) -> None:
    """Approve; the queue may take a moment to show what was just made."""
    for _ in range(50):
        answer = await admin.post(path, json={})
        if not answer.is_error:
            return
        await asyncio.sleep(0.1)
    raise SystemExit(answer.text)


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


async def send(stack: Stack, campaign: str, count: int, seen: Seen | None = None) -> float:
    """Send a campaign; return messages per second from the first intent to the last report."""
    async with client(stack, "admin", sub="mo") as admin, AsyncExitStack() as watching:
        if seen is not None:
            await watching.enter_async_context(watched(stack, campaign, seen))
        await until(admin, f"/moderation/campaigns/{campaign}/approve")
        while True:
            row = await done(await admin.get(f"/campaigns/{campaign}"))
            shown = seen is None or (seen.pages and seen.pages[-1][1] == count)
            if row["status"] in ("done", "failed") and shown:
                break
            await asyncio.sleep(0.25)
    assert row["status"] == "done", row
    assert row["stats"]["delivered"] == count, row["stats"]
    nc = await nats.connect(stack.nats.url())
    facts = await EventLog(nc).load_subject("MESSAGES", f"message.bench.{campaign}.>")
    taken = [fact.time for fact in facts if fact.event.type == "message.taken"]
    reported = [fact.time for fact in facts if fact.event.type == "message.reported"]
    await nc.close()
    return count / (reported[-1] - taken[0]).total_seconds()


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


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Processor time that each process has used so far."""
    used = {}
    for name, place in stack.file().services.items():
        if place.pid is not None:
            times = psutil.Process(place.pid).cpu_times()
            used[name] = times.user + times.system
    return used


def memory(stack: Stack) -> str:
    sizes = []
    for name, place in stack.file().services.items():
        if place.pid is not None:
            rss = psutil.Process(place.pid).memory_info().rss
            sizes.append(f"{name} {rss / 1024**2:.0f}")
    return ", ".join(sizes)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        data = Path(folder)
        carrier = data / "carrier.toml"
        carrier.write_text(CARRIER)
        (data / "ports.json").write_text(json.dumps({"carrier": 24_775}))
        links = data / "bench-links.toml"
        links.write_text(
            "".join(
                f'[[links]]\nid = "{name}"\ntype = "smpp"\nhost = "127.0.0.1"\nport = 24775\n'
                f'system_id = "{name}"\npassword = "secret"\nwindow = {WINDOW}\n'
                f"segments_per_second = {rate}\n"
                for name, rate in (
                    ("fast", 100_000),
                    ("steady", STEADY_PER_S),
                    ("slow", SLOW_PER_S),
                )
            )
        )
        options = Options(data=data, port=0, links=links, carrier=carrier)
        async with running_stack(options, lambda _: None) as stack:
            sender_id = await sender(stack)
            campaign = await prepare(stack, sender_id, "fast", MESSAGES)
            before = cpu_seconds(stack)
            rate = await send(stack, campaign, MESSAGES)
            spent = {name: used - before[name] for name, used in cpu_seconds(stack).items()}
            used = memory(stack)
            pages: dict[str, list[float]] = {}
            watched_: dict[str, Seen] = {}
            for link, count in (("steady", STEADY), ("slow", SLOW)):
                say(f"sending {count} messages over the {link} link")
                seen = watched_[link] = Seen()
                await send(stack, await prepare(stack, sender_id, link, count), count, seen)
                pages[link] = report_to_page(stack, seen, count)
            say(f"sent {MESSAGES} messages; measuring the bare link")
            raw = await raw_link_rate(CARRIER, data, WINDOW, MESSAGES)
            say("filling a log and folding it")
            async with AsyncMongoClient[dict[str, Any]](stack.mongo.url("admin")) as mongo:
                folded = await fold_rates(stack.nats.url(), mongo)
        say(
            f"whole path: {rate:,.0f} messages/s with delivery reports "
            f"({rate / raw:.2f} of the bare link's {raw:,.0f}/s; window {WINDOW}, 20 ms)"
        )
        shares = ", ".join(f"{name} {used / MESSAGES * 1e6:.0f}" for name, used in spent.items())
        say(f"processor time per message, µs: {shares}")
        for line in folded:
            say(line)
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
        say(f"memory, MB: {used}")


if __name__ == "__main__":
    asyncio.run(main())
