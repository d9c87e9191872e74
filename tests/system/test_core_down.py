"""The dispatcher is gone: nothing can be started, everything else goes on, and nothing is lost."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from ledgers import CarrierLedger, agreement, log_ledger, receipts_paid
from problem_documents import problem
from stack_campaigns import Crew, csv_of, phones
from stacks import Platform, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

type Numbers = Callable[[int], list[str]]
type Absence = Callable[[Platform], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def frozen(up: Platform) -> AsyncIterator[None]:
    """The dispatcher stands still, as on a machine that swaps; its port still takes calls."""
    await up.signal("dispatcher", signal.SIGSTOP)
    try:
        yield
    finally:
        await up.signal("dispatcher", signal.SIGCONT)


@asynccontextmanager
async def killed(up: Platform) -> AsyncIterator[None]:
    """The dispatcher dies whenever it is started again."""

    async def kill_again_and_again() -> None:
        while True:
            await up.kill("dispatcher")

    killing = asyncio.create_task(kill_again_and_again())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


@pytest.mark.parametrize("absence", [frozen, killed])
async def test_without_core_nothing_starts_and_with_it_everything_goes_on(
    up: Platform, crew: Crew, numbers: Numbers, absence: Absence
) -> None:
    waiting, halted, flowing = (numbers(120) for _ in range(3))
    ids = [
        await crew.launched(waiting, auto_start=False),
        await crew.launched(halted, link_id="slow"),
        await crew.launched(flowing, link_id="slow"),
    ]
    await crew.until_status(ids[0], "pending")
    await until(lambda: len(up.accepted(halted)) > 3, "the second one flows")
    await crew.act(ids[1], "pause")
    await until(lambda: len(up.accepted(flowing)) > 3, "the third one flows")

    async with absence(up):
        await core_is(crew, "down")
        await starting_is_over(crew, ids[2])
        await check_what_does_not_go(crew, ids)
        await check_what_goes(crew, ids)
        assert len(up.accepted(flowing)) < len(flowing)
    await core_is(crew, "ok")
    for campaign, action in ((ids[0], "start"), (ids[1], "resume"), (ids[2], "resume")):
        await crew.act(campaign, action)
    for campaign, people in zip(ids, (waiting, halted, flowing), strict=True):
        await crew.until_status(campaign, "done")
        await receipts_paid(up)
        story = await log_ledger(up, crew.workspace, campaign)
        assert agreement(story, CarrierLedger.of(up, people), people) == []


async def core_is(crew: Crew, state: str) -> None:
    async with asyncio.timeout(60):
        while (await crew.seen("/overview/pulse"))["core"] != state:
            await asyncio.sleep(0.1)


async def starting_is_over(crew: Crew, sending: str) -> None:
    """Wait until core's last answer, which holds for a second, is forgotten where starts are."""
    async with asyncio.timeout(60):
        while True:
            answer = await crew.author.post(f"/campaigns/{sending}/start")
            if answer.status_code == 503:
                return
            problem(answer, 409, "illegal_transition")
            await asyncio.sleep(0.1)


async def check_what_does_not_go(crew: Crew, ids: list[str]) -> None:
    for campaign, action in ((ids[0], "start"), (ids[1], "resume")):
        answer = await crew.author.post(f"/campaigns/{campaign}/{action}")
        problem(answer, 503, "core_unavailable")
    problem(await crew.author.get("/links"), 503, "core_unavailable")
    assert (await crew.seen("/overview"))["pulse"]["core"] == "down"
    assert (await crew.seen("/diagnostics"))["core_api"]["status"] == "down"
    assert (await crew.seen(f"/campaigns/{ids[0]}"))["status"] == "pending"
    assert (await crew.seen(f"/campaigns/{ids[1]}"))["status"] == "paused"


async def check_what_goes(crew: Crew, ids: list[str]) -> None:
    """Whatever needs no dispatcher: the pages, new campaigns, and holding one back."""
    made = await crew.campaign(await crew.sender("Later"))
    assert (await crew.uploaded(made["id"], csv_of(phones(3))))["accepted"] == 3
    await crew.approve(made["id"])
    await crew.until_status(made["id"], "building")
    assert (await crew.act(made["id"], "stop"))["status"] == "cancelled"
    assert (await crew.act(ids[2], "pause"))["status"] == "paused"
    assert (await crew.seen("/overview/kpi"))["active"] == 3
