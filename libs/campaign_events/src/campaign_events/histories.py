"""Histories that were read before: what is in the log stays as it is, so only news must be read."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from campaign_events.decider import Decider
from campaign_events.envelope import Address, Event, Recorded

MOST = 5_000
"""Events to remember, of all things together."""

type History = tuple[Recorded[Any], ...]
"""All that happened to one thing up to some entry, oldest first."""


@dataclass(slots=True)
class _Known:
    """The beginning of a history; `state` is what `evolve` makes of its first `folded` entries."""

    history: History
    evolve: Callable[..., Any] | None = None
    folded: int = 0
    state: Any = None


class Histories:
    """Remembers the beginnings of histories, those asked for last; forgetting any is no harm."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._known: OrderedDict[Address, _Known] = OrderedDict()

    def known(self, address: Address) -> History:
        """Return what is remembered of a thing's history, from its first event on."""
        known = self._known.get(address)
        if known is None:
            return ()
        self._known.move_to_end(address)
        return known.history

    def folded[C, E: Event, S](self, address: Address, decider: Decider[C, E, S]) -> S:
        """Return the state after what is remembered of a thing; only news are folded."""
        known = self._known.get(address)
        if known is None:
            return decider.initial
        if known.evolve is not decider.evolve:
            known.evolve, known.folded, known.state = decider.evolve, 0, decider.initial
        if known.folded < len(known.history):
            news = islice(known.history, known.folded, None)
            known.state = decider.fold((recorded.event for recorded in news), known.state)
            known.folded = len(known.history)
        state: S = known.state
        return state

    def remember(self, address: Address, history: Sequence[Recorded[Any]]) -> None:
        """Remember a history that begins with the thing's first event."""
        if not history:
            return
        known = self._known.pop(address, None)
        self._count += len(history) - (len(known.history) if known else 0)
        self._keep(address, _Known(tuple(history)))

    def went_on(self, address: Address, after: int, events: Sequence[Recorded[Any]]) -> None:
        """Remember what was appended behind the entry `after`, if all before it is known."""
        known = self._known.pop(address, None) or _Known(())
        if (known.history[-1].seq if known.history else 0) == after:
            known.history = (*known.history, *events)
            self._count += len(events)
        if known.history:
            self._keep(address, known)

    def _keep(self, address: Address, known: _Known) -> None:
        """Keep the newest, and as many of the others as there is room for."""
        self._known[address] = known
        while self._count > self._most:
            _, forgotten = self._known.popitem(last=False)
            self._count -= len(forgotten.history)
