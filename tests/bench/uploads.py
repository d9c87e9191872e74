"""Messages per second of a campaign alone, and while others upload files without a pause."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import httpx
import uvloop

from bench.campaigns import (
    FAST,
    client,
    contacts,
    cpu_seconds,
    done,
    draft,
    platform,
    prepare,
    send,
    sender,
)
from bench.rows import SHORT, Findings, Row, measured, say
from carillon.stack import Stack

COUNT = 2_000 if SHORT else 30_000
RUNS = 1 if SHORT else 3
CLIENTS = 4
UPLOADED = 5_000
WARM_UP_S = 1.0
WANTED = 0.9
METHOD = f"""\
One campaign of {COUNT:,} messages with delivery reports, 20 ms at the carrier, one bind with a
window of {FAST.window}, from the first intent to the last report; then the same while {CLIENTS}
clients make draft campaigns and upload a CSV file of {UPLOADED:,} rows to each, the next one as
soon as the last one is answered, through the edge. In turn, {RUNS} runs each, on one platform.
Uploads give way to sending: `CARILLON_UPLOAD_SHARE` is 0.05, as it comes.
"""


@dataclass(slots=True)
class Uploaded:
    """What was uploaded while a campaign was sent."""

    rows: int = 0
    seconds: float = 0.0

    @property
    def per_s(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


@asynccontextmanager
async def uploading(stack: Stack, sender_id: str, file: bytes) -> AsyncIterator[Uploaded]:
    """Have clients make campaigns and upload to them, again and again, until the block ends."""
    uploaded = Uploaded()

    async def upload_on(author: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "text/csv"}
        while True:
            path = f"/campaigns/{await draft(author, sender_id, FAST.id)}/contacts"
            report = await done(await author.put(path, content=file, headers=headers))
            assert report["accepted"] == UPLOADED, report
            uploaded.rows += UPLOADED

    async with client(stack, "author") as author:
        author.timeout = httpx.Timeout(None)
        began = time.perf_counter()
        tasks = [asyncio.create_task(upload_on(author)) for _ in range(CLIENTS)]
        try:
            await asyncio.sleep(WARM_UP_S)
            yield uploaded
        finally:
            uploaded.seconds = time.perf_counter() - began
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    for one in ended:
        if not isinstance(one, asyncio.CancelledError):
            raise SystemExit(f"an upload ended: {one!r}")


async def measure() -> Findings:
    """Send alone and beside uploads, in turn."""
    alone: list[float] = []
    beside: list[float] = []
    uploads: list[float] = []
    file = b"".join([piece async for piece in contacts(UPLOADED)])
    async with platform() as stack:
        sender_id = await sender(stack)
        for _ in range(RUNS):
            alone.append(await send(stack, await prepare(stack, sender_id, FAST.id, COUNT), COUNT))
            say(f"alone {alone[-1]:,.0f} messages/s")
            campaign = await prepare(stack, sender_id, FAST.id, COUNT)
            before, own = cpu_seconds(stack), time.process_time()
            async with uploading(stack, sender_id, file) as uploaded:
                beside.append(await send(stack, campaign, COUNT))
            used = {name: now - before[name] for name, now in cpu_seconds(stack).items()}
            uploads.append(uploaded.per_s)
            shares = ", ".join(f"{one} {used_s:.1f}" for one, used_s in used.items())
            say(
                f"beside {uploads[-1]:,.0f} uploaded rows/s: {beside[-1]:,.0f} messages/s; "
                f"seconds of processor time: {shares}, uploading {time.process_time() - own:.1f}"
            )
    ratio = median(beside) / median(alone)
    row = Row(
        what="Sending while uploads saturate the API",
        unit="messages/s",
        ours=tuple(beside),
        beside="sending alone",
        theirs=tuple(alone),
        aim=f"{WANTED} times sending alone",
        reached=ratio >= WANTED,
        note=f"{median(uploads):,.0f} rows/s were uploaded meanwhile.",
    )
    return Findings(title="Sending beside uploads", method=METHOD, rows=(row,))


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # as every service has
    measured("uploads", measure)
