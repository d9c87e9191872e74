"""What happens to the messages of a campaign. The dispatcher says these.

Facts come in batches: one event speaks of up to `BATCH` contacts. A contact is named by its number
within the campaign; phones and variables never enter the log. Every fact states a move from one
message status to another, so a fold can count without knowing the single message.
"""

from typing import Literal, NamedTuple

from campaign_events.envelope import Event, Id, Value

BATCH = 500
MessageStatus = Literal["queued", "submitting", "submitted", "delivered", "failed", "skipped"]
SkipReason = Literal["invalid", "duplicate", "suppressed", "missing_variable", "erased"]
OUTCOME_UNKNOWN = "outcome_unknown"

type Span = tuple[int, int]
"""Contact numbers from first to last, both included."""


class Skipped(Value):
    """A contact that gets no message, and why."""

    number: int
    reason: SkipReason


class Failure(Value):
    """A message that will not be delivered: `error` is the carrier's code or our own word."""

    number: int
    error: str


class Submission(NamedTuple):
    """A message in the carrier's hands: one carrier id per part. In JSON an array of the two."""

    number: int
    carrier_ids: tuple[str, ...]


class Deferral(Value):
    """A message that goes back to the queue; it may be tried again `after_s` seconds later.

    `temporary`: the carrier refused it for now; a message that is refused for too long fails. Else
    it was too much for the carrier at once, or never written to it.
    """

    number: int
    error: str
    after_s: float
    temporary: bool = False


class PartReport(Value):
    """A report on one part (from 0) of a message that still waits for its other parts."""

    number: int
    part: int
    delivered: bool
    error: str | None = None


class MessagesPlanned(Event):
    """Contacts `first` to `last` have a place in the campaign: queued, or skipped.

    `parts` holds the segments of the queued ones in number order, as (segments, how many) runs.
    """

    type: Literal["message.planned"] = "message.planned"
    audience: Id
    first: int
    last: int
    parts: tuple[tuple[int, int], ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def queued(self) -> int:
        """How many of them will get a message."""
        return sum(count for _, count in self.parts)

    @property
    def segments(self) -> int:
        """How many segments those will cost."""
        return sum(segments * count for segments, count in self.parts)


class PlanFinished(Event):
    """The whole recipient list is planned."""

    type: Literal["message.plan_finished"] = "message.plan_finished"
    queued: int
    skipped: int
    segments: int


class PlanFailed(Event):
    """The recipient list could not be made."""

    type: Literal["message.plan_failed"] = "message.plan_failed"
    reason: str


class MessagesSkipped(Event):
    """Contacts turned out not to be written to just before sending: queued → skipped."""

    type: Literal["message.skipped"] = "message.skipped"
    skipped: tuple[Skipped, ...]


class MessagesTaken(Event):
    """The intent to send, durable before the carrier sees a byte: queued → submitting.

    `epoch` is the fencing number of the link's owner. `retried` are numbers taken once more
    after a deferral, `spans` fresh ones in row order; skipped contacts inside a span do not count.
    """

    type: Literal["message.taken"] = "message.taken"
    link: Id
    epoch: int
    spans: tuple[Span, ...]
    retried: tuple[int, ...] = ()
    count: int


class MessagesSubmitted(Event):
    """The carrier accepted them: submitting → submitted."""

    type: Literal["message.submitted"] = "message.submitted"
    link: Id
    messages: tuple[Submission, ...]


class MessagesRefused(Event):
    """The carrier refused them for good: submitting → failed."""

    type: Literal["message.refused"] = "message.refused"
    link: Id
    failures: tuple[Failure, ...]


class MessagesDeferred(Event):
    """The carrier refused them for now, or never saw them: submitting → queued."""

    type: Literal["message.deferred"] = "message.deferred"
    link: Id
    deferrals: tuple[Deferral, ...]


class MessagesReported(Event):
    """Delivery reports decided them: submitted → delivered or failed.

    `parts` are reports that decide nothing yet.
    """

    type: Literal["message.reported"] = "message.reported"
    link: Id
    delivered: tuple[int, ...] = ()
    failed: tuple[Failure, ...] = ()
    parts: tuple[PartReport, ...] = ()


class MessagesUndecided(Event):
    """Nobody can tell whether the carrier has them: submitting → failed, `outcome_unknown`."""

    type: Literal["message.undecided"] = "message.undecided"
    link: Id
    numbers: tuple[int, ...]


class MessagesRecovered(Event):
    """A late report told what became of undecided ones: failed → delivered, or failed for good."""

    type: Literal["message.recovered"] = "message.recovered"
    link: Id
    delivered: tuple[int, ...] = ()
    failed: tuple[Failure, ...] = ()


class PortionOpened(Event):
    """The day's portion of a campaign that is spread over days: `count` more may be taken.

    `day` is the day's number in the campaign, from 0. What an earlier day left over is in `count`.
    """

    type: Literal["message.portion_opened"] = "message.portion_opened"
    day: int
    count: int


class SendingExpired(Event):
    """`ends_at` passed: nothing more is taken, and `left` messages were never sent."""

    type: Literal["message.expired"] = "message.expired"
    left: int


class SendingFinished(Event):
    """Every message is final, or `delivery_wait` has passed since the last submission."""

    type: Literal["message.finished"] = "message.finished"
    waited: bool = False


class SendingFailed(Event):
    """The link refuses everything."""

    type: Literal["message.sending_failed"] = "message.sending_failed"
    reason: str


class UnmatchedReport(Value):
    """A delivery report for an id that nobody knows yet."""

    carrier_id: str
    delivered: bool
    error: str | None = None


class ReportsUnmatched(Event):
    """Reports kept until their message is known; the thing it is about is the link."""

    type: Literal["message.unmatched"] = "message.unmatched"
    reports: tuple[UnmatchedReport, ...]


class LinkOwned(Event):
    """One dispatcher owns a link from here on; the thing it is about is the link.

    What it says of the link's messages must follow its own such fact, so one that was replaced can
    say nothing more.
    """

    type: Literal["message.link_owned"] = "message.link_owned"
    epoch: int


type MessageEvent = (
    MessagesPlanned
    | PlanFinished
    | PlanFailed
    | MessagesSkipped
    | MessagesTaken
    | MessagesSubmitted
    | MessagesRefused
    | MessagesDeferred
    | MessagesReported
    | MessagesUndecided
    | MessagesRecovered
    | PortionOpened
    | SendingExpired
    | SendingFinished
    | SendingFailed
    | ReportsUnmatched
    | LinkOwned
)
