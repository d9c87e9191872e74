"""A platform of a measure's own, and campaigns that go through it, from upload to reports."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import nats
import psutil

from campaign_events.eventlog import EventLog
from carillon.servers.ports import Ports
from carillon.stack import Options, Stack, running_stack
from carillon.tokens.identity import Identity
from stacks import Link

WORKSPACE = "bench"
UPLOADED_AT_ONCE = 5_000
LOOK_S = 0.25
LOOKS_AFTER = 40
FAST = Link("fast", segments_per_second=100_000)
"""One bind with a window of 100 and no rate of its own worth speaking of."""


SOON = """\
min_s = 0.05
mean_s = 0.3
max_s = 5
"""
"""When delivery reports come."""


def carrier(
    links: Sequence[Link], latency_ms: float = 20, jitter_ms: float = 0, reports: str = SOON
) -> str:
    """The TOML text of a simulated carrier that delivers everything and reports soon."""
    return f"""
seed = 1
{"".join(link.account for link in links)}
[answers]
latency_ms = {latency_ms}
jitter_ms = {jitter_ms}
[receipts]
window = 500
{reports}"""


@asynccontextmanager
async def platform(
    links: Sequence[Link] = (FAST,),
    latency_ms: float = 20,
    jitter_ms: float = 0,
    reports: str = SOON,
) -> AsyncIterator[Stack]:
    """Run everything on free ports and in a new folder for as long as the block does."""
    data = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    try:
        ports = Ports(data / "ports.json")
        port = ports.take("carrier")
        ports.save()
        carrier_file, links_file = data / "carrier.toml", data / "bench-links.toml"
        carrier_file.write_text(carrier(links, latency_ms, jitter_ms, reports))
        links_file.write_text("".join(link.toml(port) for link in links))
        options = Options(data=data, port=0, links=links_file, carrier=carrier_file)
        async with running_stack(options, lambda _: None) as stack:
            yield stack
    finally:
        shutil.rmtree(data, ignore_errors=True)


def client(stack: Stack, *roles: str, sub: str = "bench") -> httpx.AsyncClient:
    """Somebody of the workspace with these roles."""
    token = stack.issuer.mint(Identity(sub, sub.title(), WORKSPACE, roles))
    return httpx.AsyncClient(
        base_url=f"{stack.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )


async def done(answer: httpx.Response) -> Any:
    """The answer's JSON; a refusal ends the measure."""
    if answer.is_error:
        raise SystemExit(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer.json()


async def until(admin: httpx.AsyncClient, path: str) -> None:
    """Approve; the queue may take a moment to show what was just made."""
    for _ in range(50):
        answer = await admin.post(path, json={})
        if not answer.is_error:
            return
        await asyncio.sleep(0.1)
    raise SystemExit(answer.text)


async def sender(stack: Stack) -> str:
    """Make a sender and approve it."""
    async with client(stack, "author") as author, client(stack, "admin", sub="mo") as admin:
        made = await done(await author.post("/senders", json={"name": "B", "saddr": "Bench"}))
        await until(admin, f"/moderation/senders/{made['id']}/revisions/1/approve")
        return str(made["id"])


async def contacts(count: int) -> AsyncIterator[bytes]:
    """A file of `count` numbers and names, made as it is sent."""
    yield b"phone,name\n"
    for first in range(0, count, UPLOADED_AT_ONCE):
        numbers = range(first, min(first + UPLOADED_AT_ONCE, count))
        yield "".join(f"+491512{number:07d},N{number}\n" for number in numbers).encode()


async def draft(author: httpx.AsyncClient, sender_id: str, link: str) -> str:
    """Make a campaign that has no contacts yet; return its id."""
    body = {
        "channel": "sms",
        "name": f"Bench {link}",
        "text": "Hello {{name}}, this is measured",
        "sender_id": sender_id,
        "link_id": link,
        "mode": "on_demand",
    }
    return str((await done(await author.post("/campaigns", json=body)))["id"])


async def upload(author: httpx.AsyncClient, campaign: str, count: int) -> None:
    """Give a campaign `count` contacts."""
    report = await done(
        await author.put(
            f"/campaigns/{campaign}/contacts",
            content=contacts(count),
            headers={"Content-Type": "text/csv"},
            timeout=None,
        )
    )
    assert report["accepted"] == count, report


async def prepare(stack: Stack, sender_id: str, link: str, count: int) -> str:
    """Make a campaign of `count` numbers that waits for its moderator."""
    async with client(stack, "author") as author:
        campaign = await draft(author, sender_id, link)
        await upload(author, campaign, count)
        return campaign


async def send(stack: Stack, campaign: str, count: int) -> float:
    """Send a campaign; return messages per second from the first intent to the last report."""
    async with client(stack, "admin", sub="mo") as admin:
        await until(admin, f"/moderation/campaigns/{campaign}/approve")
        await delivered(admin, campaign, count)
    return await rate(stack, campaign, count)


async def delivered(reader: httpx.AsyncClient, campaign: str, count: int) -> None:
    """Wait until the view shows a campaign done, with every one of its messages delivered."""
    ended = 0
    while True:
        row = await done(await reader.get(f"/campaigns/{campaign}"))
        if row["status"] == "done" and row["stats"]["delivered"] == count:
            return
        ended += row["status"] in ("done", "failed")
        assert ended < LOOKS_AFTER, row  # its messages are another view, which may come later
        await asyncio.sleep(LOOK_S)


async def rate(stack: Stack, campaign: str, count: int) -> float:
    """Messages per second of a campaign, as its log tells: first intent to last report."""
    nc = await nats.connect(stack.nats.url())
    facts = await EventLog(nc).load_subject("MESSAGES", f"message.{WORKSPACE}.{campaign}.>")
    await nc.close()
    taken = [fact.time for fact in facts if fact.event.type == "message.taken"]
    reported = [fact.time for fact in facts if fact.event.type == "message.reported"]
    return count / (reported[-1] - taken[0]).total_seconds()


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Processor time that each process has used so far."""
    used = {}
    for name, place in stack.file().services.items():
        if place.pid is not None:
            times = psutil.Process(place.pid).cpu_times()
            used[name] = times.user + times.system
    return used


def memory(stack: Stack) -> dict[str, float]:
    """The resident memory of each process now, in MiB."""
    return {
        name: psutil.Process(place.pid).memory_info().rss / 1024**2
        for name, place in stack.file().services.items()
        if place.pid is not None
    }
