"""When a daily window is open, and when that changes. Pure.

What the clocks of its time zone show decides: a window is open from `start` until just before
`end`, and goes over midnight when it starts later than it ends. Nothing else keeps the promise that
no message leaves at a forbidden local time, so daylight saving follows from it:

- a local time that is skipped (clocks go forward) is passed at the jump: a window that would start
  or end then opens or closes at the jump, one that lies within the skipped hour stays closed;
- a local time that comes twice (clocks go back) counts twice: a window that ends within the hour
  that is repeated closes at its end, opens again when the clocks go back, and closes once more.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaign_events.campaign import DailyWindow

DAY = timedelta(days=1)
STRIDE = timedelta(hours=6)
"""Clocks are never changed twice within this time."""
AHEAD = 3
"""A window changes every day; on a day when its hour is skipped, only on the next one."""


def is_open(window: DailyWindow, at: datetime) -> bool:
    """Tell whether messages may go out at this moment."""
    shown = f"{at.astimezone(ZoneInfo(window.timezone)):%H:%M}"
    if window.start < window.end:
        return window.start <= shown < window.end
    return shown >= window.start or shown < window.end


def next_change(window: DailyWindow, at: datetime) -> datetime:
    """Return the first moment (in UTC) after this one at which the window opens or closes."""
    now_open = is_open(window, at)
    candidates = sorted({*_ends(window, at), *_shifts(ZoneInfo(window.timezone), at)})
    return next(
        moment for moment in candidates if moment > at and is_open(window, moment) != now_open
    )


def _ends(window: DailyWindow, at: datetime) -> Iterator[datetime]:
    """Yield when clocks show `start` or `end` around now, twice if they show it twice."""
    zone = ZoneInfo(window.timezone)
    today = at.astimezone(zone).date()
    for days in range(-1, AHEAD + 1):
        for shown in (window.start, window.end):
            local = datetime.combine(today + days * DAY, time.fromisoformat(shown), zone)
            yield local.astimezone(UTC)
            yield local.replace(fold=1).astimezone(UTC)


def _shifts(zone: ZoneInfo, at: datetime) -> Iterator[datetime]:
    """Yield when clocks are put forward or back in the next days."""
    since = at.astimezone(UTC).replace(second=0, microsecond=0)
    for _ in range(AHEAD * DAY // STRIDE):
        offset = since.astimezone(zone).utcoffset()
        if (since + STRIDE).astimezone(zone).utcoffset() != offset:
            yield since + timedelta(seconds=_seconds_until_other(zone, since, offset))
        since += STRIDE


def _seconds_until_other(zone: ZoneInfo, since: datetime, offset: timedelta | None) -> int:
    def has_changed(seconds: int) -> bool:
        return (since + timedelta(seconds=seconds)).astimezone(zone).utcoffset() != offset

    return bisect_left(range(int(STRIDE.total_seconds())), x=True, key=has_changed)
