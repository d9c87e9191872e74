"""How a dispatcher ends, or MongoDB does, while a carrier has messages in hand: nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from campaign_events.eventlog import EventLog
from dispatching import QUICK, Rig, moves
from mongods import Mongod
from servers import PATIENCE_S

pytestmark = pytest.mark.timeout(90)
LONG = "x" * 400 + "{{name}}"
PARTS = 3


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path / "mongod") as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path, nats_url: str, mongod: Mongod, workspace: str, log: EventLog) -> Rig:
    return Rig(tmp_path, nats_url, mongod.url, workspace, log)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_polite_end_between_the_parts_of_long_texts_leaves_nothing_undecided(
    rig: Rig,
) -> None:
    rig.window = 9
    with rig.carrying(QUICK + "[throttle]\nper_second = 5\n"):
        with rig.dispatcher(drain_s=0):
            campaign = await rig.approve(10, text=LONG)
            await rig.start(campaign)
            await _until(lambda: len(rig.carrier.lines("throttled")) > PARTS)
        with rig.dispatcher():
            facts = await rig.until(campaign, "message.finished")

    assert "message.undecided" not in Counter(fact.event.type for fact in facts)
    assert moves(facts) == {"delivered": 10}
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == 10 * PARTS


async def test_what_the_carrier_answers_while_mongodb_is_away_is_not_forgotten(
    rig: Rig, mongod: Mongod
) -> None:
    """Reports on what another process has sent come meanwhile: only MongoDB knows about what."""
    log = rig.folder / "dispatcher.log"
    late = "[receipts]\nmin_s = 6\nmean_s = 8\nmax_s = 12\nretry_after_s = 1\n"
    with rig.carrying(f"[answers]\nlatency_ms = 2000\njitter_ms = 1500\n{late}"):
        with rig.dispatcher():
            before = await rig.approve(rig.window)
            await rig.start(before)
            await _until_submitted(rig, before)
        with rig.dispatcher():
            campaign = await rig.approve(rig.window)
            await rig.start(campaign)
            await _until(lambda: len(rig.carrier.lines("accepted")) == 2 * rig.window)
            mongod.kill()
            await _until(lambda: "link let go" in log.read_text())
            await mongod.back()
            both = [await rig.until(one, "message.finished") for one in (before, campaign)]

    assert "undecided messages" not in log.read_text()
    assert [moves(facts) for facts in both] == [{"delivered": rig.window}] * 2
    assert set(rig.accepted().values()) == {2}


async def _until_submitted(rig: Rig, campaign: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while moves(await rig.facts(campaign)) != {"submitted": rig.window}:
            await asyncio.sleep(0.05)
