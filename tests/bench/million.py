"""A million recipients, measured: `make bench-million`. Loopback only; ten to twenty minutes.

One campaign of 10,000 and then one of a million goes through the whole platform as it comes,
against the bundled simulator. Every process's memory is sampled all the while: that it does not
grow with the audience is what the two peaks beside each other show.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.campaigns import client, done, draft, memory, platform, sender, until, upload
from bench.rows import say
from carillon.stack import Stack
from stacks import Link

FEW = 10_000
MANY = int(os.environ.get("BENCH_MESSAGES", "1000000"))
LINK = Link("fast", window=200, segments_per_second=100_000)
SAMPLE_S = 1.0


@asynccontextmanager
async def sampled(stack: Stack) -> AsyncIterator[dict[str, float]]:
    """The peaks of all processes' memory while the block runs."""
    peaks: dict[str, float] = {}

    async def sample() -> None:
        while True:
            for name, size in memory(stack).items():
                peaks[name] = max(size, peaks.get(name, 0))
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        yield peaks
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def whole(stack: Stack, sender_id: str, count: int) -> dict[str, float]:
    """Send one campaign from upload to the last report; return the peaks of memory."""
    async with (
        sampled(stack) as peaks,
        client(stack, "author") as author,
        client(stack, "admin", sub="mo") as admin,
    ):
        campaign = await draft(author, sender_id, LINK.id)
        path = f"/campaigns/{campaign}"
        began = time.perf_counter()
        await upload(author, campaign, count)
        uploaded = time.perf_counter()
        await until(admin, f"/moderation{path}/approve")
        sending = finished = 0.0
        row: dict[str, Any] = {"status": "new"}
        while row["status"] != "done":
            await asyncio.sleep(0.5)
            row = await done(await admin.get(path))
            assert row["status"] not in ("failed", "cancelled"), row
            if row["status"] == "sending" and not sending:
                sending = time.perf_counter()
        finished = time.perf_counter()
        assert row["stats"]["delivered"] == count, row["stats"]
    say(
        f"{count:,} recipients: uploaded in {uploaded - began:.0f} s "
        f"({count / (uploaded - began):,.0f} rows/s), planned in {sending - uploaded:.0f} s, "
        f"sent and reported in {finished - sending:.0f} s "
        f"({count / (finished - sending):,.0f} messages/s), all in {finished - began:.0f} s"
    )
    return peaks


async def main() -> None:
    async with platform((LINK,)) as stack:
        sender_id = await sender(stack)
        few = await whole(stack, sender_id, FEW)
        many = await whole(stack, sender_id, MANY)
    say(f"peak memory, MiB, at {FEW:,} and at {MANY:,} recipients:")
    for name, peak in many.items():
        say(f"  {name:<12} {few.get(name, 0):6.0f} {peak:6.0f}")


if __name__ == "__main__":
    asyncio.run(main())
