from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign_events.message import SendingExpired, SendingFailed, SendingFinished
from dispatcher.audience import Audience
from dispatcher.finishing import end_of
from dispatcher.links.link import Source
from dispatcher.outgoing import Outgoing
from dispatcher.refusals import Refusals

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAST, FUTURE = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)


def outgoing(mode: Any = "on_demand", **facts: Any) -> Outgoing:
    nowhere: Any = None
    facts = {"planned": True, "paused": False} | facts
    return Outgoing("c", "w", Audience(nowhere, "a"), mode, "x", Source("Shop"), **facts)


@pytest.mark.parametrize(
    ("campaign", "end"),
    [
        (outgoing(queued=1, fresh=1), None),
        (outgoing(submitting=1), None),
        (outgoing(submitted=1), None),
        (outgoing(), SendingFinished()),
        (outgoing(planned=False), None),
        (outgoing(finished=True), None),
        (outgoing(submitted=1, last_submitted_at=NOW - 2 * HOUR), SendingFinished(waited=True)),
        (outgoing(submitted=1, last_submitted_at=NOW - HOUR / 2), None),
        (outgoing(submitted=1, queued=1, last_submitted_at=NOW - 2 * HOUR), None),
        (outgoing(queued=3, ends_at=FUTURE), None),
        (outgoing(queued=3, ends_at=PAST), SendingExpired(left=3)),
        (outgoing(queued=3, ends_at=PAST, paused=True), SendingExpired(left=3)),
        (outgoing(queued=3, submitting=1, ends_at=PAST), None),
        (outgoing(queued=3, ends_at=PAST, expired=True, finished=True), None),
        (outgoing(submitted=3, ends_at=PAST), SendingExpired(left=0)),
        (outgoing(submitted=3, ends_at=PAST, expired=True), None),
        (outgoing(ends_at=PAST, expired=True), SendingFinished()),
        (outgoing(ends_at=PAST), SendingFinished()),
        (outgoing("trigger"), None),
        (outgoing("trigger", submitted=1, last_submitted_at=NOW - 2 * HOUR), None),
        (outgoing("trigger", ends_at=PAST), SendingExpired(left=0)),
        (outgoing("trigger", queued=2, ends_at=PAST), SendingExpired(left=2)),
        (outgoing("trigger", ends_at=NOW - timedelta(milliseconds=500)), None),
        (outgoing("trigger", ends_at=PAST, expired=True), SendingFinished()),
        (outgoing("trigger", queued=1, ends_at=PAST, expired=True), SendingFinished()),
    ],
)
def test_a_campaign_ends_when_nothing_is_left_to_do(campaign: Outgoing, end: Any) -> None:
    assert end_of(campaign, NOW, HOUR) == end


def test_after_its_end_nothing_is_taken_to_the_very_moment() -> None:
    campaign = outgoing(queued=1, ends_at=NOW)
    assert campaign.sends(NOW - timedelta(microseconds=1))
    assert not campaign.sends(NOW)


def test_when_its_window_closes_nothing_is_taken_even_before_it_is_paused() -> None:
    campaign = outgoing(queued=1, closes_at=NOW)
    assert campaign.sends(NOW - timedelta(microseconds=1))
    assert not campaign.sends(NOW)


@pytest.mark.parametrize(
    ("refused", "accepted", "fails"), [(99, 0, False), (100, 0, True), (5000, 1, False)]
)
def test_a_campaign_fails_when_its_first_hundred_are_refused(
    refused: int, accepted: int, fails: bool
) -> None:
    campaign = outgoing(queued=9, refused=refused, accepted=accepted)
    assert isinstance(end_of(campaign, NOW, HOUR), SendingFailed) == fails


def refusing(minutes: list[float], each: int = 1) -> Refusals:
    refusals = Refusals()
    for minute in minutes:
        refusals.refused(each, NOW + timedelta(minutes=minute))
    return refusals


def test_a_campaign_fails_when_everything_is_refused_for_ten_minutes() -> None:
    assert not refusing([*range(10)], each=50).last_long
    assert refusing([*range(11)], each=50).last_long
    campaign = outgoing(queued=9, accepted=5, refusals=refusing([*range(11)]))
    end = end_of(campaign, NOW + HOUR, HOUR)
    assert isinstance(end, SendingFailed)
    assert "10 minutes" in end.reason


def test_a_few_refusals_far_apart_say_nothing_about_a_link() -> None:
    assert not refusing([0, 5, 9, 14]).last_long
    assert not refusing([0, 11, 22, 33, 44, 55], each=50).last_long


@pytest.mark.parametrize("kind", ["submitted", "deferred", "undecided"])
def test_any_other_answer_ends_a_row_of_refusals(kind: str) -> None:
    campaign = outgoing(queued=9, submitting=9, refusals=refusing([*range(11)]))
    campaign.count(kind, 1, NOW + HOUR)
    assert not campaign.refusals.last_long


def test_a_pause_ends_a_row_of_refusals() -> None:
    campaign = outgoing(queued=9, refusals=refusing([*range(11)]))
    campaign.follow({"status": "paused"})
    assert not campaign.refusals.last_long
