"""What the pacer's estimates promise."""

import random

import pytest

from dialler.shortage import ExactShortage, NormalShortage
from dialler.survival import AnswerRate, Rings, Spells


def test_running_spells_count_as_long_as_they_have_lasted() -> None:
    """After two minutes only short talks have ended; most still run."""
    dice = random.Random(5)
    talks = [dice.expovariate(1 / 120) for _ in range(200)]
    short, both = Spells(120.0, 600), Spells(120.0, 600)
    for talk in talks:
        if talk < 60:
            short.finished(talk)
            both.finished(talk)
    short.learn([])
    both.learn([60.0 for talk in talks if talk >= 60])
    assert short.ends_within(0.0, 60.0) > 0.8
    assert both.ends_within(0.0, 60.0) == pytest.approx(1 - 0.6065, abs=0.08)


def test_spells_of_constant_length_end_when_they_should() -> None:
    spells = Spells(150.0, 600)
    for _ in range(500):
        spells.finished(100.0)
    spells.learn([])
    assert spells.ends_within(10.0, 20.0) < 0.05
    assert spells.ends_within(85.0, 40.0) > 0.9


def test_spells_never_end_more_than_surely() -> None:
    spells = Spells(0.5, 600)
    spells.learn([])
    assert 0.0 <= spells.ends_within(5e5, 10.0) <= 1.0


def test_the_memory_of_spells_stays_in_bounds() -> None:
    spells = Spells(10.0, 20)
    for _ in range(2000):
        spells.finished(10.0)
    spells.learn([])
    assert spells.ends_within(9.0, 4.0) > 0.8


def test_the_answer_rate_follows_a_step_within_a_few_hundred_dials() -> None:
    dice, rate = random.Random(1), AnswerRate()
    for _ in range(2000):
        rate.seen(person=dice.random() < 0.2)
    assert rate.value() == pytest.approx(0.2, abs=0.04)
    for _ in range(250):
        rate.seen(person=dice.random() < 0.5)
    assert rate.value() == pytest.approx(0.5, abs=0.1)


def test_shares_of_ring_times_sum_to_one() -> None:
    rings = Rings(3.0, 20.0, 1500, 8)
    rings.seen(1000.0)
    assert sum(rings.shares()) == pytest.approx(1.0)


def risk_by_throwing(idle: int, seats: list[float], others: list[float]) -> float:
    dice, turns = random.Random(3), 10_000
    found = sum(
        idle + sum(dice.random() < seat for seat in seats)
        <= sum(dice.random() < other for other in others)
        for _ in range(turns)
    )
    return found / turns


@pytest.mark.parametrize("idle", [-1, 0, 2])
def test_both_ways_to_sum_agree_with_throwing_dice(idle: int) -> None:
    rare, likely, others = [0.05] * 20, [0.3, 0.5, 0.7, 0.9] * 2, [0.1, 0.3, 0.5] * 3
    exact = ExactShortage(idle, rare, likely, others, 0.2)
    normal = NormalShortage(idle, rare, likely, others, 0.2)
    thrown = risk_by_throwing(idle, rare + likely, others)
    assert exact.risk() == pytest.approx(thrown, abs=0.015)
    assert normal.risk() == pytest.approx(thrown, abs=0.02)


def test_one_more_call_raises_the_risk() -> None:
    for shortage in (
        ExactShortage(1, [0.1] * 5, [0.5], [0.3] * 2, 0.2),
        NormalShortage(1, [0.1] * 5, [0.5], [0.3] * 2, 0.2),
    ):
        before = shortage.risk()
        shortage.add()
        assert shortage.risk() > before


def test_a_free_seat_with_nothing_in_flight_is_no_risk() -> None:
    assert ExactShortage(1, [], [], [], 0.3).risk() == 0.0
    assert ExactShortage(0, [], [], [], 0.3).risk() == 1.0
