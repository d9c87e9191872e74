"""The window of one bind: submits that the carrier has not answered yet."""

from collections import OrderedDict
from typing import Final

from dispatcher.links.link import Key, Part, Verdict

_MOST_OVERDUE: Final = 10_000


class Window:
    """Submits on the way, by sequence number, the oldest first.

    What was given up is remembered for a while: an answer that comes after all finds its message.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Part, float]] = {}
        self._unwritten: set[int] = set()
        self._overdue: OrderedDict[int, Key] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._waiting

    def put(self, sequence: int, part: Part, now: float) -> None:
        """Wait for an answer to a submit that is about to be written."""
        self._waiting[sequence] = part, now
        self._unwritten.add(sequence)

    def written(self) -> None:
        """Everything that was put has left for the carrier."""
        self._unwritten.clear()

    def answered(self, sequence: int) -> tuple[Part, float] | None:
        """Take out a submit that is answered, with the moment at which it was put."""
        return self._waiting.pop(sequence, None)

    def answered_late(self, sequence: int) -> Key | None:
        """Tell which message an answer is about that came after its submit was given up."""
        return self._overdue.pop(sequence, None)

    def give_up(self, limit: float) -> list[Key]:
        """Take out what was put at `limit` or before."""
        overdue: dict[int, Key] = {}
        for sequence, (part, since) in self._waiting.items():
            if since > limit:
                break
            overdue[sequence] = part.key
        for sequence in overdue:
            del self._waiting[sequence]
        self._overdue.update(overdue)
        while len(self._overdue) > _MOST_OVERDUE:
            self._overdue.popitem(last=False)
        return list(overdue.values())

    def lose(self) -> list[tuple[Key, Verdict]]:
        """Take out everything at the end of a session: what was not written was not sent."""
        lost: list[tuple[Key, Verdict]] = [
            (part.key, "unsent" if sequence in self._unwritten else "unknown")
            for sequence, (part, _) in self._waiting.items()
        ]
        self._waiting.clear()
        return lost
