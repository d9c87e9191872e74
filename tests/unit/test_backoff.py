"""A campaign's own failures make it rest, longer each time; those of others are not its own."""

from asyncio import CancelledError
from types import SimpleNamespace

import pytest
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs

from campaign_events import backoff
from campaign_events.backoff import Backoff
from campaign_events.decider import Conflict
from campaign_events.eventlog import Rejected, Unavailable


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("campaign_events.backoff.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_campaign_rests_longer_each_time_and_no_longer_than_a_minute(clock: list[float]) -> None:
    failing, rests = Backoff(), []
    for _ in range(8):
        assert failing.own("c", KeyError("name"))
        rests.append(failing.rest_s("c"))
        clock[0] += rests[-1]
        assert not failing.rests("c")
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_a_while_without_a_failure_a_campaign_begins_anew(clock: list[float]) -> None:
    failing = Backoff()
    for _ in range(3):
        failing.own("c", KeyError("name"))
        clock[0] += failing.rest_s("c")
    clock[0] += backoff.LONGEST_S
    failing.own("c", KeyError("name"))
    assert failing.rest_s("c") == backoff.FIRST_S


def test_while_it_rests_it_is_told_once_and_others_do_not_rest(clock: list[float]) -> None:
    failing = Backoff()
    with capture_logs() as told:
        for _ in range(5):
            assert failing.own("c", KeyError("name"))
            clock[0] += 0.01
    assert [(one["campaign"], one["why"]) for one in told] == [("c", "KeyError: 'name'")]
    assert not failing.rests("d")


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect(),
        Conflict("x"),
        Unavailable("x"),
        Rejected("x"),
        TimeoutError(),
        CancelledError(),
    ],
)
def test_what_concerns_everybody_goes_on(error: BaseException) -> None:
    failing = Backoff()
    with pytest.raises(type(error)), failing.guarding("c"):
        raise error
    assert not failing.rests("c")
