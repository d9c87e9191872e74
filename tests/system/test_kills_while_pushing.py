"""Death at random moments while a client pushes messages: what was answered 202 goes out once."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from chaos import CARRIER, seed
from ledgers import (
    CarrierLedger,
    agreement,
    differing_rows,
    differing_views,
    log_ledger,
    message_rows,
    receipts_paid,
)
from stack_campaigns import Crew, Json, phones
from stacks import Link, Platform, platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

MESSAGES = 2_000
PUSHERS = 8
"""Clients that push at once; each key is pushed by two of them."""
DEATHS = ("dispatcher", "campaign", "nats", "dispatcher", "mongo", "edge", "read_model")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Platform]:
    link = Link("sim", segments_per_second=200)
    with platform(tmp_path, carrier=CARRIER, links=[link], undecided_wait_s=5) as started:
        yield started


async def test_whoever_dies_what_was_pushed_goes_out_once(up: Platform, crew: Crew) -> None:
    chosen = seed()
    sys.stdout.write(f"\nCARILLON_CHAOS_SEED={chosen}\n")
    chance = random.Random(chosen)
    made = await crew.campaign(await crew.sender(), text="Your code is {{code}}", mode="trigger")
    campaign = str(made["id"])
    await crew.approve(campaign)
    await crew.until_status(campaign, "sending")
    numbers = phones(MESSAGES)

    async with asyncio.TaskGroup() as group:
        pushing = [
            group.create_task(_pushed(crew, campaign, numbers, share % (PUSHERS // 2)))
            for share in range(PUSHERS)
        ]
        group.create_task(_kill(up, chance))
    await crew.act(campaign, "stop")

    answers = [answer for one in pushing for answer in one.result()]
    given = dict(answers)
    assert len(given) == MESSAGES
    assert Counter(number for _, number in set(answers)) == Counter(range(1, MESSAGES + 1))
    in_order = sorted(given, key=given.__getitem__)
    await crew.until_status(campaign, "cancelled")
    await receipts_paid(up)
    await up.all_ready()
    story = await log_ledger(up, crew.workspace, campaign)
    sys.stdout.write(f"kills {Counter(up.kills)}\n{story.stats}\n")
    assert agreement(story, CarrierLedger.of(up, numbers), in_order) == []
    rows = await message_rows(crew.author, campaign)
    assert differing_rows(story, rows, in_order) == []
    assert await differing_views(up) == []


async def _pushed(
    crew: Crew, campaign: str, numbers: Sequence[str], share: int
) -> list[tuple[str, int]]:
    """Push every message of a share until it is taken; its phone and the number it was given."""
    given = []
    for index in range(share, MESSAGES, PUSHERS // 2):
        body = {"phone": numbers[index], "variables": {"code": str(index)}, "key": f"k{index}"}
        given.append((numbers[index], await _number(crew, f"/campaigns/{campaign}/messages", body)))
    return given


async def _number(crew: Crew, path: str, body: Json) -> int:
    while True:
        try:
            answer = await crew.author.post(path, json=body)
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code == httpx.codes.ACCEPTED:
            return int(answer.json()["number"])
        assert answer.status_code in (429, 502, 503, 504), answer.text
        await asyncio.sleep(0.1)


async def _kill(up: Platform, chance: random.Random) -> None:
    deaths = list(DEATHS)
    chance.shuffle(deaths)
    for name in deaths:
        await asyncio.sleep(chance.uniform(0.3, 2.5))
        await up.kill(name)
