"""Views over MESSAGES: folds as data, and the law that batches do not matter."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.envelope import Event, Recorded
from campaign_events.message import (
    Deferral,
    Failure,
    MessagesDeferred,
    MessagesPlanned,
    MessagesRecovered,
    MessagesRefused,
    MessagesReported,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesTaken,
    MessagesUndecided,
    PartReport,
    PlanFinished,
    SendingFinished,
    Skipped,
    Submission,
)
from campaign_events.verifying import seen
from folding import folded, recorded
from read_model.projections import COUNTERS, fold_messages
from read_model.views.delivery import donut
from read_model.views.moves import STILL, Move, move
from read_model.views.pulse import count

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def failures(*numbers: int) -> tuple[Failure, ...]:
    return tuple(Failure(number=number, error="8") for number in numbers)


PLANNED = MessagesPlanned(
    audience="a",
    first=1,
    last=5,
    parts=((1, 3), (2, 1)),
    skipped=(Skipped(number=5, reason="suppressed"),),
)
TAKEN = MessagesTaken(link="l", epoch=1, spans=((1, 3),), count=3)
SUBMITTED = MessagesSubmitted(
    link="l", messages=tuple(Submission(number=n, carrier_ids=("x",)) for n in (1, 2))
)
FACTS: tuple[tuple[Event, Move], ...] = (
    (PLANNED, Move(planned=5, segments=5, skipped=1)),
    (TAKEN, Move(submitting=3)),
    (SUBMITTED, Move(submitting=-2, submitted=2, sent=2)),
    (MessagesRefused(link="l", failures=failures(3)), Move(submitting=-1, failed=1)),
    (
        MessagesDeferred(link="l", deferrals=(Deferral(number=3, error="88", after_s=1),)),
        Move(submitting=-1),
    ),
    (
        MessagesSkipped(skipped=(Skipped(number=4, reason="suppressed"),)),
        Move(skipped=1),
    ),
    (
        MessagesReported(link="l", delivered=(1,), failed=failures(2)),
        Move(submitted=-2, delivered=1, failed=1, reported=True),
    ),
    (
        MessagesReported(link="l", parts=(PartReport(number=1, part=0, delivered=True),)),
        STILL,
    ),
    (MessagesUndecided(link="l", numbers=(3,)), Move(submitting=-1, failed=1)),
    (
        MessagesRecovered(link="l", delivered=(3,), failed=failures(4)),
        Move(delivered=1, failed=-1, sent=2, reported=True),
    ),
    (SendingFinished(), STILL),
    (PlanFinished(queued=4, skipped=1, segments=5), STILL),
)


@pytest.mark.parametrize(("event", "expected"), FACTS, ids=repr)
def test_every_fact_states_what_it_moves(event: Event, expected: Move) -> None:
    assert move(event) == expected


@some.composite
def logs(draw: some.DrawFn) -> list[Recorded[Any]]:
    facts = draw(some.lists(some.sampled_from(FACTS), min_size=1, max_size=30))
    things = draw(some.lists(some.sampled_from("abc"), min_size=len(facts), max_size=len(facts)))
    return [
        recorded(seq * draw(some.sampled_from((1, 700))), thing, event, f"w-{thing < 'c'}")
        for seq, (thing, (event, _)) in enumerate(zip(things, facts, strict=True), 1)
    ]


@given(logs(), some.lists(some.integers(1, 30)))
def test_cutting_the_log_anywhere_gives_the_same_views(
    entries: list[Recorded[Any]], cuts: list[int]
) -> None:
    assert seen(folded(fold_messages, entries, cuts)) == seen(folded(fold_messages, entries))


@given(logs())
def test_hours_and_seconds_add_up_to_the_totals(entries: list[Recorded[Any]]) -> None:
    kept = folded(fold_messages, entries).get(COUNTERS, {}).values()
    hours = _sum(counted for counted in kept if "hour" in counted)
    seconds = _sum(counted for counted in kept if "second" in counted)
    totals = _sum(counted for counted in kept if not counted.keys() & {"hour", "second"})
    assert hours["sent"] == totals["sent"]
    assert hours["failed"] == totals["failed"]
    assert seconds["delivered"] == totals["delivered"]


def _sum(documents: Iterable[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for document in documents:
        total.update({name: value for name, value in document.items() if type(value) is int})
    return total


def _started(seconds_ago: float) -> Iterator[dict[str, Any]]:
    yield {"_id": "c", "started_at": NOW - timedelta(seconds=seconds_ago)}


def test_the_donut_loads_until_the_first_report_and_no_longer_than_30_s() -> None:
    waiting = {"c": {"submitted": 5}}
    assert donut(list(_started(1)), waiting, NOW)["state"] == "loading"
    assert donut(list(_started(31)), waiting, NOW)["state"] == "ready"
    reported = {"c": {"submitted": 4, "delivered": 1, "first_report_at": NOW}}
    assert donut(list(_started(1)), reported, NOW) == {
        "delivered": 1,
        "in_flight": 4,
        "errors": 0,
        "state": "ready",
    }


def test_the_donut_of_campaigns_that_have_not_started_is_ready() -> None:
    assert donut([{"_id": "c"}], {}, NOW)["state"] == "ready"
    assert donut([], {}, NOW)["state"] == "ready"


def test_deliveries_of_the_last_seconds_pass_with_time_alone() -> None:
    counted = [
        {"_id": "w/1", "second": NOW, "delivered": 3},
        {"_id": "w/2", "second": NOW + timedelta(seconds=2), "delivered": 4},
        {"_id": "campaign", "delivered": 100},
    ]

    after = [count(counted, NOW + timedelta(seconds=passed), 5) for passed in (2, 5, 7)]

    assert after == [7, 4, 0]
