"""What one fact about calls moves: every view over CALLS counts these."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from campaign_events.call import (
    AttemptEnd,
    CallsAdded,
    CallsClosed,
    CallsDialled,
    CallsEnded,
    CallsFinished,
    CallState,
    RunOpened,
)
from campaign_events.envelope import Event

STATES: Mapping[CallState, str] = {
    "pending": "pending",
    "retry_scheduled": "retry_pending",
    "callback_scheduled": "callback_pending",
    "leased": "live",
    "dialling": "live",
    "ringing": "live",
    "amd_screening": "live",
    "attaching": "live",
    "in_progress": "live",
    "_processing": "live",
    "completed": "completed",
    "failed": "failed",
    "abandoned": "abandoned",
    "machine_detected": "machine_detected_count",
    "window_closed": "window_closed",
    "manual_stopped": "manual_stopped",
}
"""Which number of `stats` counts the contacts in each state."""
WAITED = {"first": "pending", "retry": "retry_pending", "callback": "callback_pending"}
"""Which number a contact leaves by an attempt of each kind."""
PICKED_UP = frozenset(("connected", "abandoned", "machine"))

type Moves = Counter[str]


def _joined(contacts: int) -> Moves:
    return Counter(total_calls=contacts, pending=contacts)


def _dialled(event: CallsDialled) -> Moves:
    moves = Counter(attempts=len(event.dials), live=len(event.dials))
    for dial in event.dials:
        moves[WAITED[dial.kind]] -= 1
        moves["attempted"] += dial.kind == "first"
    return moves


def _ended(event: CallsEnded) -> Moves:
    moves = Counter(live=-len(event.ends))
    for end in event.ends:
        moves[STATES[end.becomes]] += 1
        moves["answered_attempts"] += answered(end)
        moves["connected"] += end.first_connection
    return moves


def _closed(event: CallsClosed) -> Moves:
    pending = sum(last - first + 1 for first, last in event.pending)
    retries, callbacks = len(event.retries), len(event.callbacks)
    moves = Counter(pending=-pending, retry_pending=-retries, callback_pending=-callbacks)
    moves[STATES[event.becomes]] += pending + retries + callbacks
    return moves


_MOVES: Mapping[type[Event], Callable[[Any], Moves]] = {
    RunOpened: lambda event: _joined(event.total),
    CallsAdded: lambda event: _joined(event.last - event.first + 1),
    CallsDialled: _dialled,
    CallsEnded: _ended,
    CallsClosed: _closed,
    CallsFinished: lambda _: Counter(),
}
"""Facts of other types move nothing."""


def answered(end: AttemptEnd) -> bool:
    """Tell whether anybody, or a machine, picked up."""
    return end.answered_at is not None or end.outcome in PICKED_UP


def moves(event: Event) -> Moves | None:
    """Return what a fact about a run moves in it; None for any other."""
    find = _MOVES.get(type(event))
    return None if find is None else find(event)
