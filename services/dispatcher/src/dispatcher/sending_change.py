"""What a batch of the log changes in one sending, summed up before it is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import UpdateOne

from campaign_events.projection import Document


@dataclass(slots=True)
class SendingChange:
    """Changes in the order in which they are told, as one write or two.

    What is taken and answered in the same batch is never written as open.
    """

    campaign: str
    _taken: bool = False
    _opened: dict[int, None] = field(default_factory=dict)
    _closed: list[int] = field(default_factory=list)
    """What was open before the batch."""
    _set: Document = field(default_factory=dict)
    _unset: dict[str, str] = field(default_factory=dict)
    _inc: Counter[str] = field(default_factory=Counter)
    _min: Document = field(default_factory=dict)

    def open(self, numbers: Iterable[int]) -> None:
        """Note messages that are on their way to the carrier."""
        opened = dict.fromkeys(numbers)
        self._taken = self._taken or bool(opened)
        self._opened |= opened

    def close(self, numbers: Iterable[int]) -> None:
        """Note messages of which the carrier has spoken."""
        for number in numbers:
            if number in self._opened:
                del self._opened[number]
            else:
                self._closed.append(number)

    def set(self, name: str, value: object) -> None:
        """Set a field, whatever it was."""
        self._forget(name)
        self._set[name] = value

    def drop(self, name: str) -> None:
        """Take a field away."""
        self._forget(name)
        self._unset[name] = ""

    def add(self, name: str, by: int) -> None:
        """Add to a counter; one that was taken away begins anew."""
        if name in self._unset:
            self.set(name, by)
        elif name in self._set:
            self._set[name] += by
        else:
            self._inc[name] += by

    def lower(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever can be compared
        """Set a field that has no smaller value yet."""
        if name in self._unset:
            self.set(name, value)
        else:
            known = self._set if name in self._set else self._min
            known[name] = min(known.get(name, value), value)

    def writes(self) -> Sequence[UpdateOne]:
        """Return the changes; one update can not both add to a list and take from it."""
        update: Document = {
            operator: dict(changes)
            for operator, changes in (
                *(("$set", self._set), ("$unset", self._unset)),
                *(("$inc", self._inc), ("$min", self._min)),
            )
            if changes
        }
        if self._taken:
            update["$push"] = {"open": {"$each": list(self._opened)}}
        key = {"_id": self.campaign}
        written = [UpdateOne(key, update, upsert=True)] if update else []
        if self._closed:
            pull = {"$pull": {"open": {"$in": self._closed}}}
            written.insert(0, UpdateOne(key, pull, upsert=True))
        return written

    def _forget(self, name: str) -> None:
        for changes in (self._set, self._unset, self._inc, self._min):
            changes.pop(name, None)
