"""When a window of local times is open, and when that changes. Pure.

What the clocks of its time zone show decides: a window is open from `start` until just before
`end`, and goes over midnight when it does not start earlier than it ends; then it belongs to the
day on which it starts. Daylight saving follows from it:

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
from campaign_events.voice import DAYS, TimeWindow

DAY = timedelta(days=1)
STRIDE = timedelta(hours=6)
"""Clocks are never changed twice within this time."""
AHEAD = 9
"""A window may be for one day of the week, and lie within an hour that is skipped on it."""


type Window = DailyWindow | TimeWindow
"""Of an SMS campaign, which opens every day, or of a voice campaign, which has its days."""


def is_open(window: Window, at: datetime) -> bool:
    """Tell whether the window is open at this moment."""
    local = at.astimezone(ZoneInfo(window.timezone))
    shown, day = f"{local:%H:%M}", local.weekday()
    days = DAYS if isinstance(window, DailyWindow) else window.days
    if window.start < window.end:
        return window.start <= shown < window.end and DAYS[day] in days
    if shown >= window.start:
        return DAYS[day] in days
    return shown < window.end and DAYS[day - 1] in days


def next_change(window: Window, at: datetime) -> datetime | None:
    """Return the first moment (in UTC) after this one at which it opens or closes, if ever."""
    now_open = is_open(window, at)
    candidates = sorted({*_ends(window, at), *_shifts(ZoneInfo(window.timezone), at)})
    later = (moment for moment in candidates if moment > at)
    return next((moment for moment in later if is_open(window, moment) != now_open), None)


def opening(window: Window, at: datetime) -> datetime | None:
    """Return this moment if the window is open then, else when it opens, if ever."""
    return at if is_open(window, at) else next_change(window, at)


def closing(window: Window, at: datetime) -> datetime | None:
    """Return when the window closes that is open at this moment or opens next, if ever."""
    opens = opening(window, at)
    return None if opens is None else next_change(window, opens)


def _ends(window: Window, at: datetime) -> Iterator[datetime]:
    """Yield when clocks show `start`, `end` or midnight around now, twice if they show it twice."""
    zone = ZoneInfo(window.timezone)
    today = at.astimezone(zone).date()
    for days in range(-1, AHEAD + 1):
        for shown in {window.start, window.end, "00:00"}:
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
