"""A run on its way, as the owner of its campaign sees it. No I/O."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Literal, Self

from campaign_events.call import AttemptEnd, AttemptKind, CallsClosed
from campaign_events.envelope import Address
from campaign_events.projection import Document
from campaign_events.voice import VoiceSettings, VoiceStatus
from campaign_events.windows import closing, is_open

type Closed = Literal["window_closed", "manual_stopped"]
"""What somebody becomes who waits and will not be called."""
EVERYWHERE = tuple(f"Etc/GMT{ahead:+}" for ahead in range(-14, 13))
"""The zones of whole hours; windows of a day close in one of them last."""
FRUITLESS = 3
VIEW_LAG_S = 0.05
"""How long to wait for the view when it does not show what the log already holds."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that may be dialled next. `allowed_from` is when the caps allow it."""

    number: int
    phone: str = field(repr=False)
    sequence: int
    kind: AttemptKind
    timezone: str
    connected_before: bool = False


@dataclass(slots=True)
class Fences:
    """The log's places of our last facts of each kind, which the next ones must follow."""

    opened: int = 0
    dialled: int = 0
    ended: int = 0
    closed: int = 0
    added: int = 0

    @classmethod
    def of(cls, runs: Iterable[Document]) -> Self:
        """Return them where the views of a campaign's runs say they are."""
        fences = cls()
        for run in runs:
            fences.opened = max(fences.opened, run.get("opened_seq", 0))
            fences.dialled = max(fences.dialled, run.get("dialled_seq", 0))
            fences.ended = max(fences.ended, run.get("ended_seq", 0))
            fences.closed = max(fences.closed, run.get("closed_seq", 0))
            fences.added = max(fences.added, run.get("added_seq", 0))
        return fences

    @property
    def last(self) -> int:
        """The newest of them."""
        return max(self.opened, self.dialled, self.ended, self.closed, self.added)


@dataclass(slots=True)
class Run:
    """How far a run is, and what of it is ready to be dialled: a chunk ahead, never the whole.

    The counters are those of the `runs` view, kept in step with every fact that is appended.
    """

    campaign: str
    workspace: str
    number: int
    audience: str
    settings: VoiceSettings
    status: VoiceStatus
    fences: Fences
    opened_at: datetime
    last: int = 0
    as_of: int = 0
    pending: int = 0
    retries: int = 0
    callbacks: int = 0
    attempts: int = 0
    dialled_to: int = 0
    finished: bool = False
    broken: bool = False
    traceparent: str | None = None
    """What the run was started in, for traces."""
    current: bool = True
    """Whether the campaign's status is about this run, or about a later one."""
    fresh: deque[Candidate] = field(default_factory=deque)
    called_back: deque[Candidate] = field(default_factory=deque)
    """Callbacks that are due, the longest due first."""
    retried: deque[Candidate] = field(default_factory=deque)
    """Retries that are due, the longest due first."""
    read_to: int = 0
    low: int = 0
    """Nobody up to here waits for a first dial."""
    skipped_until: float = inf
    """When the first of those opens who were passed over because of their clocks."""
    look_at: float = 0.0
    """When to look for who is due again, in seconds since the epoch."""
    unseen_due: float = inf
    blocked: dict[int, float] = field(default_factory=dict)
    """Who is due but must not be rung yet, and until when."""
    moved: dict[int, int] = field(default_factory=dict)
    """Numbers that the view may still show where they were, with the fact that moved them."""
    barred: set[int] = field(default_factory=set)
    """Excluded while their calls live."""
    given_up: dict[int, tuple[AttemptKind, Closed]] = field(default_factory=dict)
    """Who waits and will not be called, and why; to be said."""
    fruitless: int = 0
    """Whole looks through the audience in a row that found nobody, while somebody should wait."""
    _closing: dict[str | None, datetime | None] = field(default_factory=dict)

    @classmethod
    def of(cls, campaign: Document, run: Document, fences: Fences) -> Self:
        """Return the run where the views say it is."""
        settings = VoiceSettings.model_validate(campaign["settings"])
        in_row_order = not (settings.respect_contact_timezone or settings.contact_caps)
        place = run.get("dialled_to", 0) if in_row_order else 0
        found = cls(
            campaign=campaign["_id"],
            workspace=campaign["workspace"],
            number=run["run"],
            audience=run["audience"],
            settings=settings,
            status=campaign["status"],
            fences=fences,
            opened_at=run["opened_at"],
            last=run.get("last", 0),
            as_of=run.get("as_of", 0),
            pending=run.get("pending", 0),
            retries=run.get("retries", 0),
            callbacks=run.get("callbacks", 0),
            attempts=run.get("attempts", 0),
            dialled_to=run.get("dialled_to", 0),
            finished=run.get("finished", False),
            broken=run.get("broken", False),
            read_to=place,
            low=place,
        )
        found.follow(campaign)
        return found

    @property
    def address(self) -> Address:
        """What its facts are about."""
        return Address(self.workspace, self.campaign)

    @property
    def waiting(self) -> int:
        """How many contacts wait to be called."""
        return self.pending + self.retries + self.callbacks

    @property
    def stopped(self) -> bool:
        """Whether a person, or a later run, has ended it."""
        return not self.current or self.status == "completed"

    @property
    def is_through(self) -> bool:
        """Whether nothing is left to do once its live calls are over.

        Nobody is left also when a whole look through the audience finds nobody of those who wait:
        contacts may have been removed.
        """
        if self.broken:
            return True
        if self.settings.always_on and not self.stopped:
            return False
        return not self.waiting or (self.fruitless >= FRUITLESS and not self.given_up)

    def dials(self, now: datetime) -> bool:
        """Tell whether calls may be placed now, as far as the campaign's own window goes."""
        if self.status != "running" or not self.current or self.broken or self.finished:
            return False
        return self.settings.respect_contact_timezone or is_open(self.settings.time_window, now)

    def open_now(self, now: datetime) -> bool:
        """Tell whether anybody may be rung at this time, as far as is known."""
        if not self.settings.respect_contact_timezone:
            return is_open(self.settings.time_window, now)
        return self.ready > 0 or self.skipped_until == inf

    def over(self, now: datetime) -> Closed | None:
        """Return what becomes of everybody who waits, if nothing will be dialled any more."""
        if self.stopped:
            return "manual_stopped"
        closes = self.closes_at()
        return "window_closed" if closes is not None and closes <= now else None

    def closes_at(self, timezone: str | None = None) -> datetime | None:
        """Return when the window of a single day closes, by the clocks of a contact if given.

        Without one, by the campaign's own clocks; or for everybody, where those of contacts count.
        A campaign that is always on has no last day.
        """
        if self.settings.campaign_mode != "single_day" or self.settings.always_on:
            return None
        if timezone not in self._closing:
            self._closing[timezone] = self._find_closing(timezone)
        return self._closing[timezone]

    def _find_closing(self, timezone: str | None) -> datetime | None:
        window = self.settings.time_window
        if not self.settings.respect_contact_timezone:
            return closing(window, self.opened_at)
        zones = EVERYWHERE if timezone is None else (timezone,)
        windows = (window.model_copy(update={"timezone": zone}) for zone in zones)
        ends = [end for one in windows if (end := closing(one, self.opened_at)) is not None]
        return max(ends, default=None)

    def follow(self, campaign: Document) -> None:
        """Do what the campaign says from now on."""
        settings = VoiceSettings.model_validate(campaign["settings"])
        if settings != self.settings:
            self.settings = settings
            self._closing.clear()
            self.put_away()
            self.read_to = self.low = 0
            self.skipped_until = inf
        self.status = campaign["status"]
        self.traceparent = campaign.get("traceparent")
        self.current = campaign["run"] == self.number

    def put_away(self) -> None:
        """Forget what is ready; it is read again when its time comes."""
        if self.fresh:
            self.read_to = min(self.read_to, self.fresh[0].number - 1)
        for ready in (self.fresh, self.called_back, self.retried):
            ready.clear()
        self.blocked.clear()
        self.look_at = 0.0

    def forget(self, numbers: set[int]) -> None:
        """Take these out of what is ready."""
        for ready in (self.fresh, self.called_back, self.retried):
            kept = [one for one in ready if one.number not in numbers]
            ready.clear()
            ready.extend(kept)

    @property
    def ready(self) -> int:
        """How many can be dialled now."""
        return len(self.called_back) + len(self.fresh) + len(self.retried)

    def pop(self) -> Candidate:
        """Take out who is next: callbacks, then row order, then retries."""
        return next(
            ready for ready in (self.called_back, self.fresh, self.retried) if ready
        ).popleft()

    def pass_over(self, one: Candidate, until: float) -> None:
        """Leave somebody out for now; who was to be dialled first is found again by row order."""
        if one.kind == "first":
            self.low = min(self.low, one.number - 1)
            self.skipped_until = min(self.skipped_until, until)
        else:
            self.blocked[one.number] = until
            self.look_at = min(self.look_at, until)

    def put_back(self, some: Sequence[Candidate]) -> None:
        """Put those who were taken out, but not rung, where they were."""
        kinds = {"callback": self.called_back, "first": self.fresh, "retry": self.retried}
        for one in reversed(some):
            kinds[one.kind].appendleft(one)

    def dialled(self, some: Sequence[Candidate], seq: int) -> None:
        """Keep in step with the intent to ring these."""
        self.fences.dialled = seq
        self.attempts += len(some)
        for one in some:
            self.moved[one.number] = seq
            match one.kind:
                case "first":
                    self.pending -= 1
                    self.dialled_to = max(self.dialled_to, one.number)
                case "retry":
                    self.retries -= 1
                case "callback":
                    self.callbacks -= 1

    def ended(self, ends: Sequence[AttemptEnd], seq: int) -> None:
        """Keep in step with how attempts ended."""
        self.fences.ended = seq
        for end in ends:
            self.moved[end.number] = seq
            self.retries += end.becomes == "retry_scheduled"
            self.callbacks += end.becomes == "callback_scheduled"
            if end.due_at is not None:
                self.unseen_due = min(self.unseen_due, end.due_at.timestamp())
                self.look_at = min(self.look_at, end.due_at.timestamp())

    def closed(self, event: CallsClosed, seq: int) -> None:
        """Keep in step with waiting contacts being closed."""
        self.fences.closed = seq
        for first, last in event.pending:
            self.pending -= last - first + 1
            self.moved |= dict.fromkeys(range(first, last + 1), seq)
        self.retries -= len(event.retries)
        self.callbacks -= len(event.callbacks)
        self.moved |= dict.fromkeys((*event.retries, *event.callbacks), seq)

    def added(self, first: int, last: int, seq: int) -> None:
        """Keep in step with contacts having joined."""
        self.fences.added = seq
        self.pending += last - first + 1
        self.last = max(self.last, last)

    def unsettled(self, folded_to: int, now: float) -> set[int]:
        """Return the numbers not to believe of a view that is read from now on."""
        self.moved = {number: seq for number, seq in self.moved.items() if seq > folded_to}
        self.blocked = {number: until for number, until in self.blocked.items() if until > now}
        if folded_to >= self.fences.ended:
            self.unseen_due = inf
        ready = {one.number for one in (*self.called_back, *self.retried)}
        return self.moved.keys() | ready | self.given_up.keys()
