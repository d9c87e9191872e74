"""A live call's states, the seats, and who is abandoned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.call import Outcome
from campaign_events.voice import Amd, VoiceSettings
from dialler.calling import Call, hear, outcome, take_over
from dialler.names import CallId, parse_call_id
from dialler.rate import Rate
from dialler.refusals import Refusals
from dialler.room import Room
from dialler.talking import Orders, Talking
from dialler.tally import Tally
from dialler.telephony.telephony import (
    Answered,
    Attached,
    CallEvent,
    Cause,
    Ended,
    LiveCall,
    Ringing,
    Screened,
)

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
OFF = Amd()
ON = Amd(enabled=True)


def call(name: str = "c") -> Call:
    return Call(1, 1, "first", name, "+49", AT)


def settings(**chosen: Any) -> VoiceSettings:
    return VoiceSettings.model_validate({"name": "c", "destination": "sim:agents", **chosen})


def test_a_call_goes_from_the_dial_to_the_conversation() -> None:
    one = call()
    states = []
    for event in (Ringing("c", AT), Answered("c", AT), Attached("c", AT)):
        hear(one, event, OFF)
        states.append(one.state)
    assert states == ["ringing", "attaching", "in_progress"]
    assert outcome(one, Ended("c", AT, "answered")) == "connected"


def test_with_detection_the_verdict_is_awaited() -> None:
    one = call()
    assert hear(one, Answered("c", AT), ON) is None
    assert one.state == "amd_screening"
    assert hear(one, Screened("c", AT, "human"), ON) == "seat"


@pytest.mark.parametrize(
    ("verdict", "action", "need"),
    [
        ("machine", "teardown", "hang_up"),
        ("machine", "continue", "seat"),
        ("unknown", "teardown", "hang_up"),
        ("unknown", "continue", "seat"),
    ],
)
def test_machines_and_doubts_are_treated_as_the_campaign_says(
    verdict: Any, action: Any, need: str
) -> None:
    amd = Amd(enabled=True, action_on_machine=action, action_on_unknown=action)
    one = call()
    hear(one, Answered("c", AT), amd)
    assert hear(one, Screened("c", AT, verdict), amd) == need
    if need == "hang_up":
        assert outcome(one, Ended("c", AT, "answered")) == "machine"


@pytest.mark.parametrize(
    ("told", "came_to"),
    [
        ("busy", "busy"),
        ("no_answer", "no_answer"),
        ("rejected", "rejected"),
        ("error", "error"),
        ("timeout", "timeout"),
        ("unallocated", "error"),
        ("unsent", "error"),
        ("unknown", "error"),
        ("cancelled", "error"),
    ],
)
def test_what_nobody_answered_is_what_the_phone_side_says(told: Any, came_to: Outcome) -> None:
    assert outcome(call(), Ended("c", AT, told)) == came_to


def test_who_hangs_up_before_there_is_a_seat_was_abandoned() -> None:
    one = call()
    hear(one, Answered("c", AT), OFF)
    assert outcome(one, Ended("c", AT, "answered", Cause(16))) == "abandoned"


def test_a_destination_that_takes_nobody_is_an_error() -> None:
    one = call()
    hear(one, Answered("c", AT), OFF)
    one.asked = True
    assert outcome(one, Ended("c", AT, "answered", Cause(3))) == "error"


EVENTS = some.lists(
    some.sampled_from(
        [Ringing("c", AT), Answered("c", AT), Screened("c", AT, "human"), Attached("c", AT)]
    ),
    max_size=12,
)
ORDER = ("dialling", "ringing", "amd_screening", "attaching", "in_progress", "_processing")


@given(EVENTS, some.booleans())
def test_late_and_repeated_events_never_move_a_call_back(
    events: list[CallEvent], screened: bool
) -> None:
    one, amd = call(), Amd(enabled=screened)
    for event in events:
        before = ORDER.index(one.state)
        hear(one, event, amd)
        assert ORDER.index(one.state) >= before


def test_a_call_that_outlived_its_dialler_goes_on_where_it_is() -> None:
    one = call()
    assert take_over(one, LiveCall("c", "answered"), OFF, AT) == "seat"
    talking = call()
    take_over(talking, LiveCall("c", "attached"), OFF, AT)
    assert talking.state == "in_progress"
    assert outcome(talking, Ended("c", AT, "unknown")) == "connected"


def floor(seats: int, amd: Amd = OFF) -> tuple[Room, Talking]:
    room = Room(staffed=seats, target=0.03, max_wait=2, amd_on=amd.enabled, now=AT.timestamp())
    return room, Talking(room)


def answered(talking: Talking, *names: str) -> None:
    talking.place([call(name) for name in names])
    talking.hear([Answered(name, AT) for name in names], settings(), Orders())


def test_who_answers_gets_a_seat_and_who_waits_too_long_is_hung_up_on() -> None:
    room, talking = floor(1)
    answered(talking, "a", "b")
    orders = Orders()
    talking.seat(room.now, 2, orders)
    assert orders.attach == ["a"]
    assert not orders.hang_up
    room.tick(room.now + 2)
    talking.seat(room.now, 2, orders)
    assert orders.hang_up == ["b"]
    assert (room.humans, room.connected, room.abandoned) == (2, 1, 1)
    assert outcome(talking.calls["b"], Ended("b", AT, "answered")) == "abandoned"


def test_a_seat_is_free_again_after_its_wrap_up() -> None:
    room, talking = floor(1)
    answered(talking, "a")
    orders = Orders()
    talking.seat(room.now, 2, orders)
    talking.hear([Ended("a", AT, "answered", wrap_s=20)], settings(), orders)
    assert room.idle == 0
    room.tick(room.now + 19)
    assert room.idle == 0
    room.tick(room.now + 2)
    assert room.idle == 1
    kinds = [event[0] for event in room.events]
    assert kinds == [*("READY", "DIALLED", "ANSWERED", "HUMAN", "CONNECTED", "TALK_END", "READY")]


def test_ringing_calls_are_not_seats() -> None:
    room, talking = floor(3)
    talking.place([call(name) for name in "abcdef"])
    talking.hear([Ringing(name, AT) for name in "abc"], settings(), Orders())
    assert (room.idle, room.lines) == (3, 6)


def test_who_was_given_a_seat_by_a_dialler_that_died_is_given_one_again() -> None:
    room, talking = floor(2)
    found = call("a")
    found.state, found.asked, found.answered_at = "attaching", True, AT
    talking.calls["a"] = found
    orders = Orders()
    talking.adopt([LiveCall("a", "answered")], settings(), AT, orders)
    talking.seat(room.now, 2, orders)
    assert orders.attach == ["a"]
    assert (room.humans, room.idle) == (1, 1)


def test_whom_a_dialler_that_died_had_hung_up_on_is_hung_up_on_again() -> None:
    room, talking = floor(2)
    found = call("a")
    found.state, found.meant, found.answered_at = "_processing", "abandoned", AT
    talking.calls["a"] = found
    orders = Orders()
    talking.adopt([LiveCall("a", "answered")], settings(), AT, orders)
    talking.seat(room.now, 2, orders)
    assert orders.hang_up == ["a"]
    assert not orders.attach


def test_a_machine_that_was_found_out_while_no_dialler_lived_gets_no_seat() -> None:
    room, talking = floor(2)
    talking.calls["a"] = call("a")
    orders = Orders()
    found = LiveCall("a", "answered", "machine")
    talking.adopt([found], settings(amd=Amd(enabled=True)), AT, orders)
    talking.seat(room.now, 2, orders)
    assert orders.hang_up == ["a"]
    assert not orders.attach
    talking.hear([Screened("a", AT, "machine")], settings(amd=Amd(enabled=True)), orders)
    assert room.humans == 0


def test_an_end_is_heard_once() -> None:
    _, talking = floor(1)
    talking.place([call("a")])
    orders = Orders()
    talking.hear([Ended("a", AT, "busy"), Ended("a", AT, "busy")], settings(), orders)
    assert len(orders.ended) == 1
    assert not talking.calls


@given(
    some.lists(some.tuples(some.floats(0, 0.4), some.integers(0, 9)), max_size=80),
    some.sampled_from([0.5, 1, 2.5, 10]),
)
def test_no_second_sees_more_dials_than_the_limit(
    asks: list[tuple[float, int]], per_s: float
) -> None:
    rate, now, dials = Rate(per_s), 0.0, list[float]()
    for pause, wanted in asks:
        now += pause
        count = min(wanted, rate.room(now))
        rate.spend(count, now)
        dials += [now] * count
    span = max(int(per_s), 1) / per_s - 1e-6
    for since in dials:
        assert sum(since <= at < since + span for at in dials) <= max(int(per_s), 1)


def test_the_ratio_is_taken_over_its_window() -> None:
    tally = Tally([{"hour": AT - timedelta(hours=30), "people": 50, "abandoned": 5}])
    tally.add(AT, 10, 1)
    assert tally.over("campaign", AT) == (60, 6)
    assert tally.over("24h", AT) == (10, 1)
    assert tally.over("30d", AT) == (60, 6)


def test_a_telephony_that_refuses_everything_is_known_by_that() -> None:
    refusals = Refusals()
    for _ in range(100):
        assert refusals.reason is None
        refusals.failed(AT)
    assert refusals.reason is not None
    carried = Refusals()
    carried.end()
    for second in range(700):
        carried.failed(AT + timedelta(seconds=second))
    assert carried.reason is not None


@given(some.uuids(), some.integers(1, 9999), some.integers(1, 10**9 - 1))
def test_a_calls_name_is_read_as_it_was_written(campaign: Any, run: int, number: int) -> None:
    name = CallId(str(campaign), run, number)
    assert parse_call_id(str(name)) == name
    assert len(name.attempt(99_999)) <= 64


@pytest.mark.parametrize("text", ["", "x-1-1", f"{'c' * 36}-1", f"{'c' * 36}-01-1", "é" * 40])
def test_other_texts_name_no_call(text: str) -> None:
    assert parse_call_id(text) is None
