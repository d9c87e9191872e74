"""Histories that were read before: what is in the log stays as it is, so only news must be read."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from campaign_events.envelope import Address, Recorded

MOST = 5_000
"""Events to remember, of all things together."""

type History = tuple[Recorded[Any], ...]
"""All that happened to one thing up to some entry, oldest first."""


class Histories:
    """Remembers the beginnings of histories, those asked for last; forgetting any is no harm."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._known: OrderedDict[Address, History] = OrderedDict()

    def known(self, address: Address) -> History:
        """Return what is remembered of a thing's history, from its first event on."""
        if address not in self._known:
            return ()
        self._known.move_to_end(address)
        return self._known[address]

    def remember(self, address: Address, history: Sequence[Recorded[Any]]) -> None:
        """Remember a history that begins with the thing's first event."""
        if not history:
            return
        self._count += len(history) - len(self._known.pop(address, ()))
        self._known[address] = tuple(history)
        while self._count > self._most:
            _, forgotten = self._known.popitem(last=False)
            self._count -= len(forgotten)

    def went_on(self, address: Address, after: int, events: Sequence[Recorded[Any]]) -> None:
        """Remember what was appended behind the entry `after`, if all before it is known."""
        known = self.known(address)
        if (known[-1].seq if known else 0) == after:
            self.remember(address, (*known, *events))
