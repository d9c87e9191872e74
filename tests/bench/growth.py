"""What ten thousand to ten million messages cost: `python -m bench.growth`.

The log grows; at each size the read model, a real process, folds all of it into an empty database
and is asked. Time should be linear; memory and answers should not notice.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import nats
from pymongo import AsyncMongoClient

import dispatcher.views
from bench.histories import histories, tell
from bench.load import Offered, load
from bench.reader import DATABASE, Reader, Servers, connected, folded, reading, serving
from bench.rows import SHORT, Findings, Line, Plot, Row, measured, quantile, say
from campaign_events.eventlog import EventLog
from campaign_events.projector import Projector
from campaign_events.service import collect_garbage_less_often
from read_model.projections import MESSAGES

SIZES = (10_000, 20_000, 50_000) if SHORT else (10_000, 100_000, 1_000_000, 10_000_000)
EACH = 10_000
"""Messages of each campaign: the log grows by campaigns, as it does in life."""
ONE_BY_ONE = 1_000_000
"""The dispatcher keeps the state of every message: so far its view is grown."""
OFTEN = 1_000_000
"""Up to here a fold is so short that the median of a few is what counts."""
RUNS = 1 if SHORT else 3
ASKED_S = 1.0 if SHORT else 3.0
WORKSPACE = "growth"
LOOK_S = 0.005
CONSTANT = 1.25
MIB = 1024

type Mongo = AsyncMongoClient[dict[str, Any]]


@dataclass(slots=True)
class Found:
    """What each size cost, by size."""

    seconds: dict[int, float] = field(default_factory=dict)
    """Folding all of it."""
    dispatcher_seconds: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    """The most that the process has ever held, in MiB."""
    answers: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)
    """p50 and p99 of each answer, in ms."""


@dataclass(frozen=True, slots=True)
class Growing:
    """A log that grows, and whoever folds it."""

    up: Servers
    log: EventLog
    mongo: Mongo
    campaign: str
    """Whose page is asked for; it is under way."""
    found: Found = field(default_factory=Found)

    async def fold_and_ask(self, size: int) -> None:
        """Have a new process fold everything, some times over; then ask the last one."""
        runs = []
        for number in range(RUNS if size <= OFTEN else 1, 0, -1):
            await self.mongo.drop_database(DATABASE)
            beginning = asyncio.create_task(_begun(self.mongo))
            async with reading(self.up) as reader:
                await folded(self.log, self.mongo)
                runs.append(time.perf_counter() - await beginning)
                if number == 1:
                    self.found.memory[size] = _peak(reader)
                    await self._ask_all(reader, size)
        self.found.seconds[size] = median(runs)
        say(f"folded in {self.found.seconds[size]:.2f} s, {self.found.memory[size]:.0f} MiB")

    async def fold_one_by_one(self, size: int) -> None:
        """Grow the dispatcher's view, which has the state of every message."""
        nc, db = await nats.connect(self.up.nats_url), self.mongo["one_by_one"]
        end = await self.log.last_seq("MESSAGES")
        projector = Projector(dispatcher.views.MESSAGES, nc, db)
        began = time.perf_counter()
        running = asyncio.create_task(projector.run())
        try:
            assert await projector.reached(end, 600)
            self.found.dispatcher_seconds[size] = time.perf_counter() - began
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self.mongo.drop_database(db.name)
            await nc.close()

    async def _ask_all(self, reader: Reader, size: int) -> None:
        for name in ("overview", f"campaigns/{self.campaign}"):
            answers = self.found.answers.setdefault(name.partition("/")[0], {})
            answers[size] = await self._ask(f"{reader.url}/api/v1/{name}")

    async def _ask(self, url: str) -> tuple[float, float]:
        token = self.up.issuer.token(WORKSPACE, "viewer")
        seen = await load(Offered(url=url, token=token, clients=1, seconds=ASKED_S))
        return median(seen.milliseconds), quantile(seen.milliseconds, 0.99)


async def measure() -> Findings:
    """Let the log grow, and fold and ask at each size."""
    collect_garbage_less_often()  # as every service does
    told = 0
    async with serving() as up, connected(up) as (log, mongo):
        [sending] = histories(WORKSPACE, 1, EACH, sending=1)
        await tell(log, [sending])
        growing = Growing(up, log, mongo, sending.address.thing)
        for size in SIZES:
            await tell(log, histories(WORKSPACE, (size - told) // EACH, EACH, sending=0))
            told = size
            say(f"{size:,} messages are in the log")
            if size <= ONE_BY_ONE:
                await growing.fold_one_by_one(size)
            await growing.fold_and_ask(size)
    return _findings(growing.found)


async def _begun(mongo: Mongo) -> float:
    """Wait until the process begins to fold."""
    while await mongo[DATABASE].checkpoints.find_one({"_id": MESSAGES.checkpoint()}) is None:
        await asyncio.sleep(LOOK_S)
    return time.perf_counter()


def _peak(reader: Reader) -> float:
    """Return the most memory that the process has ever had resident, in MiB."""
    status = Path(f"/proc/{reader.process.pid}/status").read_text()
    [peak] = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak) / MIB


def _findings(found: Found) -> Findings:
    return Findings(
        title="What growth costs",
        method=(
            f"A log of {SIZES[0]:,} to {SIZES[-1]:,} messages, {EACH:,} per campaign, four facts "
            "about each message in batches of 500, as the dispatcher writes them at full speed. At "
            "each size a `read_model` process folds all of it into an empty database (majority, "
            "journaled) and is asked by one client over a kept connection; its memory is the most "
            "that it ever held. The dispatcher's view, the state of every message, is grown up to "
            f"{ONE_BY_ONE:,}. Folds of up to {OFTEN:,} are the medians of {RUNS} runs."
        ),
        rows=_rows(found),
        plots=_plots(found),
    )


def _rows(found: Found) -> tuple[Row, ...]:
    last, before = SIZES[-1], SIZES[-2]

    def beside(what: str, unit: str, by_size: Mapping[int, float]) -> Row:
        ratio = by_size[last] / by_size[before]
        return Row(
            what=f"{what} at {last:,} messages",
            unit=unit,
            ours=(by_size[last],),
            beside=f"at {before:,}",
            theirs=(by_size[before],),
            aim=f"≤ {CONSTANT} times",
            reached=ratio <= CONSTANT,
            note=", ".join(f"{size:,}: {value:.3g}" for size, value in by_size.items()),
        )

    per_million = {size: took / size * 1e6 for size, took in found.seconds.items()}
    return (
        beside("folding, per million messages,", "s", per_million),
        beside("memory of the read model", "MiB", found.memory),
        *(
            beside(f"GET /{name}, p50,", "ms", {size: p50 for size, (p50, _) in of.items()})
            for name, of in found.answers.items()
        ),
    )


def _plots(found: Found) -> tuple[Plot, ...]:
    return (
        Plot(
            title="Time to fold the whole log",
            x="messages",
            y="seconds",
            lines=(
                _line("counters (read model)", found.seconds),
                _line("every message (dispatcher)", found.dispatcher_seconds),
            ),
        ),
        Plot(
            title="Memory of the read model, peak",
            x="messages",
            y="MiB",
            lines=(_line("read model", found.memory),),
        ),
        Plot(
            title="Answers",
            x="messages",
            y="ms",
            lines=tuple(
                _line(f"GET /{name}, {share}", {size: both[index] for size, both in of.items()})
                for name, of in found.answers.items()
                for index, share in enumerate(("p50", "p99"))
            ),
        ),
    )


def _line(name: str, by_size: Mapping[int, float]) -> Line:
    return Line(name=name, x=tuple(by_size), y=tuple(by_size.values()))


if __name__ == "__main__":
    measured("growth", measure)
