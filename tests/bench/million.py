"""A million recipients, from upload to the last report, and what that takes of memory.

One campaign of 100,000 and then one of a million goes through the whole platform as it comes,
against the bundled simulator. Every process's memory is sampled all the while: that it does not
grow with the audience is what the two peaks beside each other show.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.campaigns import (
    LOOK_S,
    client,
    delivered,
    done,
    draft,
    memory,
    platform,
    sender,
    until,
    upload,
)
from bench.rows import SHORT, Findings, Row, measured, say
from carillon.stack import Stack
from stacks import Link

FEW = 1_000 if SHORT else 100_000
MANY = 20_000 if SHORT else 1_000_000
LONGEST_S = 480
MOST_GROWTH = 1.25
BOUNDED = ("nats", "mongo", "carrier")
"""Other people's programs, which fill the caches that they were given, and the simulator."""
LINK = Link("fast", window=200, segments_per_second=100_000)
SAMPLE_S = 1.0
METHOD = f"""\
One campaign of {FEW:,} and then one of {MANY:,} recipients over one link with a window of
{LINK.window} and 20 ms of latency, every message with a delivery report. At {FEW:,} all caches of
fixed size are full, so from there on memory is to be flat. The time runs from the first byte of the
upload to the moment when the campaign is shown as done with every message delivered. Peaks of the
resident memory of each process, sampled each second.
"""


@dataclass(frozen=True, slots=True)
class Whole:
    """How long the parts of a campaign took, in seconds, and the peaks of memory, in MiB."""

    upload_s: float
    plan_s: float
    send_s: float
    peaks: Mapping[str, float]

    @property
    def all_s(self) -> float:
        """From the first byte of the upload to the last report in the views."""
        return self.upload_s + self.plan_s + self.send_s


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


async def whole(stack: Stack, sender_id: str, count: int) -> Whole:
    """Send one campaign from upload to the last report."""
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
        while (await done(await admin.get(path)))["status"] in ("new", "building", "pending"):
            await asyncio.sleep(LOOK_S)
        sending = time.perf_counter()
        await delivered(admin, campaign, count)
        finished = time.perf_counter()
    took = Whole(uploaded - began, sending - uploaded, finished - sending, peaks)
    say(
        f"{count:,} recipients: uploaded in {took.upload_s:.0f} s, planned in {took.plan_s:.0f} s, "
        f"sent and reported in {took.send_s:.0f} s"
    )
    return took


async def measure() -> Findings:
    """Send to a few and to many."""
    async with platform((LINK,)) as stack:
        sender_id = await sender(stack)
        few = await whole(stack, sender_id, FEW)
        many = await whole(stack, sender_id, MANY)
    ours = {name: peak for name, peak in many.peaks.items() if name not in BOUNDED}
    growth = max(peak / few.peaks[name] for name, peak in ours.items())
    sizes = ", ".join(
        f"{name} {few.peaks[name]:.0f}, {many.peaks[name]:.0f}" for name in many.peaks
    )
    rows = (
        Row(
            what=f"{MANY:,} recipients: upload, build, send, reports, all views",
            unit="s",
            ours=(many.all_s,),
            aim=f"at most {LONGEST_S} s",
            reached=many.all_s <= LONGEST_S,
            note=f"upload {many.upload_s:.0f} s ({MANY / many.upload_s:,.0f} rows/s), until the "
            f"first message may go out {many.plan_s:.0f} s, sending and reports {many.send_s:.0f} "
            f"s ({MANY / many.send_s:,.0f} messages/s)",
        ),
        Row(
            what=f"memory of the process that grows most, at {MANY:,} over at {FEW:,}",
            unit="times",
            ours=(growth,),
            aim=f"flat (at most {MOST_GROWTH})",
            reached=growth <= MOST_GROWTH,
            note=f"peaks in MiB at {FEW:,} and at {MANY:,} recipients: {sizes}; MongoDB, whose "
            "peak is its cache, NATS and the simulated carrier do not count for the row",
        ),
    )
    return Findings(title="A million recipients", method=METHOD, rows=rows)


if __name__ == "__main__":
    measured("million", measure)
