"""Which entries of the log are wanted, and how the server is asked for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from campaign_events.catalogue import STREAM_OF_KIND
from campaign_events.envelope import Position, Recorded
from carillon.errors import PlainError
from carillon.log.entries import NEVER

STREAMS = tuple(dict.fromkeys(STREAM_OF_KIND.values()))
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGO = re.compile(r"(\d{1,6})([smhd])")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FACT = re.compile(r"([a-z]+)(?:\.([a-z_]+|\*))?")


class BadFilterError(PlainError):
    """The words of a filter make no sense."""


@dataclass(frozen=True, slots=True)
class Span:
    """Entries of one stream behind `after`, up to and including `to` if that is given."""

    after: int = 0
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What entries must be: each part that is not given lets everything pass."""

    workspace: str | None = None
    thing: str | None = None
    types: frozenset[tuple[str, str]] = frozenset()
    """Kind and fact; the fact may be `*`."""
    since: datetime | None = None
    until: datetime | None = None
    spans: tuple[tuple[str, Span], ...] = tuple((stream, Span()) for stream in STREAMS)

    @property
    def streams(self) -> list[str]:
        """The streams that can hold such entries."""
        kinds = {kind for kind, _ in self.types} or STREAM_OF_KIND.keys()
        wanted = {STREAM_OF_KIND[kind] for kind in kinds}
        return [stream for stream, _ in self.spans if stream in wanted]

    @property
    def selects(self) -> bool:
        """Whether it leaves anything out."""
        return self != Filter()

    def span(self, stream: str) -> Span:
        """Return which entries of a stream are wanted."""
        return dict(self.spans)[stream]

    def subject(self, stream: str) -> str:
        """Return the narrowest single subject that all wanted entries of a stream have.

        One filter is cheap for the server, two are not; `passes` looks at what is left over.
        """
        types = [one for one in self.types if STREAM_OF_KIND[one[0]] == stream]
        kinds = {kind for kind, _ in types}
        facts = {fact for _, fact in types}
        tokens = (
            kinds.pop() if len(kinds) == 1 else "*",
            self.workspace or "*",
            self.thing or "*",
            facts.pop() if len(facts) == 1 else "*",
        )
        return ">" if set(tokens) == {"*"} else ".".join(tokens)

    def passes(self, recorded: Recorded[Any]) -> bool:
        """Tell whether an entry that the server found is wanted.

        One that nobody can read has no time of its own: it passes, for it may be the trouble.
        """
        if recorded.time != NEVER:
            if self.since is not None and recorded.time < self.since:
                return False
            if self.until is not None and recorded.time >= self.until:
                return False
        if not self.types:
            return True
        kind, _, fact = recorded.event.type.partition(".")
        return bool(self.types & {(kind, fact), (kind, "*")})


def filter_of(  # noqa: PLR0913 - one per option
    *,
    workspace: str | None,
    campaign: str | None,
    types: Sequence[str],
    since: str | None,
    until: str | None,
    position: str | None,
) -> Filter:
    """Return the filter that these words mean.

    Raises:
        BadFilterError: they mean none; the text says what would.
    """
    return Filter(
        workspace=_token(workspace, "workspace"),
        thing=_token(campaign, "campaign id (all of it, not its last characters)"),
        types=frozenset(_type(one) for one in types),
        since=None if since is None else moment(since),
        until=None if until is None else moment(until),
        spans=Filter().spans if position is None else _spans(position),
    )


def moment(text: str) -> datetime:
    """Return the moment that a text means: a date, a time, or so long ago.

    Raises:
        BadFilterError: it means none.
    """
    if found := _AGO.fullmatch(text.strip()):
        return datetime.now(UTC) - timedelta(**{UNITS[found[2]]: int(found[1])})
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadFilterError(
            f"{text!r} is no time: write 2026-11-22, 2026-11-22T09:30:00Z, or 15m, 2h, 3d for "
            "so long ago."
        ) from error
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def position_of(text: str) -> Position:
    """Return a position.

    Raises:
        BadFilterError: the text is none.
    """
    try:
        return Position.parse(text)
    except ValueError as error:
        raise BadFilterError(
            f"{text!r} is no position: c12 is entry 12 of CAMPAIGNS, m of MESSAGES, v of CALLS; "
            "c12-m3 names two."
        ) from error


def _token(text: str | None, what: str) -> str | None:
    if text is None or _TOKEN.fullmatch(text):
        return text
    raise BadFilterError(f"{text!r} is no {what}: letters, digits, _ and - only.")


def _type(text: str) -> tuple[str, str]:
    found = _FACT.fullmatch(text.strip())
    if found is None or found[1] not in STREAM_OF_KIND:
        kinds = ", ".join(STREAM_OF_KIND)
        raise BadFilterError(
            f"{text!r} is no event type: write a kind ({kinds}), or kind.fact as in "
            "campaign.created."
        )
    return found[1], found[2] or "*"


def _spans(text: str) -> tuple[tuple[str, Span], ...]:
    """Read FROM or FROM..TO; only the streams that are named are wanted."""
    first, dots, last = text.partition("..")
    after = dict(position_of(first).seqs) if first else {}
    to = dict(position_of(last).seqs) if last else {}
    if not (after or to) or (dots and not last):
        raise BadFilterError(f"{text!r} is no range of positions: write c12, c12..c40 or ..c40.")
    named = [stream for stream in STREAMS if stream in {**after, **to}]
    return tuple((stream, Span(after.get(stream, 0), to.get(stream))) for stream in named)
