"""Whether a telephony carries nothing at all. No I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = 100
LONG = timedelta(minutes=10)
FEW = 20


@dataclass(slots=True)
class Refusals:
    """Attempts in a row that the network could not carry."""

    count: int = 0
    carried: bool = False
    since: datetime | None = None
    last: datetime | None = None

    def failed(self, at: datetime) -> None:
        """Another one that never came to a ring or an answer."""
        self.count += 1
        self.since = self.since or at
        self.last = at

    def end(self) -> None:
        """The network carries calls."""
        self.count, self.carried, self.since = 0, True, None

    @property
    def reason(self) -> str | None:
        """Why nothing can go on, if that is so."""
        if not self.carried and self.count >= FIRST:
            return f"the telephony refused the first {self.count} calls"
        if self.since is None or self.last is None or self.count < FEW:
            return None
        if self.last - self.since >= LONG:
            return (
                f"the telephony has refused everything for {LONG // timedelta(minutes=1)} minutes"
            )
        return None
