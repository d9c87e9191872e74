"""What follows an attempt: done, tried again, called back, or given up. Pure, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaign_events.call import AmdVerdict, Callback, CallState, FinalState, Outcome
from campaign_events.voice import TimeWindow, VoiceSettings
from campaign_events.windows import opening
from dialler.caps import allowed_from

CALLBACK_REQUESTED = "callback_requested"
"""The disposition with which a destination says that somebody wants to be called again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to be called again; without a preferred time, whenever it suits us."""

    preferred: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is over.

    `hopeless` when trying again is in vain: no such number; `connected` if it reached a seat.
    """

    sequence: int
    outcome: Outcome
    ended_at: datetime
    amd: AmdVerdict | None = None
    disposition: str | None = None
    wish: Wish | None = None
    hopeless: bool = False
    connected: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a contact; a waiting one is due again at some time."""

    becomes: CallState
    due_at: datetime | None = None
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contact may be called by: the settings, the window by its clocks, earlier attempts.

    `over` is what a contact that would wait becomes, when nothing is dialled any more.
    """

    settings: VoiceSettings
    window: TimeWindow
    attempts: Sequence[datetime] = ()
    over: FinalState | None = None


def follow(attempt: Attempt, terms: Terms) -> Fate:
    """Decide what becomes of the contact."""
    settings = terms.settings
    if attempt.outcome == "abandoned":
        return Fate("abandoned")
    if attempt.outcome == "machine":
        through = attempt.amd == "machine" and attempt.connected
        return Fate("completed" if through else "machine_detected")
    if attempt.outcome == "connected":
        return _talked(attempt, terms)
    retried = attempt.outcome in settings.redial_rules.retry_on_system and not attempt.hopeless
    return _again(attempt, terms) if retried else Fate("failed")


def placeable(terms: Terms, at: datetime) -> datetime | None:
    """Return the first moment, not before `at`, that window and caps allow, if there is one."""
    while True:
        opens = opening(terms.window, at)
        if opens is None:
            return None
        allowed = allowed_from(terms.settings.contact_caps, terms.attempts, opens)
        if allowed == opens:
            return opens
        at = allowed


def _talked(attempt: Attempt, terms: Terms) -> Fate:
    wishes = attempt.wish is not None or attempt.disposition == CALLBACK_REQUESTED
    if wishes and terms.settings.callback_detection.enabled:
        return _call_back(attempt, terms)
    if attempt.disposition in terms.settings.redial_rules.retry_on_custom:
        return _again(attempt, terms)
    return Fate("completed")


def _call_back(attempt: Attempt, terms: Terms) -> Fate:
    """Resolve the wish to a moment inside the window that is still to come."""
    wish = attempt.wish or Wish()
    wanted = wish.preferred or attempt.ended_at + _delay(terms)
    due_at = placeable(terms, max(wanted, attempt.ended_at))
    if terms.over is not None or due_at is None:
        return Fate(terms.over or "window_closed")
    return Fate("callback_scheduled", due_at, Callback(due_at=due_at, reason=wish.reason))


def _again(attempt: Attempt, terms: Terms) -> Fate:
    if attempt.sequence >= terms.settings.redial_rules.max_attempts:
        return Fate("failed")
    due_at = placeable(terms, attempt.ended_at + _delay(terms))
    if terms.over is not None or due_at is None:
        return Fate(terms.over or "window_closed")
    return Fate("retry_scheduled", due_at)


def _delay(terms: Terms) -> timedelta:
    return timedelta(minutes=terms.settings.redial_rules.retry_delay_minutes)
