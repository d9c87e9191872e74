"""What every telephony promises, whoever implements it; the tests are called with a stage."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

import pytest

from dialler.telephony.telephony import (
    NORMAL_CLEARING,
    Answered,
    Attached,
    CallEvent,
    CallId,
    Ended,
    LiveCall,
    Originate,
    Ringing,
    Screened,
    Screening,
    Telephony,
)

PATIENCE_S = 25

type Open = Callable[[], AbstractAsyncContextManager[Telephony]]


@dataclass(frozen=True)
class Stage:
    """A phone side and people of known habits: `phone` gives another one's number each time."""

    open: Open
    phone: Callable[[str], str]
    away: Callable[[], None]
    back: Callable[[], None]
    destination: str = "agents"
    nowhere: str = "nobody"
    ring_timeout_s: float = 5.0


@dataclass
class Watched:
    """A telephony and everything that it ever told."""

    telephony: Telephony
    told: list[CallEvent] = field(default_factory=list)
    acknowledging: bool = True

    async def until(self, condition: Callable[[], bool]) -> None:
        """Take in what is told until the condition holds; give up with all that was told."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    batch = await self.telephony.events()
                    self.told += batch.events
                    if self.acknowledging:
                        self.telephony.acknowledge(batch.events)
        except TimeoutError:
            pytest.fail(f"waited in vain ({self.telephony.reason=}); told: {self.told}")

    async def more(self) -> list[CallEvent]:
        """What is told next."""
        before = len(self.told)
        await self.until(lambda: len(self.told) > before)
        return self.told[before:]

    def of(self, call_id: CallId) -> list[CallEvent]:
        return [event for event in self.told if event.call_id == call_id]

    def heard(self, call_id: CallId, kind: type[CallEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.of(call_id))

    def end(self, call_id: CallId) -> Ended:
        return next(event for event in self.of(call_id) if isinstance(event, Ended))

    async def reached(self, calls: Sequence[CallId], kind: type[CallEvent]) -> None:
        await self.until(lambda: all(self.heard(call_id, kind) for call_id in calls))

    async def ended(self, calls: Sequence[CallId]) -> list[Ended]:
        await self.reached(calls, Ended)
        return [self.end(call_id) for call_id in calls]


@asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[Watched]:
    async with stage.open() as telephony:
        seen = Watched(telephony)
        await seen.until(lambda: telephony.up)
        yield seen


_numbers = count()


def call(
    stage: Stage, habit: str, *, amd: bool = False, destination: str | None = None
) -> Originate:
    return Originate(
        call_id=f"{uuid4()}.{next(_numbers)}",
        phone=stage.phone(habit),
        caller_id="15550000000",
        ring_timeout_s=stage.ring_timeout_s,
        destination=destination or stage.destination,
        amd=Screening(5000) if amd else None,
    )


async def each_end_is_told_by_its_outcome(stage: Stage) -> None:
    habits = {
        "busy": "busy",
        "declines": "rejected",
        "unallocated": "unallocated",
        "congested": "error",
        "silent": "no_answer",
    }
    calls = {habit: call(stage, habit) for habit in habits}
    async with watched(stage) as seen:
        seen.telephony.originate(list(calls.values()))
        ends = await seen.ended([one.call_id for one in calls.values()])
    assert {habit: end.outcome for habit, end in zip(habits, ends, strict=True)} == habits
    assert all(end.cause is not None for end in ends)
    assert not any(isinstance(event, Answered | Attached) for event in seen.told)


async def a_conversation_is_told_step_by_step(stage: Stage) -> None:
    wanted = call(stage, "answers")
    async with watched(stage) as seen:
        seen.telephony.originate([wanted])
        await seen.reached([wanted.call_id], Answered)
        seen.telephony.attach([wanted.call_id])
        await seen.reached([wanted.call_id], Attached)
        assert LiveCall(wanted.call_id, "attached") in await seen.telephony.live()
        seen.telephony.hang_up([wanted.call_id])
        (end,) = await seen.ended([wanted.call_id])
        assert wanted.call_id not in {one.call_id for one in await seen.telephony.live()}
    assert [type(event) for event in seen.of(wanted.call_id)] == [
        *(Ringing, Answered, Attached, Ended),
    ]
    assert end.outcome == "answered"
    times = [event.at for event in seen.of(wanted.call_id)]
    assert times == sorted(times)
    assert all(at.tzinfo is not None for at in times)


async def people_and_machines_are_told_apart(stage: Stage) -> None:
    person, machine = call(stage, "answers", amd=True), call(stage, "machine", amd=True)
    both = [person.call_id, machine.call_id]
    async with watched(stage) as seen:
        seen.telephony.originate([person, machine])
        await seen.reached(both, Screened)
        seen.telephony.hang_up(both)
        ends = await seen.ended(both)
    verdicts = {one.call_id: one.verdict for one in seen.told if isinstance(one, Screened)}
    assert verdicts == {person.call_id: "human", machine.call_id: "machine"}
    assert [end.outcome for end in ends] == ["answered", "answered"]


async def the_same_call_is_placed_once(stage: Stage) -> None:
    wanted = call(stage, "answers")
    async with watched(stage) as seen:
        seen.telephony.originate([wanted])
        seen.telephony.originate([wanted])
        await seen.reached([wanted.call_id], Answered)
        seen.telephony.originate([wanted])
        seen.telephony.hang_up([wanted.call_id])
        await seen.ended([wanted.call_id])
        seen.telephony.originate([wanted])
        await seen.more()
    assert sum(isinstance(event, Ringing) for event in seen.told) == 1
    assert isinstance(seen.told[-1], Ended)


async def a_call_hung_up_before_its_answer_is_cancelled(stage: Stage) -> None:
    wanted = call(stage, "silent")
    async with watched(stage) as seen:
        seen.telephony.originate([wanted])
        await seen.reached([wanted.call_id], Ringing)
        seen.telephony.hang_up([wanted.call_id])
        (end,) = await seen.ended([wanted.call_id])
    assert end.outcome == "cancelled"


async def a_destination_that_takes_no_call_ends_it(stage: Stage) -> None:
    wanted = call(stage, "answers", destination=stage.nowhere)
    async with watched(stage) as seen:
        seen.telephony.originate([wanted])
        await seen.reached([wanted.call_id], Answered)
        seen.telephony.attach([wanted.call_id])
        (end,) = await seen.ended([wanted.call_id])
    assert end.outcome == "answered"
    assert end.cause is not None
    assert end.cause.q850 != NORMAL_CLEARING
    assert not any(isinstance(event, Attached) for event in seen.told)


async def another_process_takes_over_live_calls(stage: Stage) -> None:
    talking, waiting = call(stage, "answers"), call(stage, "answers")
    both = [talking.call_id, waiting.call_id]
    async with watched(stage) as first:
        first.telephony.originate([talking, waiting])
        await first.reached(both, Answered)
        first.telephony.attach([talking.call_id])
        await first.reached([talking.call_id], Attached)
    async with watched(stage) as second:
        standings = await second.telephony.recall([*both, "never-heard-of"])
        by_id = {one.call_id: one for one in standings}
        assert by_id[talking.call_id] == LiveCall(talking.call_id, "attached")
        assert by_id[waiting.call_id] == LiveCall(waiting.call_id, "answered")
        stranger = by_id["never-heard-of"]
        assert isinstance(stranger, Ended)
        assert stranger.outcome == "unknown"
        second.telephony.attach([waiting.call_id])
        await second.reached([waiting.call_id], Attached)
        second.telephony.hang_up(both)
        ends = await second.ended(both)
    assert [end.outcome for end in ends] == ["answered", "answered"]


async def calls_that_died_with_the_phone_side_are_told_as_over(stage: Stage) -> None:
    talking, ringing, late = (
        call(stage, "answers"),
        call(stage, "silent"),
        call(stage, "answers"),
    )
    async with watched(stage) as seen:
        seen.telephony.originate([talking, ringing])
        await seen.reached([talking.call_id], Answered)
        seen.telephony.attach([talking.call_id])
        await seen.reached([talking.call_id], Attached)
        await seen.reached([ringing.call_id], Ringing)
        stage.away()
        await seen.until(lambda: not seen.telephony.up)
        assert seen.telephony.reason
        seen.telephony.originate([late])
        (unsent,) = await seen.ended([late.call_id])
        stage.back()
        ends = await seen.ended([talking.call_id, ringing.call_id])
        await seen.until(lambda: seen.telephony.up)
        assert await seen.telephony.live() == []
        again = call(stage, "busy")
        seen.telephony.originate([again])
        (busy,) = await seen.ended([again.call_id])
    assert unsent.outcome == "unsent"
    assert [end.outcome for end in ends] == ["answered", "unknown"]
    assert busy.outcome == "busy"


PROMISES = [
    each_end_is_told_by_its_outcome,
    a_conversation_is_told_step_by_step,
    people_and_machines_are_told_apart,
    the_same_call_is_placed_once,
    a_call_hung_up_before_its_answer_is_cancelled,
    a_destination_that_takes_no_call_ends_it,
    another_process_takes_over_live_calls,
    calls_that_died_with_the_phone_side_are_told_as_over,
]
