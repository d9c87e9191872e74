"""What the dialler knows of the phone side, whatever protocol it speaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

type CallId = str
"""The dialler's own name for one attempt. The phone side uses it as its own, so that asking twice
for the same call cannot ring twice. Letters, digits, `-`, `_` and `.`; never used again."""

type Outcome = Literal[
    "answered",
    "busy",
    "no_answer",
    "rejected",
    "error",
    "timeout",
    "unallocated",
    "cancelled",
    "unsent",
    "unknown",
]
"""How an attempt ended, for good:

- `answered`: somebody or something took the call, whatever happened then;
- `busy`, `no_answer` (it rang in vain), `rejected` (the person declined);
- `error`: the network could not carry it; `timeout`: nobody out there reacted at all;
- `unallocated`: there is no such number, so trying again is in vain;
- `cancelled`: hung up by us before it was answered;
- `unsent`: the phone side never got it (it was away), so nothing rang;
- `unknown`: it is over, and nobody can tell more.
"""

RETRYABLE: Final = frozenset[Outcome](("no_answer", "rejected", "busy", "error", "timeout"))
"""What a campaign's `retry_on_system` can list."""

type Verdict = Literal["human", "machine", "unknown"]
"""What listening to the answer told about who gave it."""

type LiveState = Literal["dialling", "ringing", "answered", "screening", "attached"]
"""Where a live call is: `answered` ones wait to be attached, `screening` ones are listened to."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Listen to who answers, for so long at most."""

    total_analysis_ms: int = 5000


@dataclass(frozen=True, slots=True)
class Originate:
    """One call to place; `destination` is where it is attached later, as the phone side names it.

    The phone side stops ringing after `ring_timeout_s`.
    """

    call_id: CallId
    phone: str = field(repr=False)
    caller_id: str
    ring_timeout_s: float
    destination: str
    amd: Screening | None = None


@dataclass(frozen=True, slots=True)
class Ringing:
    """The phone rings."""

    call_id: CallId
    at: datetime
    token: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody or something took the call, which now waits to be screened, attached or hung up."""

    call_id: CallId
    at: datetime
    token: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Screened:
    """Who answered, as far as one can hear; the call waits to be attached or hung up."""

    call_id: CallId
    at: datetime
    verdict: Verdict
    token: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Attached:
    """The call has reached its destination: a conversation begins."""

    call_id: CallId
    at: datetime
    token: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The person wants to be called again; without a preferred time, whenever it suits us."""

    preferred_time: datetime | None = None
    reason: str | None = None


NORMAL_CLEARING: Final = 16
"""The cause with which a conversation ends."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the call was cleared: the Q.850 cause (0 is none) and the SIP status, if any."""

    q850: int = 0
    sip: int | None = None

    def __str__(self) -> str:
        """`17` or `17/486`, for people and reports."""
        return str(self.q850) if self.sip is None else f"{self.q850}/{self.sip}"


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. `disposition` is what the destination says came of the conversation.

    `wrap_s` is how long its seat is not free yet, counted from `at`.
    """

    call_id: CallId
    at: datetime
    outcome: Outcome
    cause: Cause | None = None
    disposition: str | None = None
    callback: Callback | None = None
    wrap_s: float = 0.0
    token: int = field(default=0, compare=False, repr=False)


type CallEvent = Ringing | Answered | Screened | Attached | Ended
"""`at` is the phone side's time; `token` is what acknowledging takes, 0 where nothing does."""


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that lives on the phone side now; `verdict` is who answered, if that is known."""

    call_id: CallId
    state: LiveState
    verdict: Verdict | None = None


type Standing = LiveCall | Ended
"""What the phone side knows of a call. One that it does not know is `Ended` as `unknown`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that happened since the last batch; `reason` says why the phone side is down."""

    events: Sequence[CallEvent]
    up: bool
    reason: str | None = None


class TelephonyDownError(Exception):
    """The phone side cannot be asked now; the text says why."""


class Telephony(Protocol):
    """A way to the phone network.

    Events of one call come in the order in which they happened, but may come twice: what was not
    acknowledged is told again after a reconnect or a `recall`. When the phone side goes away its
    calls are not over: once it is back, each call asked of it goes on, or is told to have ended.
    """

    @property
    def id(self) -> str:
        """The name that destinations choose it by."""
        ...

    @property
    def up(self) -> bool:
        """Whether calls can be placed now."""
        ...

    @property
    def reason(self) -> str | None:
        """Why they cannot."""
        ...

    def originate(self, calls: Sequence[Originate]) -> None:
        """Place calls, never blocking. Each of them gets an `Ended` in some later batch.

        A call that the phone side knows already is not placed again.
        """
        ...

    def attach(self, calls: Sequence[CallId]) -> None:
        """Connect answered calls to their destinations, never blocking.

        It leads to `Attached`, or to `Ended` when the destination cannot take the call.
        """
        ...

    def hang_up(self, calls: Sequence[CallId]) -> None:
        """End calls, never blocking; those that are over stay what they are."""
        ...

    async def live(self) -> Sequence[LiveCall]:
        """Every call that lives on the phone side, whoever placed it.

        Raises:
            TelephonyDownError: it cannot be asked now.

        """
        ...

    async def recall(self, calls: Sequence[CallId]) -> Sequence[Standing]:
        """Take over calls that an earlier process placed: tell where they are, follow them.

        From now on their events come here, those that nobody has acknowledged first.

        Raises:
            TelephonyDownError: it cannot be asked now.

        """
        ...

    async def events(self) -> Batch:
        """Wait until something has happened, then tell all of it. One caller at a time."""
        ...

    def acknowledge(self, events: Sequence[CallEvent]) -> None:
        """Let the phone side forget what is durable now."""
        ...


def parted(destination: str) -> tuple[str, str]:
    """`sim:agents` as the id of a telephony and the target that it understands.

    Raises:
        ValueError: it does not have both.

    """
    telephony_id, colon, target = destination.partition(":")
    if not colon or not telephony_id or not target:
        raise ValueError("a destination is written <telephony id>:<target>, as in sim:agents")
    return telephony_id, target
