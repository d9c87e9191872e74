"""Daily windows: what clocks show decides, also when they are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.campaign import DailyWindow
from campaign_events.windows import is_open, next_change

MINUTE = timedelta(minutes=1)


def window(start: str, end: str, timezone: str = "Europe/Berlin") -> DailyWindow:
    return DailyWindow(start=start, end=end, timezone=timezone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


def changes(daily: DailyWindow, since: str, count: int) -> list[str]:
    """The next moments of change in UTC, each with what it brings."""
    told, moment = [], at(since)
    for _ in range(count):
        moment = next_change(daily, moment) or moment
        told.append(f"{moment:%d %H:%M} {'opens' if is_open(daily, moment) else 'closes'}")
    return told


def test_a_window_is_open_from_its_start_until_just_before_its_end() -> None:
    daily = window("09:00", "18:00", "UTC")
    assert not is_open(daily, at("2026-11-22T08:59:59.999999"))
    assert is_open(daily, at("2026-11-22T09:00"))
    assert is_open(daily, at("2026-11-22T17:59:59.999999"))
    assert not is_open(daily, at("2026-11-22T18:00"))


def test_a_window_that_starts_later_than_it_ends_goes_over_midnight() -> None:
    daily = window("22:00", "06:00", "UTC")
    assert [hour for hour in range(24) if is_open(daily, at(f"2026-11-22T{hour:02}:00"))] == [
        *range(6),
        22,
        23,
    ]
    assert changes(daily, "2026-11-22T12:00", 2) == ["22 22:00 opens", "23 06:00 closes"]


def test_the_zone_of_the_window_decides_what_day_and_time_it_is() -> None:
    tokyo = window("09:00", "18:00", "Asia/Tokyo")
    assert changes(tokyo, "2026-11-22T12:00", 2) == ["23 00:00 opens", "23 09:00 closes"]


def test_a_change_is_always_still_to_come() -> None:
    daily = window("09:00", "18:00", "UTC")
    assert next_change(daily, at("2026-11-22T09:00")) == at("2026-11-22T18:00")


def test_local_hours_stay_what_they_are_when_clocks_change() -> None:
    daily = window("09:00", "18:00")
    assert changes(daily, "2026-03-28T07:00", 3) == [
        "28 08:00 opens",
        "28 17:00 closes",
        "29 07:00 opens",
    ]
    assert changes(daily, "2026-10-24T06:00", 3) == [
        "24 07:00 opens",
        "24 16:00 closes",
        "25 08:00 opens",
    ]


def test_a_time_that_is_skipped_is_passed_when_clocks_go_forward() -> None:
    """Berlin, 29 March 2026: 02:00 is 03:00 at once, at 01:00 UTC."""
    assert changes(window("02:30", "05:00"), "2026-03-28T20:00", 2) == [
        "29 01:00 opens",
        "29 03:00 closes",
    ]
    assert changes(window("22:00", "02:30"), "2026-03-28T20:00", 2) == [
        "28 21:00 opens",
        "29 01:00 closes",
    ]


def test_a_window_within_the_skipped_hour_stays_closed_that_day() -> None:
    daily = window("02:10", "02:50")
    assert changes(daily, "2026-03-28T02:00", 2) == ["30 00:10 opens", "30 00:50 closes"]


def test_a_time_that_comes_twice_counts_twice() -> None:
    """Berlin, 25 October 2026: 03:00 is 02:00 again, at 01:00 UTC."""
    assert changes(window("01:00", "02:30"), "2026-10-24T20:00", 4) == [
        "24 23:00 opens",
        "25 00:30 closes",
        "25 01:00 opens",
        "25 01:30 closes",
    ]
    assert changes(window("02:30", "04:00"), "2026-10-24T20:00", 4) == [
        "25 00:30 opens",
        "25 01:00 closes",
        "25 01:30 opens",
        "25 03:00 closes",
    ]


def test_half_an_hour_of_daylight_saving_is_daylight_saving_too() -> None:
    """Lord Howe Island, 4 October 2026: 02:00 is 02:30, at 15:30 UTC the day before."""
    island = window("02:15", "08:00", "Australia/Lord_Howe")
    assert changes(island, "2026-10-03T12:00", 2) == ["03 15:30 opens", "03 21:00 closes"]


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "UTC",
)
TIMES = some.builds("{:02}:{:02}".format, some.integers(0, 23), some.integers(0, 59))


@given(
    TIMES,
    TIMES,
    some.sampled_from(ZONES),
    some.sampled_from(["2026-03-28", "2026-03-07", "2026-04-04", "2026-10-03", "2026-10-24"]),
    some.integers(0, 48 * 60),
)
def test_between_two_changes_nothing_changes(
    start: str, end: str, zone: str, day: str, minutes: int
) -> None:
    if start == end:
        return
    daily = window(start, end, zone)
    moment = at(f"{day}T00:00") + minutes * MINUTE
    change = next_change(daily, moment)
    before = is_open(daily, moment)
    assert change is not None
    assert is_open(daily, change) is not before
    assert change.tzinfo is UTC
    steps = (change - moment) // MINUTE
    assert steps <= 3 * 24 * 60
    assert all(is_open(daily, moment + step * MINUTE) is before for step in range(0, steps, 5))
    assert is_open(daily, change - MINUTE / 60) is before


@pytest.mark.parametrize("zone", ZONES)
def test_outside_of_its_local_times_nothing_is_ever_let(zone: str) -> None:
    daily = window("09:00", "20:00", zone)
    moment = at("2026-03-28T00:00")
    for _ in range(24 * 4 * 10):
        local = moment.astimezone(ZoneInfo(zone))
        assert is_open(daily, moment) is ("09:00" <= f"{local:%H:%M}" < "20:00")
        moment += 15 * MINUTE
