from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.portions import EARLIEST, LATEST, Spread

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")]
)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda passed: FIRST + passed)
SPREADS = st.builds(
    lambda start, length, zone: Spread(start, start + length, zone),
    MOMENTS,
    st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    ZONES,
)


def local(spread: Spread, day: int) -> str:
    return spread.opens_at(day).astimezone(spread.zone).strftime("%m-%d %H:%M")


def sent_by_day(spread: Spread, total: int, first: int = 0) -> list[int]:
    left, portions = total, []
    for day in range(first, spread.days):
        portions.append(spread.portion(day, left))
        left -= portions[-1]
    return portions


def test_a_portion_is_the_rest_divided_by_the_days_left_and_rounded_up() -> None:
    start = datetime(2026, 6, 1, 9, tzinfo=UTC)
    spread = Spread(start, start + timedelta(days=4), UTC)
    assert spread.days == 4
    assert sent_by_day(spread, 10) == [3, 3, 2, 2]
    assert sent_by_day(spread, 2) == [1, 1, 0, 0]
    assert sent_by_day(spread, 10, first=2) == [5, 5]


def test_an_end_at_the_very_time_of_day_adds_no_portion_and_a_minute_later_does() -> None:
    start = datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert Spread(start, start + timedelta(days=2), UTC).days == 2
    assert Spread(start, start + timedelta(days=2, minutes=1), UTC).days == 3
    assert Spread(start, start + timedelta(minutes=1), UTC).days == 1


def test_portions_keep_the_local_time_of_day_when_clocks_change() -> None:
    start = datetime(2026, 3, 28, 9, tzinfo=BERLIN)
    spread = Spread(start, datetime(2026, 3, 31, 12, tzinfo=BERLIN), BERLIN)
    assert [local(spread, day) for day in range(spread.days)] == [
        "03-28 09:00",
        "03-29 09:00",
        "03-30 09:00",
        "03-31 09:00",
    ]
    assert spread.opens_at(1) - spread.opens_at(0) == timedelta(hours=23)


def test_a_time_of_day_that_clocks_skip_is_taken_an_hour_later() -> None:
    start = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    spread = Spread(start, start + timedelta(days=3), BERLIN)
    assert [local(spread, day) for day in range(3)] == ["03-28 02:30", "03-29 03:30", "03-30 02:30"]


def test_settings_without_a_window_count_in_utc() -> None:
    start = datetime(2026, 6, 1, 9, tzinfo=UTC)
    settings = {"mode": "spread", "starts_at": start, "ends_at": start + timedelta(days=1)}
    window = {"start": "09:00", "end": "17:00", "timezone": "Europe/Berlin"}
    assert Spread.of(settings) == Spread(start, start + timedelta(days=1), UTC)
    spread = Spread.of({**settings, "daily_window": window})
    assert spread is not None
    assert spread.zone == BERLIN
    assert Spread.of({**settings, "mode": "on_time"}) is None


@given(SPREADS, st.integers(0, 1_000_000), st.integers(0, 39))
def test_the_portions_of_all_days_add_up_to_everything(
    spread: Spread, total: int, first: int
) -> None:
    portions = sent_by_day(spread, total, min(first, spread.days - 1))
    assert sum(portions) == total
    assert portions == sorted(portions, reverse=True)
    assert portions[0] - portions[-1] <= 1


@given(SPREADS)
def test_portions_open_one_after_the_other_between_start_and_end(spread: Spread) -> None:
    moments = [spread.opens_at(day) for day in range(spread.days)]
    assert moments[0] == spread.starts_at
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert moments[-1] < spread.ends_at
    assert spread.opens_at(spread.days) >= spread.ends_at


@given(SPREADS, st.data())
def test_the_day_of_a_moment_is_that_of_the_last_portion_opened(
    spread: Spread, data: st.DataObject
) -> None:
    around = spread.ends_at - spread.starts_at + timedelta(days=2)
    moment = spread.starts_at + data.draw(st.timedeltas(timedelta(days=-2), around))
    day = spread.day_at(moment)
    assert 0 <= day < spread.days
    assert not day or spread.opens_at(day) <= moment
    assert day + 1 == spread.days or spread.opens_at(day + 1) > moment


def test_dates_that_a_zone_does_not_have_are_brought_to_those_that_all_have() -> None:
    for zone in ("Pacific/Auckland", "America/New_York"):
        settings = {"starts_at": EARLIEST, "ends_at": LATEST}
        spread = Spread.of({"mode": "spread", "daily_window": {"timezone": zone}, **settings})
        assert spread is not None
        today = spread.day_at(FIRST)
        assert 0 < today < spread.days
        assert spread.opens_at(today) <= FIRST < spread.opens_at(today + 1)
