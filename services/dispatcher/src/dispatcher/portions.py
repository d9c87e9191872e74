"""A campaign spread over days: when a portion opens, and how many it holds. No I/O, no clock.

Portions open every day at the local time of `starts_at`, for as long as that lies before `ends_at`.
Local is the zone of the daily window, so that a portion always opens at the same place in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self
from zoneinfo import ZoneInfo

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spread:
    """The days of a campaign, from 0."""

    starts_at: datetime
    ends_at: datetime
    zone: tzinfo

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self | None:
        """Return the days that the settings describe; None when they are sent without portions."""
        starts_at, ends_at = settings.get("starts_at"), settings.get("ends_at")
        if settings.get("mode") != "spread" or starts_at is None or ends_at is None:
            return None
        window = settings.get("daily_window")
        zone = ZoneInfo(window["timezone"]) if window else UTC
        return cls(_everywhere(starts_at), _everywhere(ends_at), zone)

    @property
    def days(self) -> int:
        """How many portions there are: at least one."""
        first, last = self._local(self.starts_at), self._local(self.ends_at)
        most = max(0, (last.date() - first.date()).days)
        return most + 1 if not most or self.opens_at(most) < self.ends_at else most

    def opens_at(self, day: int) -> datetime:
        """Return when a day's portion opens. Days have 23 to 25 hours where clocks are changed.

        A time that clocks skip is taken as if they had not been changed; one that comes twice
        counts when it comes first.
        """
        if not day:
            return self.starts_at
        same_time = self._local(self.starts_at) + timedelta(days=day)
        return same_time.replace(fold=0).astimezone(UTC)

    def day_at(self, moment: datetime) -> int:
        """Return the day whose portion is the newest at a moment; before the start it is 0."""
        passed = (self._local(moment).date() - self._local(self.starts_at).date()).days
        day = min(max(0, passed), self.days - 1)
        return day - 1 if day and self.opens_at(day) > moment else day

    def portion(self, day: int, left: int) -> int:
        """Return how many of those that are left may go on a day: the last day takes all."""
        return -(-left // (self.days - day))

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)


def _everywhere(moment: datetime) -> datetime:
    """Return a moment that every zone has a date for, the nearest one."""
    return min(max(moment, EARLIEST + A_DAY), LATEST - A_DAY)
