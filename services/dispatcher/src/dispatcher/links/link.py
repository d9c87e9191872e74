"""What the sender knows of a carrier connection, whatever protocol it speaks.

What there is of for every message is a named tuple: made four times as fast as a frozen dataclass.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

type Key = tuple[str, int, int]
"""(campaign id, contact number, part from 0): which submit an answer belongs to."""

type Verdict = Literal["accepted", "throttled", "temporary", "permanent", "unknown", "unsent"]
"""How a submit ended. Nobody knows whether the carrier has an `unknown` one: its bytes were
written, then the session was lost or the answer did not come in time. An `unsent` one was never
written."""


class Source(NamedTuple):
    """Whom a message comes from, and the numbering plans of both ends."""

    address: str
    ton: int = 5
    npi: int = 0
    dton: int = 1
    dnpi: int = 1


class Part(NamedTuple):
    """One segment of one message: one submit."""

    key: Key
    destination: str
    reference: int
    octets: bytes
    data_coding: int
    udh: bool
    source: Source


class Answer(NamedTuple):
    """What the carrier said to a submit; `status` is 0 too when it said nothing."""

    key: Key
    status: int
    message_id: str | None
    verdict: Verdict
    at: datetime
    given_id: str | None = None
    """The id as the carrier wrote it, where `message_id` is not the same."""
    took_s: float | None = None
    """From writing the submit to the carrier's word; None when there was none."""


class Token(NamedTuple):
    """What acknowledging takes: the session that brought it, and its number there."""

    session: "Acknowledging"
    sequence: int


class Report(NamedTuple):
    """News of a message that we submitted.

    `destination` and `source` are those of our message, without a plus. `message_id` is empty when
    the carrier named none; `other_ids` are further readings of the same id (hexadecimal for
    decimal and so on): believe them only if the destination agrees.
    """

    message_id: str
    state: Literal["delivered", "failed", "interim"]
    error: str | None
    stat: str
    at: datetime
    destination: str
    source: str
    reference: int | None
    token: Token
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that a person sent: `source` wrote it, `destination` is our sender.

    `part` is (reference, parts, part from 1) when the text is one part of a longer one.
    """

    source: str
    destination: str
    text: str
    at: datetime
    token: Token = field(compare=False, repr=False)
    part: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Which message to ask the carrier about; `source` is the sender that it went out with."""

    message_id: str
    source: Source


type Told = Literal["final", "interim", "refused", "unsupported", "silent"]
"""What came of a question: a final state (which comes as a report), one that is not, a carrier that
does not know the message or will not say, one that knows no such request, or no answer at all."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a link is, as its carrier connection sees it.

    The window counts submits over all sessions; `last_error` says why the last session was lost.
    """

    sessions: int
    sessions_up: int
    window: int
    window_used: int
    reconnects: int
    last_error: str | None
    last_error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that happened on a link since the last batch.

    `late` are answers to submits already given up as `unknown`: knowledge, not a second outcome.
    `reason` says why the link is down, or why not all of its sessions are up.
    """

    answers: Sequence[Answer]
    reports: Sequence[Report]
    inbound: Sequence[Inbound]
    up: bool
    late: Sequence[Answer] = ()
    reason: str | None = None


class Acknowledging(Protocol):
    """A session that can confirm what it brought."""

    def acknowledge(self, sequence: int) -> None:
        """Confirm one report or inbound message."""
        ...


class Link(Protocol):
    """A carrier connection: a window to submit through, and a stream of what comes back."""

    @property
    def id(self) -> str:
        """The name that campaigns choose it by."""
        ...

    @property
    def up(self) -> bool:
        """Whether at least one session is bound."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it is down, or why not all of its sessions are up."""
        ...

    def room(self) -> int:
        """How many parts fit into the windows of all bound sessions now; 0 when down."""
        ...

    def submit(self, parts: Sequence[Part]) -> None:
        """Send, never blocking. Every part gets exactly one answer in a later batch.

        Keep to `room()`: what exceeds it is answered `unsent`.
        """
        ...

    @property
    def stirred(self) -> asyncio.Event:
        """Set when something has happened; whoever collects clears it first."""
        ...

    def collect(self) -> Batch:
        """Tell all that has happened since the last time.

        Unless this is called, the link stops reading from the carrier after a bounded number of
        reports.
        """
        ...

    def acknowledge(self, arrivals: Sequence[Report | Inbound]) -> None:
        """Confirm to the carrier what is durable now; it sends the rest again some day."""
        ...

    async def ask(self, questions: Sequence[Question]) -> Sequence[Told]:
        """Ask what became of messages; final states come as reports in a later batch.

        Questions take room from the windows of the sessions while they are unanswered.
        """
        ...

    def health(self) -> Health:
        """Tell how the connection is."""
        ...
