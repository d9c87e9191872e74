"""Our client against a real Asterisk with a SIPp carrier behind it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from asterisk_lab import ARI, Lab
from dialler.telephony.registry import open_telephony
from dialler.telephony.settings import AsteriskSettings
from dialler.telephony.telephony import (
    NORMAL_CLEARING,
    Answered,
    Attached,
    Callback,
    Ended,
    LiveCall,
    Originate,
    Ringing,
    Screened,
    Screening,
    Telephony,
)
from telephony_contract import PROMISES, Stage, Watched, watched

pytestmark = pytest.mark.timeout(900)  # the first test may have to make the root folder

PERSON, MACHINE, BUSY, PATIENT, UNALLOCATED, DECLINES, QUIET, UNAVAILABLE, CONGESTED, BRIEF = range(
    10
)
HABITS = {
    "answers": PERSON,
    "machine": MACHINE,
    "busy": BUSY,
    "silent": PATIENT,
    "unallocated": UNALLOCATED,
    "declines": DECLINES,
    "congested": CONGESTED,
}
_numbers = count(1)


def phone(digit: int) -> str:
    return f"+1555{next(_numbers):06d}{digit}"


def opened(app: str = "carillon") -> AbstractAsyncContextManager[Telephony]:
    settings = {
        "id": "pbx",
        "type": "asterisk",
        "url": ARI,
        "username": "carillon",
        "password": "lab",
        "app": app,
        "endpoint": "PJSIP/{number}@carrier",
    }
    return open_telephony(AsteriskSettings.model_validate(settings))


@pytest.fixture
def stage(lab: Lab) -> Stage:
    return Stage(
        opened,
        lambda habit: phone(HABITS[habit]),
        lab.kill_asterisk,
        lab.start_asterisk,
        destination=f"PJSIP/1999{QUIET}@carrier",
        nowhere=f"PJSIP/1999{UNALLOCATED}@carrier",
        ring_timeout_s=3.0,
    )


def wanted(digit: int, *, amd: bool = True, destination: str = "echo@desk") -> Originate:
    return Originate(
        call_id=f"{uuid4()}",
        phone=phone(digit),
        caller_id="15550000000",
        ring_timeout_s=3,
        destination=destination,
        amd=Screening(4000) if amd else None,
    )


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_asterisk_keeps_the_promise(
    promise: Callable[[Stage], Coroutine[Any, Any, None]], stage: Stage
) -> None:
    await promise(stage)


async def converse(seen: Watched, calls: list[Originate]) -> None:
    """Attach whom a person answered and hang up on machines, until every call is over."""
    while sum(isinstance(event, Ended) for event in seen.told) < len(calls):
        for event in await seen.more():
            if isinstance(event, Screened) and event.verdict == "human":
                seen.telephony.attach([event.call_id])
            elif isinstance(event, Screened | Attached):
                seen.telephony.hang_up([event.call_id])


async def place(seen: Watched, calls: list[Originate], per_second: float) -> None:
    for one in calls:
        seen.telephony.originate([one])
        await asyncio.sleep(1 / per_second)


async def test_calls_come_to_the_ends_that_their_people_gave_them(
    stage: Stage,
) -> None:
    calls = [wanted(number % 10) for number in range(100)]
    async with watched(stage) as seen:
        placing = asyncio.create_task(place(seen, calls, 30))
        await converse(seen, calls)
        await placing
        assert await seen.telephony.live() == []
    ends: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    verdicts: dict[int, Counter[str]] = defaultdict(Counter)
    digits = {one.call_id: int(one.phone[-1]) for one in calls}
    for event in seen.told:
        if isinstance(event, Ended):
            ends[digits[event.call_id]][event.outcome, str(event.cause)] += 1
        elif isinstance(event, Screened):
            verdicts[digits[event.call_id]][event.verdict] += 1
    assert {digit: dict(ends[digit]) for digit in (2, 3, 4, 5, 7, 8)} == {
        BUSY: {("busy", "17/486"): 10},
        PATIENT: {("no_answer", "19/480"): 10},
        UNALLOCATED: {("unallocated", "1/404"): 10},
        DECLINES: {("rejected", "21/603"): 10},
        UNAVAILABLE: {("no_answer", "19/480"): 10},
        CONGESTED: {("error", "34/503"): 10},
    }
    for digit in (PERSON, MACHINE, QUIET, BRIEF):
        assert {outcome for outcome, _ in ends[digit]} == {"answered"}
        assert ends[digit].total() == 10
    assert verdicts[PERSON] == {"human": 10}
    assert verdicts[MACHINE] == {"machine": 10}
    attached = Counter(digits[one.call_id] for one in seen.told if isinstance(one, Attached))
    assert attached[PERSON] == 10
    assert attached[MACHINE] == 0


async def test_a_destination_in_the_dialplan_tells_what_came_of_the_conversation(
    stage: Stage,
) -> None:
    one = wanted(PERSON, amd=False, destination="survey@desk")
    async with watched(stage) as seen:
        seen.telephony.originate([one])
        await seen.reached([one.call_id], Answered)
        seen.telephony.attach([one.call_id])
        (end,) = await seen.ended([one.call_id])
    assert seen.heard(one.call_id, Attached)
    assert end.disposition == "callback_requested"
    assert isinstance(end.callback, Callback)
    assert end.callback.preferred_time is not None
    assert end.callback.preferred_time.isoformat() == "2030-01-02T03:04:05+00:00"
    assert end.callback.reason == "is driving"
    assert end.wrap_s == 1.5


async def test_somebody_who_hangs_up_ends_the_call_normally(stage: Stage) -> None:
    one = wanted(BRIEF, amd=False)
    async with watched(stage) as seen:
        seen.telephony.originate([one])
        (end,) = await seen.ended([one.call_id])
    assert end.outcome == "answered"
    assert str(end.cause) == f"{NORMAL_CLEARING}"


async def test_a_call_that_another_process_left_is_attached_where_that_one_wanted(
    stage: Stage,
) -> None:
    one = wanted(PERSON, amd=False, destination="echo@desk")
    async with watched(stage) as first:
        first.telephony.originate([one])
        await first.reached([one.call_id], Answered)
    async with watched(stage) as second:
        assert LiveCall(one.call_id, "answered") in await second.telephony.live()
        await second.telephony.recall([one.call_id])
        second.telephony.attach([one.call_id])
        await second.reached([one.call_id], Attached)
        second.telephony.hang_up([one.call_id])
        await second.ended([one.call_id])


async def test_screening_goes_on_while_nobody_listens(stage: Stage) -> None:
    calls = [wanted(PERSON), wanted(MACHINE)]
    ids = [one.call_id for one in calls]
    async with watched(stage) as first:
        first.telephony.originate(calls)
        await first.reached(ids, Answered)
    async with watched(stage) as second:
        await second.telephony.recall(ids)
        await second.reached(ids, Screened)
        second.telephony.hang_up(ids)
        await second.ended(ids)
    verdicts = {one.call_id: one.verdict for one in second.told if isinstance(one, Screened)}
    assert verdicts == dict(zip(ids, ("human", "machine"), strict=True))


async def test_whoever_answers_while_nobody_listens_is_hung_up_on_and_nobody_claims_to_know(
    stage: Stage,
) -> None:
    one, patient = wanted(PERSON, amd=False), wanted(PATIENT)
    async with watched(stage) as first:
        first.telephony.originate([one, patient])
        await first.reached([one.call_id, patient.call_id], Ringing)
    await asyncio.sleep(1.5)  # the person answers, and nothing is here that could tell
    async with watched(stage) as second:
        standing, ringing = await second.telephony.recall([one.call_id, patient.call_id])
        assert isinstance(standing, Ended)
        assert standing.outcome == "unknown"
        assert ringing == LiveCall(patient.call_id, "ringing")
        (end,) = await second.ended([patient.call_id])
        assert end.outcome == "no_answer"
        assert await second.telephony.live() == []


async def test_every_call_is_told_of_when_asterisk_dies_among_them(stage: Stage) -> None:
    calls = [wanted(number % 10) for number in range(90)]
    async with watched(stage) as seen:
        placing = asyncio.create_task(place(seen, calls, 30))
        everything = asyncio.create_task(converse(seen, calls))
        await asyncio.sleep(1.5)
        await asyncio.to_thread(stage.away)
        answered = {one.call_id for one in seen.told if isinstance(one, Answered)}
        over = {one.call_id: one.outcome for one in seen.told if isinstance(one, Ended)}
        await placing
        await asyncio.to_thread(stage.back)
        async with asyncio.timeout(60):
            await everything
    ends = [event for event in seen.told if isinstance(event, Ended)]
    assert sorted(end.call_id for end in ends) == sorted(one.call_id for one in calls)
    late = {end.call_id: end.outcome for end in ends if end.call_id not in over}
    assert all((late[one] == "answered") == (one in answered) for one in late)
    assert set(late.values()) >= {"answered", "unknown", "unsent"}


async def test_a_second_controller_takes_the_application_and_the_first_one_knows(
    stage: Stage,
) -> None:
    async with watched(stage) as first, watched(stage) as second:
        await first.until(lambda: not first.telephony.up)
        assert second.telephony.id == "pbx"
        assert "another program" in str(first.telephony.reason)
