"""Views grown from the log afresh, beside pyeventsourcing, FastStream, and reading alone."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from eventsourcing.application import Application
from nats.aio.client import Client
from pymongo import AsyncMongoClient

import dispatcher.views
import read_model.projections
from bench import eventsourced, projected, streamed
from bench.appending import LIFE
from bench.folding import Mongo, fill_campaigns, fill_messages, fold_rate, read_rate
from bench.postgres import DURABLE, postgres, version
from bench.rows import SHORT, Findings, Row, measured, say
from campaign_events.envelope import new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Document, Projection
from campaign_events.service import collect_garbage_less_often
from carillon.backup.bare import bare_servers
from carillon.servers.connections import nats_at

RUNS = 1 if SHORT else 3
FACTS = 20_000 if SHORT else 2_000_000
CAMPAIGNS = 500 if SHORT else 20_000
THEIR_FACTS = 800 if SHORT else 6_000
"""Facts, and events of campaigns, that each peer gets: seconds' worth of them."""
OF_CAMPAIGNS = 5
AIM_PROJECTED, AIM_STREAMED, AIM_READ = 20.0, 50.0, 0.6
COUNTERS, ROWS = "counters per campaign", "the state of every message"
CAMPAIGN_ROWS, HISTORY = "a row per campaign", "a document per campaign event"
VIEWS = {
    COUNTERS: read_model.projections.MESSAGES,
    ROWS: dispatcher.views.MESSAGES,
    CAMPAIGN_ROWS: read_model.projections.CAMPAIGNS,
    HISTORY: read_model.projections.HISTORY,
}
WHY = {
    COUNTERS: "short: starting and the commits count",
    ROWS: "for each 4 facts the state of a message is put together, encoded, indexed and journaled",
    CAMPAIGN_ROWS: "one thread at a time runs Python, busy for four fifths of the rebuild",
    HISTORY: "one thread at a time runs Python, busy for four fifths; a document for every entry",
}
"""What limits a view, as profiles tell."""
FETCHED = " and ".join(map(str, streamed.BATCHES.values()))
METHOD = f"""
Ours: the product's projections, each into a fresh database, writes and place in one transaction per
batch, `w=majority` with journal, as in the services: {COUNTERS} (with those per second and hour),
{ROWS} (fifty in a document, with counters), {CAMPAIGN_ROWS} (with funnel and authors), {HISTORY}.
The log holds {FACTS:,} facts about messages, up to 500 in an entry, as senders write them, and the
six events of {CAMPAIGNS:,} campaigns, one in an entry. The ordered pull with nothing done to it:
the same follower with the same batches, no fold and no write; each entry is read as an event and
let go of, as folds are given them, and for comparison left as bytes. Theirs get {THEIR_FACTS:,}
facts each, because they take as long for each whatever their number is, of the same kinds with the
same fields, one fact in an event. {projected.NAME}: `ProjectionRunner`, its view a
`PostgresTrackingRecorder`, a transaction per event, {{version}}, {DURABLE}. {streamed.NAME}: a
durable pull subscriber of a stream of the same nats-server (batches of {FETCHED}, what suits each
view best; handlers of a batch run side by side and acknowledge by hand) that upserts into the same
mongod, `w=majority`. Like is compared with like: counters with counters, {ROWS} with a row or a
document per message, a row per campaign with a row per campaign. {RUNS} runs, sides take turns.
"""


@dataclass(slots=True)
class Found:
    """Rates of all runs, by view: facts or entries a second."""

    ours: dict[str, list[float]] = field(default_factory=dict)
    reading: dict[str, list[float]] = field(default_factory=dict)
    bare: dict[str, list[float]] = field(default_factory=dict)
    """Reading bytes."""
    projected: dict[str, list[float]] = field(default_factory=dict)
    streamed: dict[str, list[float]] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)

    def note(self, side: str, view: str, rate: float) -> None:
        getattr(self, side).setdefault(view, []).append(rate)
        say(f"  {side}, {view}: {rate:,.0f}/s")


async def measure() -> Findings:
    """Fill every side's log, then rebuild in turn."""
    collect_garbage_less_often()  # as every service does
    found = Found()
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as name, ExitStack() as ending:
        folder = Path(name)
        async with (
            bare_servers(folder / "carillon", lambda _: None) as servers,
            nats_at(servers.nats_url) as nc,
            _mongo(servers.mongo_url) as mongo,
        ):
            env = projected.env(ending.enter_context(postgres(folder / "postgres")))
            lasts = await _filled(nc, env)
            for _ in range(RUNS):
                await _ours(nc, mongo, found)
                await _projected(env, lasts, found)
                await _streamed(servers.nats_url, mongo, found)
    return _findings(found)


def _mongo(url: str) -> Mongo:
    """Connect as the services do."""
    return AsyncMongoClient[Document](
        url, tz_aware=True, w="majority", journal=True, readConcernLevel="majority"
    )


async def _filled(nc: Client, env: dict[str, str]) -> dict[type[Application[Any]], int]:
    """Fill the logs; return where those of pyeventsourcing end."""
    say(f"filling: {FACTS:,} facts, {CAMPAIGNS:,} campaigns, {THEIR_FACTS:,} for each peer")
    log, campaigns = EventLog(nc), [new_id() for _ in range(OF_CAMPAIGNS)]
    await fill_messages(log, FACTS)
    await fill_campaigns(log, CAMPAIGNS)
    await streamed.fill(nc, campaigns, THEIR_FACTS)
    with projected.Messages(env=env) as messages, eventsourced.Campaigns(env=env) as rows:
        last = await asyncio.to_thread(messages.fill, campaigns, THEIR_FACTS)
        of_rows = await asyncio.to_thread(projected.fill_campaigns, rows, THEIR_FACTS // 6, LIFE)
    return {projected.Messages: last, eventsourced.Campaigns: of_rows}


async def _ours(nc: Client, mongo: Mongo, found: Found) -> None:
    for view, projection in VIEWS.items():
        entries, read = await read_rate(nc, projection)
        found.entries[view] = entries
        found.note("reading", view, read)
        _, bare = await read_rate(nc, projection, as_events=False)
        found.note("bare", view, bare)
        found.note("ours", view, await fold_rate(nc, mongo, projection))


async def _projected(
    env: dict[str, str], lasts: dict[type[Application[Any]], int], found: Found
) -> None:
    kinds = {
        COUNTERS: projected.COUNTERS,
        ROWS: projected.MESSAGES,
        CAMPAIGN_ROWS: projected.CAMPAIGNS,
    }
    for view, kind in kinds.items():
        last = lasts[kind[0]]
        took = await asyncio.to_thread(projected.rebuild_s, env, kind, last)
        found.note("projected", view, last / took)


async def _streamed(url: str, mongo: Mongo, found: Found) -> None:
    handles = {COUNTERS: streamed.upsert_counters, ROWS: streamed.upsert_message}
    for view, handle in handles.items():
        db = mongo[f"bench_{new_id()}"]
        took = await streamed.rebuild_s(url, db["streamed"], handle, THEIR_FACTS)
        found.note("streamed", view, THEIR_FACTS / took)
        await mongo.drop_database(db.name)


def _findings(found: Found) -> Findings:
    rows = [
        _beside(found, view, f"{projected.NAME} into PostgreSQL", found.projected, AIM_PROJECTED)
        for view in found.projected
    ]
    rows += [
        _beside(found, view, f"{streamed.NAME}, an upsert per fact", found.streamed, AIM_STREAMED)
        for view in found.streamed
    ]
    rows += [_share(found, view, projection) for view, projection in VIEWS.items()]
    return Findings(
        title="Projection rebuild",
        method=" ".join(METHOD.format(version=version()).split()),
        rows=tuple(rows),
    )


def _beside(
    found: Found, view: str, beside: str, theirs: dict[str, list[float]], aim: float
) -> Row:
    row = Row(
        what=f"rebuild: {view}",
        unit="facts/s",
        ours=_facts(found, view, found.ours[view]),
        beside=beside,
        theirs=tuple(theirs[view]),
        aim=f">= {aim:g} times",
    )
    return row.model_copy(update={"reached": (row.ratio or 0) >= aim})


def _facts(found: Found, view: str, rates: Sequence[float]) -> tuple[float, ...]:
    """Return facts per second for entries per second."""
    if VIEWS[view].stream == "CAMPAIGNS":
        return tuple(rates)
    return tuple(rate * FACTS / found.entries[view] for rate in rates)


def _share(found: Found, view: str, projection: Projection) -> Row:
    row = Row(
        what=f"rebuild: {view}",
        unit="entries/s",
        ours=tuple(found.ours[view]),
        beside="the ordered pull alone, entries as events",
        theirs=tuple(found.reading[view]),
        aim=f">= {AIM_READ:g} times",
    )
    bare = row.model_copy(update={"theirs": tuple(found.bare[view])})
    note = f"{bare.ratio or 0:.2f} of the pull of bytes; {_facts_in(found, view, projection)}"
    reached = (row.ratio or 0) >= AIM_READ
    if not reached:
        note += f"; {WHY[view]}"
    return row.model_copy(update={"reached": reached, "note": note})


def _facts_in(found: Found, view: str, projection: Projection) -> str:
    if projection.stream == "CAMPAIGNS":
        return "one event in an entry"
    return f"{FACTS / found.entries[view]:.0f} facts in an entry"


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # as every service has
    measured("rebuilding", measure)
