"""A campaign on its way out, as the owner of its link sees it. No I/O."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Self

from campaign_events.campaign import Mode
from campaign_events.message import PortionOpened, SendingExpired, SendingFailed, SendingFinished
from campaign_events.projection import Document
from dispatcher.audience import Audience
from dispatcher.links.link import Source
from dispatcher.portions import Spread
from dispatcher.refusals import Refusals
from dispatcher.resting import Recipient, Resting


@dataclass(slots=True)
class Outgoing:
    """How far a campaign is, and what of it is ready to go: a chunk ahead, never the whole.

    `taken_seq` is the log's place of the last intent to send, which the next one must follow.
    The counters are those of the `sendings` view, kept in step with every fact that is appended;
    `fresh` are the queued ones that were never taken, the others wait to be tried again.
    """

    id: str
    workspace: str
    audience: Audience
    mode: Mode
    text: str
    source: Source
    ends_at: datetime | None = None
    spread: Spread | None = None
    taken_to: int = 0
    taken_seq: int = 0
    planned_to: int = 0
    listed: int = 0
    """How many messages its plan has queued so far."""
    queued: int = 0
    fresh: int = 0
    submitting: int = 0
    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    planned: bool = False
    expired: bool = False
    finished: bool = False
    last_submitted_at: datetime | None = None
    refusals: Refusals = field(default_factory=Refusals)
    portion_day: int = -1
    portion_seq: int = 0
    portion_left: float = inf
    """How many fresh ones may still be taken today."""
    paused: bool = True
    closes_at: datetime | None = None
    """When its daily window closes, whether or not anybody has paused it by then."""
    ready: deque[Recipient] = field(default_factory=deque)
    """Fresh ones, in row order."""
    read_to: int = 0
    passed_to: int = 0
    """Whoever is up to here was taken or skipped."""
    resting: Resting = field(default_factory=Resting)
    traceparent: str | None = None
    """What its status came about in, for traces."""
    forgotten: int = 0
    """How much the opt-out list had forgotten when the first of what is ready was read."""

    @classmethod
    def of(
        cls, campaign: Document, sending: Document, source: Source, audience: Audience, waiting: int
    ) -> Self:
        """Return the campaign where the views say it is; `waiting` are to be tried again."""
        settings = campaign["settings"]
        spread = Spread.of(settings)
        portion = sending.get("portion_count", 0) - sending.get("portion_taken", 0)
        since, last = sending.get("refusing_since"), sending.get("refused_at")
        outgoing = cls(
            id=campaign["_id"],
            workspace=campaign["workspace"],
            audience=audience,
            mode=settings["mode"],
            text=settings["text"],
            source=source,
            ends_at=settings["ends_at"],
            spread=spread,
            taken_to=sending.get("taken_to", 0),
            taken_seq=sending.get("taken_seq", 0),
            planned_to=sending.get("planned_to", 0),
            listed=sending.get("listed", 0),
            queued=sending.get("queued", 0),
            fresh=sending.get("queued", 0) - waiting,
            submitting=sending.get("submitting", 0),
            submitted=sending.get("submitted", 0),
            accepted=sending.get("accepted", 0),
            refused=sending.get("refused", 0),
            planned=sending.get("planned", False),
            expired=sending.get("expired", False),
            finished=sending.get("finished", False),
            last_submitted_at=sending.get("last_submitted_at"),
            refusals=Refusals(since, last, sending.get("refusals", 0)),
            portion_day=sending.get("portion_day", -1),
            portion_seq=sending.get("portion_seq", 0),
            portion_left=inf if spread is None else portion,
            read_to=sending.get("taken_to", 0),
            passed_to=sending.get("taken_to", 0),
            resting=Resting(look_at=0 if waiting else inf),
        )
        outgoing.follow(campaign)
        return outgoing

    def follow(self, campaign: Document) -> None:
        """Do what the campaign's status says from now on."""
        self.paused = campaign["status"] != "sending"
        self.closes_at = None if self.paused else campaign.get("until")
        self.traceparent = campaign.get("traceparent")
        if self.paused:
            self.refusals.end()

    def hear_plan(self, sending: Document) -> None:
        """Take note of what was added to the plan since."""
        more = sending.get("listed", 0) - self.listed
        self.listed += more
        self.queued += more
        self.fresh += more
        self.planned_to = max(self.planned_to, sending.get("planned_to", 0))

    @property
    def waits(self) -> bool:
        """Whether a message is ready that may be taken today."""
        return bool(self.resting.again) or (bool(self.ready) and self.portion_left > 0)

    @property
    def final(self) -> bool:
        """Whether nothing is left to send or to hear about."""
        return self.all_sent and not self.submitted

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left to send."""
        closed = self.expired or (self.planned and self.mode != "trigger" and not self.queued)
        return closed and not self.submitting

    def over(self, now: datetime) -> bool:
        """Tell whether its time has passed, or everything has come to its end."""
        passed = self.ends_at is not None and self.ends_at <= now
        return passed or self.expired or self.finished

    def rests(self, now: datetime) -> bool:
        """Tell whether nothing may be taken for now."""
        return self.paused or (self.closes_at is not None and self.closes_at <= now)

    def sends(self, now: datetime) -> bool:
        """Tell whether messages may be taken."""
        return not (self.rests(now) or self.over(now))

    def portion(self, now: datetime) -> PortionOpened | None:
        """Return the portion that is to be opened, if there is one and anybody to send it to."""
        if self.spread is None or self.fresh <= 0:
            return None
        day = self.spread.day_at(now)
        if day <= self.portion_day:
            return None
        return PortionOpened(day=day, count=self.spread.portion(day, self.fresh))

    def opened(self, portion: PortionOpened, seq: int) -> None:
        """Take from this portion from now on."""
        self.portion_day, self.portion_seq, self.portion_left = portion.day, seq, portion.count

    def pop(self) -> Recipient:
        """Take out the next message: what is due again first, then row order."""
        if self.resting.again:
            return self.resting.again.popleft()
        self.portion_left -= 1
        return self.ready.popleft()

    def put_away(self) -> None:
        """Forget what is ready to go; it is read again when its time comes."""
        if self.ready:
            self.ready.clear()
            self.read_to = self.passed_to
        if self.resting.again:
            self.resting.again.clear()
            self.resting.look_at = 0

    def took(self, some: Sequence[Recipient], seq: int) -> None:
        """Keep in step with the intent to send these."""
        fresh = [one.number for one in some if one.number > self.taken_to]
        self.resting.gone((one.number for one in some if one.number <= self.taken_to), seq)
        self.taken_seq = seq
        self.taken_to = max(self.taken_to, *(fresh or (0,)))
        self.passed_to = max(self.passed_to, self.taken_to)
        self.fresh -= len(fresh)
        self.queued -= len(some)
        self.submitting += len(some)

    def skipped(self, some: Sequence[Recipient], seq: int) -> None:
        """Keep in step with these having been skipped; they use up nothing of a portion."""
        again = [one.number for one in some if one.number <= self.taken_to]
        self.resting.gone(again, seq)
        self.passed_to = max(self.passed_to, *(one.number for one in some))
        fresh = len(some) - len(again)
        self.fresh -= fresh
        self.portion_left += fresh
        self.queued -= len(some)

    def ended(self, end: SendingExpired | SendingFailed | SendingFinished) -> None:
        """Keep in step with what was said of its end."""
        self.expired = self.expired or isinstance(end, SendingExpired)
        self.finished = not isinstance(end, SendingExpired) or end.left > 0

    def count(self, kind: str, count: int, now: datetime) -> None:
        """Keep in step with facts of one kind (`outcomes.Kind`)."""
        match kind:
            case "submitted":
                self.submitting -= count
                self.submitted += count
                self.accepted += count
                self.last_submitted_at = now
                self.refusals.end()
            case "refused":
                self.submitting -= count
                self.refused += count
                self.refusals.refused(count, now)
            case "undecided":
                self.submitting -= count
                self.refusals.end()
            case "deferred":
                self.submitting -= count
                self.queued += count
                self.refusals.end()
            case "delivered" | "failed":
                self.submitted -= count
            case _:
                pass
