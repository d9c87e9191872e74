"""The pacers' promises, by hand-made rooms and short shifts of the simulated one."""

import enum
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.hurried import HurriedRoom, Hurry
from bench.room import Day, Room
from dialler.pacing import KINDS, PredictivePacer, ProgressivePacer

type Event = tuple[Any, float, Any, float | None]


@dataclass
class HandMade:
    idle: Any = 0
    talking: dict[Any, float] = field(default_factory=dict)
    wrapping: dict[Any, float] = field(default_factory=dict)
    dialling: dict[Any, float] = field(default_factory=dict)
    amd: dict[Any, tuple[float, float]] = field(default_factory=dict)
    waiting: dict[Any, float] = field(default_factory=dict)
    staffed: int = 10
    humans: int = 1000
    abandoned: int = 0
    target: float | None = 0.03
    max_wait: float = 2.0
    elapsed_frac: float = 0.5
    amd_on: bool = True


def tell_a_past(pacer: PredictivePacer, people: int = 300) -> float:
    """Three dials, one of them answered by a person, every 10 s; talks of 120 s."""
    now = 0.0
    for turn in range(people):
        now = 10.0 * turn
        for other in ("NOANSWER", "FAILED"):
            pacer.on_event(("DIALLED", now, f"{turn}{other}", None))
            pacer.on_event((other, now + 25, f"{turn}{other}", 25.0))
        pacer.on_event(("DIALLED", now, turn, None))
        pacer.on_event(("ANSWERED", now + 9, turn, 9.0))
        pacer.on_event(("HUMAN", now + 11, turn, None))
        pacer.on_event(("CONNECTED", now + 11, turn, None))
        pacer.on_event(("TALK_END", now + 131, turn % 10, 60.0 + turn % 120))
        pacer.on_event(("READY", now + 151, turn % 10, 20.0))
    return now + 200


@pytest.mark.parametrize("pacer", [ProgressivePacer(0.03), PredictivePacer(0.03)])
def test_free_seats_at_the_start_of_a_shift_get_one_call_each(pacer: Any) -> None:
    assert pacer.calls_to_place(0.0, HandMade(idle=10, humans=0, elapsed_frac=0.0)) == 10


@pytest.mark.parametrize("pacer", [ProgressivePacer(0.03), PredictivePacer(0.03)])
def test_calls_in_flight_are_for_the_free_seats(pacer: Any) -> None:
    room = HandMade(idle=5, humans=0, dialling={1: 0.0, 2: 0.0}, amd={3: (0.0, 1.0)})
    assert pacer.calls_to_place(2.0, room) == 2


def test_the_free_seats_may_come_as_a_set() -> None:
    assert ProgressivePacer().calls_to_place(0.0, HandMade(idle={1, 2, 3})) == 3


def test_nobody_free_and_nobody_near_the_end_means_no_call() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    room = HandMade(talking=dict.fromkeys(range(10), now - 1), humans=300, abandoned=5)
    assert pacer.calls_to_place(now, room) == 0


def test_seats_in_wrap_up_are_dialled_for() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    room = HandMade(wrapping=dict.fromkeys(range(10), now - 10), humans=300)
    assert pacer.calls_to_place(now, room) > 3


def test_free_seats_get_more_than_a_call_each_when_few_people_answer() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    assert pacer.calls_to_place(now, HandMade(idle=10, humans=300)) > 12


def test_it_does_not_overdial_before_twenty_people_answered() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    room = HandMade(idle=4, humans=19, elapsed_frac=0.01)
    assert pacer.calls_to_place(now, room) == 4
    room.humans = 20
    assert pacer.calls_to_place(now + 1, room) > 4


@pytest.mark.parametrize(("own", "room_says"), [(0.0, 0.03), (0.03, 0.0), (0.0, None)])
def test_a_target_of_nothing_is_progressive(own: float, room_says: float | None) -> None:
    pacer = PredictivePacer(own)
    now = tell_a_past(pacer)
    room = HandMade(idle=3, wrapping={5: now - 60}, target=room_says)
    assert pacer.calls_to_place(now, room) == 3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_over_the_limit_the_guard_makes_it_progressive(share: float) -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    free = HandMade(
        idle=3,
        wrapping={5: now - 60, 6: now - 60},
        humans=1000,
        abandoned=60,
        elapsed_frac=share,
    )
    assert pacer.calls_to_place(now, free) == 3


def test_the_price_stays_within_its_bounds_whatever_happens() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    for abandoned in (0, 10, 29, 30, 31, 1000):
        room = HandMade(idle=3, humans=1000, abandoned=abandoned)
        pacer.calls_to_place(now + abandoned, room)
        assert 0.0 < pacer.price <= 0.36


def test_being_asked_twice_does_not_dial_twice() -> None:
    pacer = PredictivePacer(0.03)
    now = tell_a_past(pacer)
    room = HandMade(idle=5, wrapping={5: now - 10}, humans=300)
    wanted = pacer.calls_to_place(now, room)
    for call in range(wanted - 1):
        room.dialling[f"c{call}"] = now
        pacer.on_event(("DIALLED", now, f"c{call}", None))
    assert pacer.calls_to_place(now, room) == 1
    room.dialling["last"] = now
    assert pacer.calls_to_place(now, room) == 0


def test_kinds_are_understood_as_names_members_and_numbers() -> None:
    kinds = enum.Enum("kinds", KINDS)  # type: ignore[misc]
    spoken: list[list[Any]] = [list(KINDS), [kind.lower() for kind in KINDS], list(kinds)]
    for names in [*spoken, list(range(len(KINDS)))]:
        pacer = PredictivePacer(0.03)
        for name in names[:3]:
            pacer.on_event((name, 1.0, 7, None))
        assert pacer._calls[7].takes_seat


def test_events_without_a_beginning_and_duplicates_change_nothing() -> None:
    pacer, plain = PredictivePacer(0.03), PredictivePacer(0.03)
    tell_a_past(plain, 50)
    tell_a_past(pacer, 50)
    for kind in KINDS[1:8]:
        pacer.on_event((kind, 600.0, "never dialled", None))
    pacer.on_event(("NEVER_HEARD_OF", 600.0, "x", 1.0))
    room = HandMade(idle=4, wrapping={1: 690.0}, humans=50)
    assert pacer.calls_to_place(700.0, room) == plain.calls_to_place(700.0, room)


class Recorder(PredictivePacer):
    """Also keeps what it decided."""

    def __init__(self, target: float) -> None:
        super().__init__(target)
        self.decisions: list[int] = []

    def calls_to_place(self, now: float, room: Any) -> int:
        count = super().calls_to_place(now, room)
        self.decisions.append(count)
        return count


def test_the_same_events_give_the_same_decisions() -> None:
    first, second = Recorder(0.03), Recorder(0.03)
    Room(Day(5, hours=0.3), first, 3).run()
    Room(Day(5, hours=0.3), second, 3).run()
    assert first.decisions == second.decisions


SHIFTS = {
    "plain": Day(8, hours=0.4),
    "few answers": Day(6, answers=0.2, hours=0.4),
    "a small limit": Day(8, target=0.005, hours=0.4),
    "no detection": Day(6, amd_on=False, hours=0.4),
    "no wrap-up": Day(6, wrap_s=0.0, hours=0.4),
    "constant talk": Day(6, constant_talk=True, hours=0.4),
    "a break": Day(9, breaks=True, hours=1.0),
    "answers double": Day(6, factor=lambda at: 2.0 if at > 700 else 1.0, hours=0.4),
    "one seat": Day(1, hours=1.0),
}


@pytest.mark.parametrize("day", SHIFTS.values(), ids=SHIFTS)
def test_a_short_shift_keeps_the_ratio(day: Day) -> None:
    outcome = Room(day, PredictivePacer(day.target), 11).run()
    assert outcome.abandonment <= day.target


HURRIES = {
    "a hundred times faster": (60, Hurry(100.0, 2000)),
    "fifty times faster": (200, Hurry(50.0, 2500)),
    "twenty times faster, few seats": (15, Hurry(20.0, 800)),
    "fifty times faster, people wait": (100, Hurry(50.0, 1000, patience_s=3000.0)),
}


@pytest.mark.parametrize(("seats", "hurry"), HURRIES.values(), ids=HURRIES)
def test_the_limit_holds_whatever_the_time_scale(seats: int, hurry: Hurry) -> None:
    room = HurriedRoom(seats, 0.4, hurry, PredictivePacer(0.03), 1)
    assert room.call_everybody() <= 0.03


def test_progressive_abandons_nobody() -> None:
    assert Room(Day(10, hours=0.5), ProgressivePacer(0.03), 1).run().abandonment == 0.0


def test_predictive_keeps_seats_busier_than_progressive() -> None:
    day = Day(12, hours=1.0)
    plain = Room(day, ProgressivePacer(0.03), 2).run().occupancy
    assert Room(day, PredictivePacer(0.03), 2).run().occupancy > plain + 0.06


moments = st.floats(0, 1e5)
names = st.integers(0, 6)
lengths = st.none() | st.floats()
events = st.tuples(st.sampled_from(KINDS), moments, names, lengths)
since = st.dictionaries(names, moments, max_size=6)
rooms = st.builds(
    HandMade,
    idle=st.integers(0, 5),
    talking=since,
    wrapping=since,
    dialling=since,
    amd=st.dictionaries(names, st.tuples(moments, moments), max_size=6),
    waiting=since,
    staffed=st.integers(0, 300),
    humans=st.integers(0, 10_000),
    abandoned=st.integers(0, 400),
    target=st.none() | st.sampled_from([0.0, 0.005, 0.03, 1.0]),
    max_wait=st.floats(0, 30),
    elapsed_frac=st.floats(0, 2),
    amd_on=st.booleans(),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(events, moments, rooms), min_size=1, max_size=20))
def test_no_stream_of_events_and_no_room_makes_it_fail(
    story: list[tuple[Event, float, HandMade]],
) -> None:
    pacer = PredictivePacer(0.03)
    for event, now, room in story:
        pacer.on_event(event)
        assert pacer.calls_to_place(now, room) >= 0
