"""Death at random moments: the campaign still ends, nobody is written to twice, and all ledgers
agree. `CARILLON_CHAOS_SEED` repeats a run's kills (as far as timing lets one).
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaos import CARRIER, seed
from ledgers import (
    CarrierLedger,
    Story,
    agreement,
    differing_reports,
    differing_rows,
    differing_views,
    log_ledger,
    message_rows,
    receipts_paid,
    report_rows,
)
from stack_campaigns import FINAL, Crew, phones
from stacks import SERVICES, Link, Platform, platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

SERVERS = ("nats", "mongo", "carrier", "edge")
LOSING = ("dispatcher", "nats", "carrier")
"""Whoever dies of these may leave a window of messages undecided."""
LONG_NAME = "Maximiliane " * 14
ONE_IN = 20


@dataclass(frozen=True)
class Trial:
    """How big a campaign, how fast, and who dies how often while it runs."""

    messages: int
    rate: float
    deaths: Sequence[str]
    window: int = 100

    @property
    def gap_s(self) -> float:
        """So that all of them die while messages go out, however quick the platform is."""
        return self.messages / self.rate / (len(self.deaths) + 1)


SERVICES_DIE = Trial(4_000, 160, (*SERVICES, *SERVICES, "dispatcher", "campaign", "read_model"))
SERVERS_DIE = Trial(3_000, 180, (*SERVERS, *SERVERS, "dispatcher"))
EVERYBODY_DIES = Trial(50_000, 400, ("dispatcher", "campaign", "nats", "mongo", "carrier") * 7)


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def up(trial: Trial, tmp_path: Path) -> Iterator[Platform]:
    link = Link("sim", trial.window, trial.rate)
    with platform(tmp_path, carrier=CARRIER, links=[link], undecided_wait_s=5) as started:
        yield started


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(SERVICES_DIE, id="services"),
        pytest.param(SERVERS_DIE, id="servers"),
        pytest.param(
            EVERYBODY_DIES,
            id="everybody",
            marks=[
                pytest.mark.timeout(1800),
                pytest.mark.skipif(not os.environ.get("CARILLON_CHAOS"), reason="`make chaos`"),
            ],
        ),
    ],
    indirect=True,
)
async def test_whoever_dies_nobody_is_written_to_twice_and_all_ledgers_agree(
    up: Platform, crew: Crew, trial: Trial
) -> None:
    chosen = seed()
    sys.stdout.write(f"\nCARILLON_CHAOS_SEED={chosen}\n")
    numbers = phones(trial.messages)
    made = await crew.campaign(await crew.sender(), text="Hello {{name}}, we are open.")
    campaign = str(made["id"])
    report = await crew.uploaded(campaign, _csv(numbers))
    assert report["accepted"] == trial.messages
    await crew.approve(campaign)
    await _kill_while_it_runs(up, crew, campaign, trial, random.Random(chosen))

    row = await crew.until_status(campaign, "done", within_s=900)
    await receipts_paid(up)
    await up.all_ready()
    story = await log_ledger(up, crew.workspace, campaign)
    carrier = CarrierLedger.of(up, numbers)
    sys.stdout.write(f"kills {Counter(up.kills)}\n{story.stats}\n")
    sys.stdout.write(f"given up {story.undecided}, unknown for good {story.unknown}\n")
    assert carrier.twice == []
    assert agreement(story, carrier, numbers) == []
    _check_totals(story, row["stats"], trial)
    assert story.undecided <= trial.window * sum(name in LOSING for name in up.kills)
    rows = await message_rows(crew.author, campaign)
    assert differing_rows(story, rows, numbers) == []
    assert differing_reports(rows, await report_rows(crew.author, campaign)) == []
    assert await differing_views(up) == []
    await _check_overview(crew, story, campaign)


def _csv(numbers: Sequence[str]) -> str:
    """One in twenty has so long a name that the message takes two segments."""
    rows = (
        f"{number},{LONG_NAME if index % ONE_IN == 0 else 'Ada'}\n"
        for index, number in enumerate(numbers)
    )
    return "phone,name\n" + "".join(rows)


async def _kill_while_it_runs(
    up: Platform, crew: Crew, campaign: str, trial: Trial, chance: random.Random
) -> None:
    deaths = list(trial.deaths)
    chance.shuffle(deaths)
    for name in deaths:
        await asyncio.sleep(chance.uniform(0.1, 1.9) * trial.gap_s)
        await up.kill(name)
    row = await crew.seen(f"/campaigns/{campaign}")
    assert row["status"] not in FINAL, "it ended before everybody had died"


def _check_totals(story: Story, shown: dict[str, int], trial: Trial) -> None:
    told = story.stats
    assert told["total"] == trial.messages
    assert told["delivered"] + told["failed"] + told["skipped"] == trial.messages
    assert told["queued"] == told["submitting"] == told["submitted"] == 0
    assert shown["total"] == trial.messages
    assert story.ends == 1


async def _check_overview(crew: Crew, story: Story, campaign: str) -> None:
    """What the pages show is what the log tells."""
    assert (await crew.seen(f"/campaigns/{campaign}"))["stats"] == story.stats
    page = await crew.seen("/overview")
    assert page["kpi"] == {"total": 1, "active": 0, "completed": 1, "failed": 0}
    assert page["funnel"]["done"] == 1
    assert page["delivery"] == {"delivered": 0, "in_flight": 0, "errors": 0, "state": "ready"}
    assert [row["stats"] for row in page["recent"]["items"]] == [story.stats]
    hours = page["activity"]["items"]
    assert sum(hour["failed"] for hour in hours) == story.stats["failed"]
    sent = sum(bool(message.ids) for message in story.messages.values())
    assert sum(hour["sent"] for hour in hours) == sent
