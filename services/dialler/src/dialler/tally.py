"""People who answered, and those of them who were abandoned, over the window of the limit. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from campaign_events.projection import Document

type Over = Literal["campaign", "24h", "30d"]
HOUR = timedelta(hours=1)
LENGTHS: Mapping[Over, timedelta | None] = {
    "campaign": None,
    "24h": timedelta(hours=24),
    "30d": timedelta(days=30),
}


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


class Tally:
    """Counts by the hour, so that a window of days can move on."""

    def __init__(self, rows: Iterable[Document] = ()) -> None:
        self._hours: dict[datetime, tuple[int, int]] = {
            row["hour"]: (row.get("people", 0), row.get("abandoned", 0)) for row in rows
        }

    def add(self, at: datetime, people: int, abandoned: int) -> None:
        """Count what ended at some time."""
        before = self._hours.get(hour_of(at), (0, 0))
        self._hours[hour_of(at)] = before[0] + people, before[1] + abandoned

    def over(self, window: Over, now: datetime) -> tuple[int, int]:
        """Return people and abandoned calls over the window that ends now."""
        length = LENGTHS[window]
        counted = [
            counts
            for hour, counts in self._hours.items()
            if length is None or hour + HOUR > now - length
        ]
        return sum(people for people, _ in counted), sum(lost for _, lost in counted)
