"""What one fact about messages moves: every view over MESSAGES counts these."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from campaign_events.envelope import Event
from campaign_events.message import (
    MessagesDeferred,
    MessagesPlanned,
    MessagesRecovered,
    MessagesRefused,
    MessagesReported,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesTaken,
    MessagesUndecided,
)


class Move(NamedTuple):
    """By how much each number of a campaign changes.

    `planned` counts contacts that were given a place, whether they get a message or not.
    `sent` counts messages that the carrier has accepted, as far as anybody can tell.
    `reported` tells whether a delivery report decided any of them.
    """

    submitting: int = 0
    submitted: int = 0
    delivered: int = 0
    failed: int = 0
    skipped: int = 0
    planned: int = 0
    segments: int = 0
    sent: int = 0
    reported: bool = False


def _planned(event: MessagesPlanned) -> Move:
    skipped = len(event.skipped)
    return Move(planned=event.queued + skipped, segments=event.segments, skipped=skipped)


def _submitted(event: MessagesSubmitted) -> Move:
    count = len(event.messages)
    return Move(submitting=-count, submitted=count, sent=count)


def _reported(event: MessagesReported) -> Move:
    yes, no = len(event.delivered), len(event.failed)
    return Move(submitted=-yes - no, delivered=yes, failed=no, reported=bool(yes or no))


def _recovered(event: MessagesRecovered) -> Move:
    yes, no = len(event.delivered), len(event.failed)
    return Move(delivered=yes, failed=-yes, sent=yes + no, reported=bool(yes or no))


def _given_up(count: int) -> Move:
    return Move(submitting=-count, failed=count)


MOVES: Mapping[type[Event], Callable[[Any], Move]] = {
    MessagesPlanned: _planned,
    MessagesSkipped: lambda event: Move(skipped=len(event.skipped)),
    MessagesTaken: lambda event: Move(submitting=event.count),
    MessagesDeferred: lambda event: Move(submitting=-len(event.deferrals)),
    MessagesSubmitted: _submitted,
    MessagesRefused: lambda event: _given_up(len(event.failures)),
    MessagesUndecided: lambda event: _given_up(len(event.numbers)),
    MessagesReported: _reported,
    MessagesRecovered: _recovered,
}
"""Facts of other types move nothing."""

STILL = Move()


def move(event: Event) -> Move:
    """Return what a fact moves."""
    find = MOVES.get(type(event))
    return STILL if find is None else find(event)
