"""One live call, from the intent to ring until it is over. No I/O, no clock.

    dialling → ringing → (amd_screening) → attaching → in_progress → over

In `attaching` somebody waits for a seat, then for the destination to take the call; once we have
hung up, the call is `_processing` until the phone side says that it is over. Late and repeated
events move nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never

from campaign_events.call import AmdVerdict, AttemptKind, LiveState, Outcome
from campaign_events.voice import Amd
from dialler.telephony.telephony import (
    NORMAL_CLEARING,
    Answered,
    Attached,
    CallEvent,
    Ended,
    LiveCall,
    Ringing,
    Screened,
)

type Need = Literal["seat", "hang_up"] | None
"""What a call needs after an event: a seat, or to be ended by us."""

RANGS: Final[tuple[LiveState, ...]] = ("leased", "dialling")
UNANSWERED: Final[tuple[LiveState, ...]] = ("leased", "dialling", "ringing")


@dataclass(slots=True)
class Call:
    """One attempt that is under way; `meant` is why we hung up, `asked` when it got its seat."""

    number: int
    sequence: int
    kind: AttemptKind
    call_id: str
    caller_id: str
    dialled_at: datetime
    phone: str = ""
    timezone: str = ""
    state: LiveState = "dialling"
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    amd: AmdVerdict | None = None
    meant: Outcome | None = None
    asked: bool = False
    connected_before: bool = False

    @property
    def waits(self) -> bool:
        """Whether somebody waits for a seat."""
        return self.state == "attaching" and not self.asked

    @property
    def by_person(self) -> bool:
        """Whether a person answered, as far as anybody knows."""
        return self.answered_at is not None and self.amd != "machine" and self.meant != "machine"


def hear(call: Call, event: CallEvent, amd: Amd) -> Need:  # noqa: PLR0911 - one per event
    """Move a call on; the end itself is told by `outcome`."""
    match event:
        case Ringing():
            if call.state in RANGS:
                call.state, call.ringing_at = "ringing", event.at
            return None
        case Answered():
            if call.state not in UNANSWERED:
                return None
            call.answered_at = event.at
            return _await_verdict(call) if amd.enabled else _await_seat(call)
        case Screened():
            if call.state != "amd_screening":
                return None
            call.amd = event.verdict
            return _judge(call, amd)
        case Attached():
            if call.state == "attaching":
                call.state, call.connected_at = "in_progress", event.at
            return None
        case Ended():
            return None
        case _:
            assert_never(event)


def take_over(call: Call, found: LiveCall, amd: Amd, now: datetime) -> Need:
    """Go on with a call that another process placed, from where the phone side says that it is."""
    match found.state:
        case "dialling":
            return None
        case "ringing":
            return hear(call, Ringing(call.call_id, now), amd)
        case "screening":
            call.answered_at = call.answered_at or now
            return _await_verdict(call)
        case "answered":
            # If a seat was asked for, nobody knows whether the phone side heard of it.
            call.answered_at, call.asked = call.answered_at or now, False
            call.amd = found.verdict or call.amd
            return _judge(call, amd) if amd.enabled and call.amd else _await_seat(call)
        case "attached":
            call.answered_at = call.answered_at or now
            call.connected_at = call.connected_at or now
            call.state, call.asked = "in_progress", True
            return None
        case _:
            assert_never(found.state)


def hang_up(call: Call, meant: Outcome) -> None:
    """Take note that we end the call, and why."""
    call.state, call.meant = "_processing", meant


def outcome(call: Call, end: Ended) -> Outcome:
    """Return what the attempt came to."""
    if call.meant is not None:
        return call.meant
    if call.connected_at is not None:
        return "machine" if call.amd == "machine" else "connected"
    if call.answered_at is not None:
        return _unattached(call, end)
    match end.outcome:
        case "busy" | "no_answer" | "rejected" | "error" | "timeout":
            return end.outcome
        case "answered":
            return "abandoned"
        case "unallocated" | "cancelled" | "unsent" | "unknown":
            return "error"
        case _:
            assert_never(end.outcome)


def _unattached(call: Call, end: Ended) -> Outcome:
    """Tell who hung up on a call that reached no seat: the person, or the destination."""
    refused = call.asked and (end.cause is None or end.cause.q850 != NORMAL_CLEARING)
    if refused or end.outcome == "unknown":
        return "error"
    return "machine" if call.amd == "machine" else "abandoned"


def _await_verdict(call: Call) -> Need:
    call.state = "amd_screening"
    return None


def _await_seat(call: Call) -> Need:
    call.state = "attaching"
    return "seat"


def _judge(call: Call, amd: Amd) -> Need:
    match call.amd:
        case "machine":
            goes_on = amd.action_on_machine == "continue"
        case "unknown":
            goes_on = amd.action_on_unknown == "continue"
        case _:
            goes_on = True
    if goes_on:
        return _await_seat(call)
    hang_up(call, "machine")
    return "hang_up"
