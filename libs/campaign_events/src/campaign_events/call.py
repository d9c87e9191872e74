"""What happens to the calls of a voice campaign. The dialler says these.

Facts come in batches: one event speaks of up to `CALLS_BATCH` contacts of one run. A contact is
named by its number within the campaign; phones and variables never enter the log. Every fact states
moves between call states, so a fold can count without knowing the single call.
"""

from datetime import datetime
from typing import Literal

from campaign_events.envelope import Event, Id, Value

CALLS_BATCH = 500
WaitingState = Literal["pending", "retry_scheduled", "callback_scheduled"]
FinalState = Literal[
    "completed", "failed", "abandoned", "machine_detected", "window_closed", "manual_stopped"
]
LiveState = Literal[
    "leased", "dialling", "ringing", "amd_screening", "attaching", "in_progress", "_processing"
]
CallState = WaitingState | LiveState | FinalState
AttemptKind = Literal["first", "retry", "callback"]
AmdVerdict = Literal["human", "machine", "unknown"]
Outcome = Literal[
    "connected", "abandoned", "machine", "no_answer", "rejected", "busy", "error", "timeout"
]
"""What an attempt came to. `connected`: a person (or an unscreened machine) reached a seat."""

type Span = tuple[int, int]
"""Contact numbers from first to last, both included."""


class Dial(Value):
    """One attempt that is about to be placed; `call_id` is the channel's name at the telephony."""

    number: int
    sequence: int
    kind: AttemptKind
    call_id: Id
    caller_id: str


class Callback(Value):
    """A contact's wish to be called again: as it was said, and the moment it was resolved to."""

    due_at: datetime
    reason: str | None = None


class AttemptEnd(Value):
    """How one attempt ended and what becomes of its contact.

    `due_at` is when a waiting contact is due again. `first_connection` is true for the attempt
    by which its contact reached a seat for the first time in this run.
    """

    number: int
    sequence: int
    outcome: Outcome
    becomes: CallState
    due_at: datetime | None = None
    callback: Callback | None = None
    first_connection: bool = False
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    amd: AmdVerdict | None = None
    disposition: str | None = None
    hangup_cause: str | None = None


class RunOpened(Event):
    """The contacts of a run wait to be called: `total` of the audience, those not completed.

    They are among the numbers up to `last`; who was excluded after the entry `as_of` of the
    campaigns' stream is one of them.
    """

    type: Literal["call.run_opened"] = "call.run_opened"
    run: int
    audience: Id
    total: int
    last: int = 0
    as_of: int = 0


class CallsAdded(Event):
    """Contacts `first` to `last` joined a run that is under way."""

    type: Literal["call.added"] = "call.added"
    run: int
    first: int
    last: int


class CallsDialled(Event):
    """The intent to ring, durable before the telephony side hears of it: waiting → dialling.

    `epoch` is the fencing number of the campaign's owner.
    """

    type: Literal["call.dialled"] = "call.dialled"
    run: int
    epoch: int
    dials: tuple[Dial, ...]


class CallsEnded(Event):
    """Attempts came to their end: live → waiting or final."""

    type: Literal["call.ended"] = "call.ended"
    run: int
    ends: tuple[AttemptEnd, ...]


class CallsClosed(Event):
    """Waiting contacts will not be called: stopped by a person, excluded, or out of the window.

    `pending`, `retries` and `callbacks` are the numbers that waited as such; `pending` as spans.
    """

    type: Literal["call.closed"] = "call.closed"
    run: int
    becomes: Literal["window_closed", "manual_stopped"]
    pending: tuple[Span, ...] = ()
    retries: tuple[int, ...] = ()
    callbacks: tuple[int, ...] = ()


class CallsFinished(Event):
    """Every call of the run is final; `left` contacts are not completed, for another run."""

    type: Literal["call.finished"] = "call.finished"
    run: int
    left: int


class DiallingBroken(Event):
    """The run can not go on, and why."""

    type: Literal["call.dialling_failed"] = "call.dialling_failed"
    run: int
    reason: str


type CallEvent = (
    RunOpened
    | CallsAdded
    | CallsDialled
    | CallsEnded
    | CallsClosed
    | CallsFinished
    | DiallingBroken
)
