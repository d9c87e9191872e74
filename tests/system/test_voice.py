"""Voice campaigns of a whole platform over HTTP, with the simulated phone network behind it."""

import asyncio
import signal
from collections import Counter

import pytest

from ledgers import differing_views
from phones_process import rung_twice_at_once
from stack_campaigns import Crew
from stacks import Platform, until
from voice_campaigns import WISH, calls_of, people, started, told, until_row

FINAL = {"completed", "failed", "abandoned", "machine_detected"}
AWAY_S = 3.0

pytestmark = [pytest.mark.slow, pytest.mark.serial, pytest.mark.timeout(240)]


async def test_a_campaign_goes_on_by_itself_when_mongodb_or_the_log_was_away(
    up: Platform, crew: Crew
) -> None:
    phones = people(250, 11)
    campaign = await started(crew, phones)

    async def dialled(count: int) -> None:
        await until(lambda: len(told(up, "dialled", phones)) >= count, f"{count} dials")

    await dialled(30)
    for name in ("mongo", "nats"):
        await up.signal(name, signal.SIGSTOP)
        await asyncio.sleep(AWAY_S)
        await up.signal(name, signal.SIGCONT)
        await dialled(len(told(up, "dialled", phones)) + 20)
    for name in ("nats", "mongo"):
        for _ in range(2):  # the launcher waits longer before it starts it a second time
            await up.kill(name)
        await dialled(len(told(up, "dialled", phones)) + 20)
    row = await until_row(crew, campaign, status="completed")

    assert row["stats"]["total_calls"] == row["progress"]["processed_count"] == len(phones)
    calls = await calls_of(crew, campaign)
    assert len(calls) == len(phones)
    assert {call["status"] for call in calls} <= FINAL
    assert not rung_twice_at_once(told(up, "ended", phones))
    rung = Counter(line["phone"] for line in told(up, "dialled", phones))
    assert all(rung[call["phone"]] <= call["attempts"] <= 2 for call in calls)
    assert await differing_views(up) == []


async def test_an_always_on_campaign_begins_with_nobody_and_calls_who_joins(
    up: Platform, crew: Crew
) -> None:
    phones = people(30, 13)
    made = await crew.post("/campaigns", WISH | {"always_on": True})
    assert made == await crew.seen(f"/campaigns/{made['id']}")
    await crew.act(made["id"], "start")
    for some in (phones[:10], phones[5:]):
        contacts = [{"phone": phone, "variables": {"name": "Ada"}} for phone in some]
        report = await crew.post(f"/campaigns/{made['id']}/contacts", {"contacts": contacts})
    assert (report["accepted"], report["duplicate"]) == (20, 5)
    await until(lambda: len({one["phone"] for one in told(up, "dialled", phones)}) == 30, "calls")
    row = await until_row(crew, made["id"], status="running")
    assert row["stats"]["total_calls"] == 30
    await crew.act(made["id"], "stop")
    row = await until_row(crew, made["id"], status="completed")
