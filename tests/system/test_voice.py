"""Voice campaigns of a whole platform over HTTP, with the simulated phone network behind it."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ledgers import differing_views
from phones_process import rung_twice_at_once
from stack_campaigns import Crew, csv_of
from stacks import Platform, ask, platform, until

TELEPHONY = """
[[telephony]]
id = "sim"
type = "simulator"
seed = 5
time_scale = 20
talk_mean_s = 60
answer = 0.5
dispositions = { not_interested = 0.2 }
"""
WISH: dict[str, Any] = {
    "channel": "voice",
    "name": "Spring",
    "destination": "sim:agents",
    "caller_ids": ["+4930111111"],
    "concurrency_limit": 30,
    "cps_limit": 50,
    "time_window": {"start": "00:00", "end": "23:59", "timezone": "UTC"},
    "campaign_mode": "continuous",
    "redial_rules": {"max_attempts": 2, "retry_delay_minutes": 0},
}
FINAL = {"completed", "failed", "abandoned", "machine_detected"}
AWAY_S = 3.0

pytestmark = [pytest.mark.slow, pytest.mark.serial, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("voice"), telephony=TELEPHONY) as started:
        yield started


@pytest.fixture
async def crew(up: Platform) -> AsyncIterator[Crew]:
    people = Crew.of(up)
    yield people
    await people.close()


def people(count: int, area: int) -> list[str]:
    """Numbers that only the test of this area has."""
    return [f"+4915{area:02d}{number:07d}" for number in range(count)]


def told(up: Platform, event: str, phones: list[str]) -> list[dict[str, Any]]:
    """What the phone network wrote down about these phones."""
    file = up.data / "phones" / "ledger.jsonl"
    wanted = set(phones)
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    read = (json.loads(line) for line in lines if line.endswith("\n"))
    return [line for line in read if line["event"] == event and line["phone"] in wanted]


async def started(crew: Crew, phones: list[str], **settings: Any) -> str:
    made = await crew.post("/campaigns", WISH | settings)
    await crew.uploaded(made["id"], csv_of(phones))
    await crew.act(made["id"], "start")
    return str(made["id"])


async def calls_of(crew: Crew, campaign: str) -> list[dict[str, Any]]:
    page = await ask(crew.author, "GET", f"/campaigns/{campaign}/calls", params={"limit": 1000})
    return list(page["items"])


async def until_row(crew: Crew, campaign: str, within_s: float = 100, **wanted: Any) -> Any:
    """Wait until the campaign's row says so."""
    row: dict[str, Any] = {}
    async with asyncio.timeout(within_s):
        while any(row.get(name) != value for name, value in wanted.items()):
            await asyncio.sleep(0.2)
            row = await ask(crew.author, "GET", f"/campaigns/{campaign}")
    return row


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
