"""A million recipients, measured: `make bench-million`. Loopback only; ten to twenty minutes.

One campaign of 10,000 and then one of a million goes through the whole platform as it comes,
against the bundled simulator. Every process's memory is sampled all the while: that it does not
grow with the audience is what the two peaks beside each other show.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.first import CARRIER, client, done, say, sender, until
from carillon.stack import Options, Stack, running_stack

FEW = 10_000
MANY = int(os.environ.get("BENCH_MESSAGES", "1000000"))
LINKS = """
[[links]]
id = "fast"
type = "smpp"
host = "127.0.0.1"
port = 24775
system_id = "fast"
password = "secret"
window = 200
segments_per_second = 100000
"""
SAMPLE_S = 1.0
MIB = 1024**2


def sizes(stack: Stack) -> Iterator[tuple[str, float]]:
    """The resident memory of each process now, in MiB."""
    for name, place in stack.file().services.items():
        if place.pid is not None:
            yield name, psutil.Process(place.pid).memory_info().rss / MIB


@asynccontextmanager
async def sampled(stack: Stack) -> AsyncIterator[dict[str, float]]:
    """The peaks of all processes' memory while the block runs."""
    peaks: dict[str, float] = {}

    async def sample() -> None:
        while True:
            for name, size in sizes(stack):
                peaks[name] = max(size, peaks.get(name, 0))
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        yield peaks
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def rows(count: int) -> AsyncIterator[bytes]:
    """A file of numbers, made as it is sent."""
    yield b"phone,name\n"
    for first in range(0, count, 5_000):
        numbers = range(first, min(first + 5_000, count))
        yield "".join(f"+491512{number:07d},N{number}\n" for number in numbers).encode()


async def whole(stack: Stack, sender_id: str, count: int) -> dict[str, float]:
    """Send one campaign from upload to the last report; return the peaks of memory."""
    async with (
        sampled(stack) as peaks,
        client(stack, "author") as author,
        client(stack, "admin", sub="mo") as admin,
    ):
        body = {
            "channel": "sms",
            "name": f"{count} people",
            "text": "Hello {{name}}, this is measured",
            "sender_id": sender_id,
            "link_id": "fast",
            "mode": "on_demand",
        }
        path = f"/campaigns/{(await done(await author.post('/campaigns', json=body)))['id']}"
        began = time.perf_counter()
        report = await done(
            await author.put(
                f"{path}/contacts",
                content=rows(count),
                headers={"Content-Type": "text/csv"},
                timeout=None,
            )
        )
        assert report["accepted"] == count, report
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
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        data = Path(folder)
        carrier, links = data / "carrier.toml", data / "bench-links.toml"
        carrier.write_text(CARRIER)
        links.write_text(LINKS)
        (data / "ports.json").write_text(json.dumps({"carrier": 24_775}))
        options = Options(data=data, port=0, links=links, carrier=carrier)
        async with running_stack(options, lambda _: None) as stack:
            sender_id = await sender(stack)
            few = await whole(stack, sender_id, FEW)
            many = await whole(stack, sender_id, MANY)
    say(f"peak memory, MiB, at {FEW:,} and at {MANY:,} recipients:")
    for name, peak in many.items():
        say(f"  {name:<12} {few.get(name, 0):6.0f} {peak:6.0f}")


if __name__ == "__main__":
    asyncio.run(main())
