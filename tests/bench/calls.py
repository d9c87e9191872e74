"""How long one turn of the dialler takes with five hundred live calls and twenty dials a second."""

import asyncio
import tempfile
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bench.rows import SHORT, Findings, Row, measured, say
from stack_campaigns import Crew, csv_of
from stacks import Platform, ask, platform
from voice_campaigns import WISH, people

DIALS_PER_S = 20
TALK_S = 25
LIVE = 60 if SHORT else 500
MEASURED_S = 5 if SHORT else 40
SEATS = 1_000
MOST_MS = 50.0
TURNS = "carillon_dialling_turn_seconds"
TELEPHONY = f"""
[[telephony]]
id = "sim"
type = "simulator"
seed = 5
answer = 0.95
machine = 0.0
busy = 0.0
rejected = 0.0
unallocated = 0.0
congested = 0.0
unreachable = 0.0
post_dial_s = [1, 2]
ring_s = 4
talk_mean_s = {TALK_S}
talk_cv = 0.3
wrap_s = 0
"""
METHOD = f"""\
One predictive campaign dials {DIALS_PER_S} a second (`cps_limit`) for {SEATS:,} seats in the
simulated phone network, in real time; nearly everybody answers and talks for some {TALK_S} s, so
that {LIVE} calls and more are live. From then on, for {MEASURED_S} s, every turn of the dialler
counts: hearing what the network said, deciding, appending to the log (fsynced) and dialling. From
the service's own histogram, between whose bounds values are taken as evenly spread.
"""

type Buckets = dict[float, float]


async def measure() -> Findings:
    """Fill the room, then look at a stretch of turns."""
    with (
        tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder,
        platform(Path(folder), telephony=TELEPHONY) as up,
    ):
        crew = Crew.of(up)
        wish = WISH | {"concurrency_limit": SEATS, "cps_limit": DIALS_PER_S}
        made = await crew.post("/campaigns", wish | {"redial_rules": {"max_attempts": 1}})
        count = (LIVE * 2 // DIALS_PER_S + MEASURED_S + 10) * DIALS_PER_S
        await crew.uploaded(made["id"], csv_of(people(count, area=15)))
        await crew.act(made["id"], "start")
        while (live := (await _stats(crew, made["id"]))["live"]) < LIVE:
            await asyncio.sleep(0.5)
        say(f"{live} calls are live")
        before, first = await _buckets(up), await _stats(crew, made["id"])
        await asyncio.sleep(MEASURED_S)
        after, last = await _buckets(up), await _stats(crew, made["id"])
        dialled = last["attempts"] - first["attempts"]
        least = min(first["live"], last["live"])
        await crew.close()
    turns = {bound: after[bound] - before[bound] for bound in after}
    p50, p99 = (_quantile(turns, share) * 1000 for share in (0.5, 0.99))
    row = Row(
        what=f"{LIVE} live calls at {DIALS_PER_S} dials/s: one turn of the dialler, p99",
        unit="ms",
        ours=(p99,),
        aim=f"below {MOST_MS:.0f} ms",
        reached=p99 < MOST_MS,
        note=f"p50 {p50:.1f} ms over {max(turns.values()):,.0f} turns; {least} calls or more were "
        f"live, {dialled / MEASURED_S:.1f} dials/s",
    )
    return Findings(title="Live calls", method=METHOD, rows=(row,))


async def _stats(crew: Crew, campaign: str) -> dict[str, int]:
    stats: dict[str, int] = (await ask(crew.author, "GET", f"/campaigns/{campaign}"))["stats"]
    return stats


async def _buckets(up: Platform) -> Buckets:
    """How many turns have taken at most so many seconds."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{up.file().services['dialler'].url}/metrics")).text
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{TURNS}_bucket"
    }


def _quantile(turns: Buckets, share: float) -> float:
    """The seconds that a share of all turns stays below."""
    wanted = share * max(turns.values())
    lower, below = 0.0, 0.0
    for bound, count in sorted(turns.items()):
        if count >= wanted:
            return lower + (bound - lower) * (wanted - below) / max(count - below, 1)
        lower, below = bound, count
    return lower


if __name__ == "__main__":
    measured("calls", measure)
