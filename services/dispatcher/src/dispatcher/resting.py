"""The messages of a campaign that wait to be tried again. No I/O.

The view knows which they are, by when they are due; here is only when to look into it, so memory
does not depend on how many there are. The view is a moment behind the log: what was taken again or
skipped since may still be shown as waiting, and what was deferred since is not shown yet.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import NamedTuple, Self

from campaign_events.projection import Document
from dispatcher.links.link import Part

VIEW_LAG_S = 0.05
"""How long to wait for the view when it does not show what the log already holds."""


class Recipient(NamedTuple):
    """One message that is ready to go: its parts, and the phone that they go to.

    `tries` is how often the carrier has refused it for now, `since` when for the first time.
    One without a phone was erased since the plan was made; it is to be skipped.
    """

    number: int
    phone: str
    phone_hash: str
    parts: tuple[Part, ...]
    tries: int = 0
    since: datetime | None = None

    @classmethod
    def erased(cls, number: int) -> Self:
        """Return what is left of an erased one."""
        return cls(number, phone="", phone_hash="", parts=())

    @property
    def segments(self) -> int:
        """What it costs."""
        return len(self.parts)

    @property
    def is_erased(self) -> bool:
        """Whether nobody is to be written to."""
        return not self.phone


@dataclass(slots=True)
class Resting:
    """When to look for messages that are due again, and which of those found not to believe."""

    again: deque[Recipient] = field(default_factory=deque)
    """Those that are due, ready to go, the longest due first."""
    look_at: float = inf
    """In seconds since the epoch."""
    _gone: dict[int, int] = field(default_factory=dict)
    """Numbers that wait no more, with the place of the fact that says so."""
    _unseen_seq: int = 0
    _unseen_due: float = inf

    def rest(self, due: float, seq: int) -> None:
        """One more waits until it is due, since the fact `seq`."""
        self._unseen_seq = max(self._unseen_seq, seq)
        self._unseen_due = min(self._unseen_due, due)
        self.look_at = min(self.look_at, due)

    def gone(self, numbers: Iterable[int], seq: int) -> None:
        """These wait no more, since the fact `seq`."""
        self._gone |= dict.fromkeys(numbers, seq)

    def not_these(self, folded_to: int) -> set[int]:
        """Return the numbers not to believe of a view that is read from now on."""
        self._gone = {number: seq for number, seq in self._gone.items() if seq > folded_to}
        return self._gone.keys() | {recipient.number for recipient in self.again}

    def due(
        self, rows: Sequence[Document], at_most: int, now: float, folded_to: int
    ) -> list[Document]:
        """Return what of the view's rows, the earliest due first, may go; know when to look again.

        `folded_to` is how far the view was before it was read. `rows` are believed.
        """
        if folded_to >= self._unseen_seq:
            self._unseen_due = inf
        over = [row for row in rows if row["due_at"].timestamp() <= now]
        next_due = rows[len(over)]["due_at"].timestamp() if len(rows) > len(over) else inf
        if len(over) > at_most:
            next_due = now
        self.look_at = min(next_due, max(self._unseen_due, now + VIEW_LAG_S))
        return over[:at_most]
