"""The simulated phone network behind our own client, and what else it promises to tests."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import phones_process
from dialler.telephony.registry import open_telephony
from dialler.telephony.settings import SimulatorSettings
from dialler.telephony.simulator import Simulator
from dialler.telephony.telephony import Answered, Attached, Ended, LiveCall, Ringing, Telephony
from phones.config import Behaviour
from phones.fate import Fate, Fates
from phones_process import Phones
from telephony_contract import PROMISES, Stage, Watched, call, watched

HABITS: dict[str, object] = {
    "seed": 3,
    "time_scale": 50.0,
    "answer": 0.4,
    "rejected": 0.1,
    "unallocated": 0.1,
    "congested": 0.1,
    "unreachable": 0.0,
    "amd_errors": 0.0,
    "amd_unknown": 0.0,
    "patience_s": 3000,
    "talk_mean_s": 3000,
}


def people() -> Callable[[str], str]:
    """Give the number of somebody whose first call comes to the wanted end, a new one each time."""
    fates = Fates(Behaviour.model_validate({"id": "sim", "type": "simulator", **HABITS}))
    numbers = map(str, count(15550000000))
    return lambda habit: next(one for one in numbers if _habit(fates.of(one, 1)) == habit)


def _habit(fate: Fate) -> str:
    names = {"rejected": "declines", None: "silent"}
    if fate.answer is None:
        return names.get(fate.failure, str(fate.failure))
    return "answers" if fate.answer == "human" else "machine"


def opened(phones: Phones) -> AbstractAsyncContextManager[Telephony]:
    return open_telephony(
        SimulatorSettings.model_validate({"id": "sim", "type": "simulator", "port": phones.port})
    )


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    with phones_process.running(tmp_path_factory.mktemp("phones"), **HABITS) as phones:
        yield phones


@pytest.fixture(scope="module")
def stage(phones: Phones) -> Stage:
    return Stage(lambda: opened(phones), people(), phones.kill, phones.start, ring_timeout_s=100)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_the_simulator_keeps_the_promise(
    promise: Callable[[Stage], Coroutine[Any, Any, None]], stage: Stage
) -> None:
    await promise(stage)


async def test_what_nobody_acknowledged_is_told_to_whoever_recalls_the_call(
    stage: Stage, phones: Phones
) -> None:
    wanted = call(stage, "answers")
    async with watched(stage) as first:
        first.acknowledging = False
        first.telephony.originate([wanted])
        await first.reached([wanted.call_id], Answered)
    async with watched(stage) as second:
        standings = await second.telephony.recall([wanted.call_id])
        assert standings == [LiveCall(wanted.call_id, "answered")]
        await second.reached([wanted.call_id], Answered)
        second.telephony.hang_up([wanted.call_id])
        await second.ended([wanted.call_id])
    assert [type(event) for event in second.told] == [Ringing, Answered, Ended]
    async with watched(stage) as third:
        (ended,) = await third.telephony.recall([wanted.call_id])
    assert isinstance(ended, Ended)
    assert ended.outcome == "answered"
    assert third.told == []
    assert [line["call_id"] for line in phones.lines("dialled")].count(wanted.call_id) == 1


async def test_a_call_that_ends_while_the_dialler_is_away_is_told_later(stage: Stage) -> None:
    wanted = call(stage, "silent")
    async with watched(stage) as first:
        first.telephony.originate([wanted])
        await first.reached([wanted.call_id], Ringing)
        first.telephony.hang_up([wanted.call_id])
    async with watched(stage) as second:
        while True:
            (standing,) = await second.telephony.recall([wanted.call_id])
            if isinstance(standing, Ended):
                break
        assert standing.outcome == "cancelled"
        await second.ended([wanted.call_id])


async def test_wishes_made_while_the_network_is_out_of_reach_are_kept(stage: Stage) -> None:
    wanted = call(stage, "answers")
    async with watched(stage) as seen:
        seen.telephony.originate([wanted])
        await seen.reached([wanted.call_id], Answered)
        async with cut_off(seen):
            seen.telephony.attach([wanted.call_id])
        await seen.reached([wanted.call_id], Attached)


async def test_a_conversation_ends_with_a_disposition_and_a_seat_that_wraps_up(
    tmp_path: Path,
) -> None:
    talkative = HABITS | {
        "answer": 1.0,
        "busy": 0,
        "rejected": 0,
        "unallocated": 0,
        "congested": 0,
        "machine": 0,
        "talk_mean_s": 1,
        "dispositions": {"callback_requested": 0.5, "not_interested": 0.3},
    }
    with phones_process.running(tmp_path, **talkative) as phones:
        numbers = map(str, count(15550000000))
        nobody = (lambda: None, lambda: None)
        stage = Stage(lambda: opened(phones), lambda _: next(numbers), *nobody, ring_timeout_s=500)
        calls = [call(stage, "answers") for _ in range(60)]
        async with watched(stage) as seen:
            seen.telephony.originate(calls)
            ids = [one.call_id for one in calls]
            await seen.reached(ids, Answered)
            seen.telephony.attach(ids)
            ends = await seen.ended(ids)
    said = Counter(end.disposition for end in ends)
    assert set(said) == {"callback_requested", "not_interested", "completed"}
    assert all(end.wrap_s > 0 for end in ends)
    for end in ends:
        assert (end.callback is not None) == (end.disposition == "callback_requested")
        if end.callback is not None and end.callback.preferred_time is not None:
            assert end.callback.preferred_time > end.at
    assert any(end.callback and end.callback.preferred_time is None for end in ends)


async def test_calls_of_a_phone_overlap_in_the_ledger_only_if_it_was_rung_twice_at_once(
    stage: Stage, phones: Phones
) -> None:
    first, second = call(stage, "answers"), call(stage, "answers")
    twice = replace(second, call_id=f"{second.call_id}.again")
    async with watched(stage) as seen:
        seen.telephony.originate([first, second, twice])
        await seen.reached([first.call_id], Answered)
        await seen.until(lambda: all(seen.of(one.call_id) for one in (second, twice)))
        seen.telephony.hang_up([first.call_id, second.call_id, twice.call_id])
        await seen.ended([first.call_id, second.call_id, twice.call_id])
    assert phones_process.rung_twice_at_once(phones.lines("ended")) == {second.phone}


async def test_a_dead_simulator_goes_on_with_its_ledger(stage: Stage, phones: Phones) -> None:
    before = call(stage, "busy")
    async with watched(stage) as seen:
        seen.telephony.originate([before])
        await seen.ended([before.call_id])
    phones.kill()
    with phones.ledger.open("ab") as book:
        book.write(b'{"event": "dial')
    phones.start()
    async with watched(stage) as seen:
        (standing,) = await seen.telephony.recall([before.call_id])
        seen.telephony.originate([before, replace(before, call_id="second")])
        await seen.ended(["second"])
    assert isinstance(standing, Ended)
    assert standing.outcome == "busy"
    dialled = {line["call_id"]: line["nth"] for line in phones.lines("dialled")}
    assert (dialled[before.call_id], dialled["second"]) == (1, 2)
    assert [line["call_id"] for line in phones.lines("repeated")][-1] == before.call_id


async def test_it_ends_politely_and_tells_why_it_cannot_begin(tmp_path: Path) -> None:
    with phones_process.running(tmp_path) as phones:
        assert phones.stop() == 0
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[telephony]]\nid = "sim"\ntype = "simulator"\nanswr = 0.3\n')
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "phones", "--config", str(wrong)), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert 'telephony "sim": unknown field answr' in said.decode()


async def test_a_stranger_is_told_why_it_is_refused(phones: Phones) -> None:
    for line in (b'{"hello": "elsewhere"}\n', b"nonsense\n", b'{"hello": "sim"}\n{"do": 1}\n'):
        reader, writer = await asyncio.open_connection("127.0.0.1", phones.port)
        writer.write(line)
        said = [json.loads(one) for one in (await reader.read()).splitlines()]
        assert "refused" in said[-1]
        writer.close()


@asynccontextmanager
async def cut_off(seen: Watched) -> AsyncIterator[None]:
    """The connection breaks while the block begins, and is there again when it has ended."""
    simulator = seen.telephony
    assert isinstance(simulator, Simulator)
    assert simulator._writer is not None
    simulator._writer.transport.abort()
    await seen.until(lambda: not simulator.up)
    yield
    await seen.until(lambda: simulator.up)
