"""Any one node of each cluster may die, and any one process that shares the work: nothing is lost,
nobody is written to twice or rung twice, and all ledgers agree. `CARILLON_CHAOS_SEED` repeats it.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chaos import CARRIER, seed
from ledgers import (
    CarrierLedger,
    agreement,
    differing_reports,
    differing_rows,
    differing_views,
    log_ledger,
    message_rows,
    receipts_paid,
    report_rows,
)
from nodes import MONGO, NATS, mongo_primary, nats_leader, whole
from phones_process import rung_twice_at_once
from stack_campaigns import FINAL, Crew, phones
from stacks import Link, Platform, asked, platform, until
from voice_campaigns import TELEPHONY, calls_of, people, started, told, until_row

CHAOS = bool(os.environ.get("CARILLON_CHAOS"))
pytestmark = [pytest.mark.slow, pytest.mark.serial, pytest.mark.timeout(1800 if CHAOS else 300)]

DISPATCHERS, DIALLERS = ("dispatcher", "dispatcher-2"), ("dialler", "dialler-2")
WINDOW = 50
LINKS = (
    [Link("one", WINDOW, 90), Link("two", WINDOW, 90)]
    if CHAOS
    else [Link("one", WINDOW, 50), Link("two", WINDOW, 50)]
)
MESSAGES, CALLS = (30_000, 3_000) if CHAOS else (4_000, 300)
"""Half of them for each link, or for each of two voice campaigns."""
LEADER, PRIMARY = "the leader", "the primary"


@dataclass(frozen=True)
class Launched:
    """Campaigns under way, with whom they are for."""

    sms: dict[str, Sequence[str]]
    voice: dict[str, list[str]]


@pytest.fixture
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    options = ["--nodes", "3", "--dispatchers", "2", "--diallers", "2"]
    folder = tmp_path_factory.mktemp("clusters")
    with platform(
        folder,
        carrier=CARRIER,
        links=LINKS,
        telephony=TELEPHONY,
        options=options,
        undecided_wait_s=5,
    ) as started_up:
        yield started_up


async def test_any_one_node_and_any_one_owner_may_die_while_campaigns_run(
    up: Platform, crew: Crew
) -> None:
    chance = random.Random(chosen := seed())
    sys.stdout.write(f"\nCARILLON_CHAOS_SEED={chosen}\n")
    await until(lambda: len(links_taken(up)) == len(LINKS), "every dispatcher owns a link")
    campaigns = await launched(crew)
    assert len(await who_counts(up, DISPATCHERS, "carillon_link_submitted_segments_total")) == 2
    assert len(await who_counts(up, DIALLERS, "carillon_dials_total")) == 2

    await kill_one_after_the_other(up, crew, campaigns, chance)

    await asyncio.gather(
        *(crew.until_status(name, "done", within_s=900) for name in campaigns.sms),
        *(until_row(crew, name, within_s=900, status="completed") for name in campaigns.voice),
    )
    sys.stdout.write(f"kills {Counter(up.kills)}\n")
    await whole(up)
    await receipts_paid(up)
    for name, numbers in campaigns.sms.items():
        await check_messages(up, crew, name, numbers)
    for name, called in campaigns.voice.items():
        await check_calls(up, crew, name, called)
    assert await differing_views(up) == []


async def launched(crew: Crew) -> Launched:
    """One SMS campaign on each link and two voice campaigns."""
    share = MESSAGES // len(LINKS)
    sms: dict[str, Sequence[str]] = {}
    for place, link in enumerate(LINKS):
        numbers = phones(share, place * share)
        sms[await crew.launched(numbers, link_id=link.id)] = numbers
    voice = {}
    for area in (20, 22):
        called = people(CALLS // 2, area)
        voice[await started(crew, called, concurrency_limit=20 if CHAOS else 10)] = called
    return Launched(sms, voice)


async def kill_one_after_the_other(
    up: Platform, crew: Crew, campaigns: Launched, chance: random.Random
) -> None:
    """Whoever was killed is back before the next one goes."""
    nodes = [*NATS, *MONGO, LEADER, PRIMARY] if CHAOS else [LEADER, PRIMARY, chance.choice(NATS)]
    owners = [*DISPATCHERS, *DIALLERS] if CHAOS else [chance.choice(DISPATCHERS), DIALLERS[0]]
    deaths = [*nodes, *owners]
    chance.shuffle(deaths)
    for wanted in deaths:
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        name = {LEADER: nats_leader, PRIMARY: mongo_primary}.get(wanted)
        await up.kill(wanted if name is None else await name(up))
        await until(_back(up, up.kills[-1]), f"{up.kills[-1]} is back")
        if up.kills[-1] in (*NATS, *MONGO):
            await whole(up)
    rows = [await crew.seen(f"/campaigns/{name}") for name in campaigns.sms]
    assert any(row["status"] not in FINAL for row in rows), "all ended before everybody had died"


def _back(up: Platform, name: str) -> Callable[[], bool]:
    return lambda: up.file().services[name].pid is not None


def links_taken(up: Platform) -> set[str]:
    """The dispatchers that own a link or have owned one, as their logs say."""
    return {
        name
        for name in DISPATCHERS
        if any("lease taken" in line and ".link-" in line for line in up.log_of(name).splitlines())
    }


async def who_counts(up: Platform, names: Sequence[str], counter: str) -> dict[str, float]:
    """The processes of which each has counted something, once all of them have."""
    counts: dict[str, float] = {}
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(60):
        while len(counts) < len(names):
            for name in names:
                page = await asked(client, "GET", f"{up.file().services[name].url}/metrics")
                lines = [one for one in page.text.splitlines() if one.startswith(counter)]
                count = sum(float(line.rpartition(" ")[2]) for line in lines)
                if count:
                    counts[name] = count
            await asyncio.sleep(0.1)
    sys.stdout.write(f"{counter} {counts}\n")
    return counts


async def check_messages(up: Platform, crew: Crew, name: str, numbers: Sequence[str]) -> None:
    """What the carrier wrote down, the log, and every page say the same of each message."""
    story, carrier = await log_ledger(up, crew.workspace, name), CarrierLedger.of(up, numbers)
    sys.stdout.write(f"{story.stats}, given up {story.undecided}\n")
    assert carrier.twice == []
    assert agreement(story, carrier, numbers) == []
    assert story.stats["delivered"] + story.stats["failed"] == len(numbers)
    assert story.ends == 1
    assert story.undecided <= WINDOW * sum(one in (*DISPATCHERS, *NATS) for one in up.kills)
    rows = await message_rows(crew.author, name)
    assert differing_rows(story, rows, numbers) == []
    assert differing_reports(rows, await report_rows(crew.author, name)) == []
    assert (await crew.seen(f"/campaigns/{name}"))["stats"] == story.stats


async def check_calls(up: Platform, crew: Crew, name: str, called: list[str]) -> None:
    """Every contact has come to one end, and nobody was rung twice at once or too often."""
    row: dict[str, Any] = await crew.seen(f"/campaigns/{name}")
    assert row["stats"]["total_calls"] == row["progress"]["processed_count"] == len(called)
    calls = await calls_of(crew, name) if len(called) <= 1000 else []
    assert not rung_twice_at_once(told(up, "ended", called))
    placed = told(up, "dialled", called)
    assert max(Counter(line["call_id"] for line in placed).values()) == 1
    rung = Counter(line["phone"] for line in placed)
    assert all(rung[call["phone"]] <= call["attempts"] <= 2 for call in calls)
    assert max(rung.values()) <= 2
