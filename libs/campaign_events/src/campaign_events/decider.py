"""Deciding: history in, a command in, new events out. Nothing here does I/O or knows the time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from campaign_events.envelope import Event


class Refused(Exception):
    """A business rule says no. `reasons` are safe to show; `code` is the problem's stable code."""

    def __init__(self, *reasons: str, code: str = "refused") -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.code = code


class Conflict(Exception):
    """Somebody else wrote first: load again and decide again."""


@dataclass(frozen=True, slots=True)
class Decider[C, E: Event, S]:
    """Three functions that are one consistency boundary.

    `decide` may raise `Refused`; asking for what is already so gives no events.
    `evolve` takes every event that `decide` gives and never raises.
    """

    initial: S
    decide: Callable[[S, C], Sequence[E]]
    evolve: Callable[[S, E], S]

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        """Return the state after these events."""
        return reduce(self.evolve, events, self.initial if state is None else state)
