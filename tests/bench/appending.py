"""Decisions on campaigns, each one fsynced before it is answered, beside pyeventsourcing.

Each decision loads a campaign's history, decides, and appends one event behind what it has loaded.
Every side leads the same campaigns through the same six decisions, so many at a time.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import nats.aio.client
import uvloop

from bench import eventsourced, postgres
from bench.rows import SHORT, Findings, Row, measured, say
from campaign.campaign import campaign_decider
from campaign.commands import (
    AcceptContacts,
    Approve,
    CampaignCommand,
    Complete,
    Create,
    KeepTime,
    MarkBuilt,
)
from campaign.launching import AT_ONCE
from campaign_events.campaign import SmsSettings
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.service import collect_garbage_less_often
from carillon.backup.bare import bare_servers
from carillon.servers.connections import nats_at

CALLERS = AT_ONCE
"""As many decisions as the service has under way when many campaigns come to their moment."""
FEWER = () if SHORT else (4, 16)
"""With how many callers the peers may try besides: their best counts."""
RUNS = 1 if SHORT else 7
CAMPAIGNS = 20 if SHORT else 1500
ONE_BY_ONE = 4 if SHORT else 40
"""Campaigns of a single caller."""
AIM = 2.0
SYNCS = 1000
BY = Actor(id="bench", name="Bench")
SETTINGS = SmsSettings(
    name="Winter sale",
    text="Hello {{name}}, all boots at half price until Sunday: https://shop.example/boots",
    sender_id=new_id(),
    link_id="bench",
)
COUNTS = {"accepted": 2000, "invalid": 3, "duplicate": 5, "suppressed": 0}
BUILT = {"queued": 2000, "skipped": 0, "segments": 2000}
LIFE: eventsourced.Life = {
    "settings": SETTINGS.model_dump(mode="json"),
    "by": BY.model_dump(),
    "audience": new_id(),
    "counts": COUNTS,
    "built": BUILT,
}
METHOD = f"""
One process with {CALLERS} callers at once (what the campaign service has under way when many
campaigns come to their moment: `launching.AT_ONCE`), and with one. Ours: `executing.execute` with
the product's decider against its own nats-server (`sync_interval: always`: every entry is fsynced
before its acknowledgement, those asked for at once together); what the process knows of a history
is believed until the log refuses an entry. Theirs: {{name}} with an aggregate of the same fields,
its default transcoder, a cache of aggregates that are believed in the same way; callers are
threads, with
{CALLERS} callers the best of {", ".join(map(str, (*FEWER, CALLERS)))} threads. SQLite: a file in
write-ahead mode as the library sets it, `synchronous=FULL`. PostgreSQL: {{version}}, a
connection per thread, {postgres.DURABLE}, inserting by the library's database functions
(`POSTGRES_ENABLE_DB_FUNCTIONS`, its quicker way). Sides take turns, {{runs}} runs of {{campaigns}}
campaigns with six decisions. This disk: {{syncs:,.0f}} writes with fdatasync a second, one by one.
"""


def commands() -> Iterator[CampaignCommand]:
    """The life of a campaign."""
    now = datetime.now(UTC)
    yield Create(SETTINGS, BY, now)
    yield AcceptContacts(audience=LIFE["audience"], by=BY, **COUNTS)
    yield Approve(BY)
    yield MarkBuilt(**BUILT)
    yield KeepTime(now)
    yield Complete()


DECISIONS = len(list(commands()))


@dataclass(slots=True)
class Side:
    """Who decides; `rates`: decisions a second by number of callers, a figure for each run."""

    name: str
    lead: Callable[[int, int], Awaitable[None]]
    """Lead so many campaigns through their lives, with so many callers at a time."""
    callers: tuple[int, ...]
    rates: dict[int, list[float]] = field(default_factory=dict)
    costs: dict[int, list[float]] = field(default_factory=dict)
    """Milliseconds of this process's processor time for a decision, in the same way."""

    async def run(self) -> None:
        for callers in self.callers:
            campaigns = ONE_BY_ONE if callers == 1 else CAMPAIGNS
            began, used = time.perf_counter(), time.process_time()
            await self.lead(campaigns, callers)
            rate = campaigns * DECISIONS / (time.perf_counter() - began)
            cost = (time.process_time() - used) * 1000 / campaigns / DECISIONS
            self.rates.setdefault(callers, []).append(rate)
            self.costs.setdefault(callers, []).append(cost)
            say(f"  {self.name}, {callers} callers: {rate:,.0f}/s, {cost:.2f} ms")

    def best(self) -> int:
        """Return how many callers suit it best; one does not count."""
        return max(
            (callers for callers in self.rates if callers > 1),
            key=lambda callers: median(self.rates[callers]),
        )


async def measure() -> Findings:
    """Measure all sides in turn."""
    collect_garbage_less_often()  # as every service does
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as name, ExitStack() as ending:
        folder = Path(name)
        async with (
            bare_servers(folder / "carillon", lambda _: None) as servers,
            nats_at(servers.nats_url) as nc,
        ):
            ours = Side("carillon", _ours(nc), (1, CALLERS))
            in_file = ending.enter_context(eventsourced.in_sqlite(folder / "events.sqlite"))
            server = ending.enter_context(postgres.postgres(folder / "postgres"))
            callers = (1, *FEWER, CALLERS)
            in_server = ending.enter_context(eventsourced.in_postgres(server, CALLERS))
            sides = [
                ours,
                Side("SQLite", _theirs(in_file), callers),
                Side("PostgreSQL", _theirs(in_server), callers),
            ]
            syncs = syncs_per_s(folder)
            for _ in range(RUNS):
                for side in sides:
                    await side.run()
    return _findings(sides, syncs)


def _ours(nc: nats.aio.client.Client) -> Callable[[int, int], Awaitable[None]]:
    log = EventLog(nc)

    async def lead(campaigns: int, callers: int) -> None:
        waiting = iter(range(campaigns))

        async def call() -> None:
            for _ in waiting:
                address = Address("bench", new_id())
                for command in commands():
                    origin = Origin(new_id(), datetime.now(UTC), "bench")
                    await execute(log, campaign_decider, address, command, origin)

        await asyncio.gather(*(call() for _ in range(callers)))

    return lead


def _theirs(application: eventsourced.Campaigns) -> Callable[[int, int], Awaitable[None]]:
    async def lead(campaigns: int, callers: int) -> None:
        await asyncio.to_thread(eventsourced.decide, application, campaigns, callers, LIFE)

    return lead


def syncs_per_s(folder: Path) -> float:
    """Return how often a second this disk can be told to keep a few bytes."""
    with (folder / "synced").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(SYNCS):
            file.write(b"x" * 300)
            os.fdatasync(file.fileno())
        return SYNCS / (time.perf_counter() - began)


def _findings(sides: list[Side], syncs: float) -> Findings:
    ours, *peers = sides
    rows = [_row(ours, CALLERS, peer, peer.best()) for peer in peers]
    rows += [_row(ours, 1, peer, 1) for peer in peers]
    return Findings(
        title="Append of campaign decisions, durable",
        method=" ".join(METHOD.split()).format(
            name=eventsourced.NAME,
            version=postgres.version(),
            runs=RUNS,
            campaigns=CAMPAIGNS,
            syncs=syncs,
        ),
        rows=tuple(rows),
    )


def _row(ours: Side, callers: int, peer: Side, their_callers: int) -> Row:
    costs = median(ours.costs[callers]), median(peer.costs[their_callers])
    row = Row(
        what=f"durable decisions on campaigns, {callers} at a time",
        unit="decisions/s",
        ours=tuple(ours.rates[callers]),
        beside=f"{eventsourced.NAME}, {peer.name}",
        theirs=tuple(peer.rates[their_callers]),
        note=f"processor time for one, besides servers: {costs[0]:.2f} ms, {costs[1]:.2f} ms",
    )
    if callers == 1:
        return row
    note = f"{row.note}; theirs with {their_callers} threads"
    if (row.ratio or 0) < AIM:
        note += "; ours is bound by one process's work for a decision"
    return row.model_copy(
        update={"aim": f">= {AIM:g} times", "reached": (row.ratio or 0) >= AIM, "note": note}
    )


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # as every service has
    measured("appending", measure)
