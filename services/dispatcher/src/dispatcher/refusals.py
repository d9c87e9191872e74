"""When a campaign is to fail because its link refuses everything. No I/O, no clock.

Only refusals for permanent reasons count, and any other answer ends a row of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = 100
"""So many submits refused, and none ever accepted."""
LONG = timedelta(minutes=10)
"""So long nothing but refusals."""
FEW = 10
"""Fewer refusals than this say nothing about a link, however long they take."""


@dataclass(slots=True)
class Refusals:
    """The refusals of one campaign since the last answer that was none."""

    since: datetime | None = None
    last: datetime | None = None
    count: int = 0

    def refused(self, count: int, at: datetime) -> None:
        """Note refusals; a row that slept for long, like a paused campaign, begins anew."""
        if self.since is None or self.last is None or at - self.last >= LONG:
            self.since, self.count = at, 0
        self.last = at
        self.count += count

    def end(self) -> None:
        """Note that the carrier said something else, or that nothing is sent for a while."""
        self.since, self.last, self.count = None, None, 0

    @property
    def last_long(self) -> bool:
        """Whether they have gone on for long enough."""
        if self.since is None or self.last is None:
            return False
        return self.count >= FEW and self.last - self.since >= LONG
