"""How a fact travels: the event, the envelope around it, and its place in the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, NamedTuple, Self
from uuid import UUID, uuid5

import orjson
import uuid_utils
from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""What may stand as one token of a subject."""

MAX_DIGITS = 18
"""A sequence below 10**18 fits every 64-bit integer."""

_NAMED_OUTSIDE = {"type"}
"""What the envelope says of an event, and its data need not."""

_COMMANDS = UUID("6d0e8a3c-41c5-5a0f-9b0c-0d6c6f3c2a11")


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562): ids sort by the time of their making."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str) -> str:
    """Return the same UUIDv5 for the same parts: the id of a command that may be given twice."""
    return str(uuid5(_COMMANDS, "\x1f".join(parts)))


class Value(BaseModel):
    """A frozen piece of an event; unknown fields of a later version are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """One fact, in the past tense. Its `type` is the last two tokens of its meaning: kind.fact."""

    type: str


class Unknown(Event):
    """A fact of a type that this version does not know; it keeps its place and is skipped."""

    data: dict[str, Any]


class Unreadable(Event):
    """An entry of the log that nobody can read: no envelope, or data that does not fit its type.

    `type` is what its subject says, `why` holds nothing of the data.
    """

    why: str


class Actor(Value):
    """Who wished it: a person by the token's `sub` and `name`."""

    id: str
    name: str


class Address(NamedTuple):
    """The thing that a fact is about: one consistency boundary, `kind.<workspace>.<thing>.fact`."""

    workspace: str
    thing: str

    @property
    def everything(self) -> str:
        """The subject filter over all facts about this thing, of whatever kind."""
        return f"*.{self.workspace}.{self.thing}.>"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a group of facts comes from: the command, its time, and the service that decided.

    `command_id` must be the same when the same wish is tried again: the log stores it once.
    """

    command_id: str
    at: datetime
    source: str
    correlation_id: str | None = None
    causation_id: str | None = None


class Recorded[E: Event](NamedTuple):
    """An event with its place: stream and sequence, the thing it is about, and when it was.

    A tuple, because making a frozen dataclass costs as much as reading the event.
    """

    stream: str
    seq: int
    id: str
    address: Address
    time: datetime
    event: E
    source: str
    correlation_id: str | None = None
    traceparent: str | None = None
    """What it came about in, as W3C Trace Context names it."""

    @property
    def type(self) -> str:
        """What kind of fact it is: `kind.fact`."""
        return self.event.type


def encode(
    event: Event,
    event_id: str,
    address: Address,
    origin: Origin,
    traceparent: str | None = None,
) -> bytes:
    """Return the CloudEvents 1.0 JSON of one event."""
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "type": event.type,
        "source": origin.source,
        "time": origin.at.astimezone(UTC),
        "subject": address.thing,
        "workspace": address.workspace,
        "correlationid": origin.correlation_id or origin.command_id,
        "data": event.__pydantic_serializer__.to_python(event, mode="json", exclude=_NAMED_OUTSIDE),
    }
    if origin.causation_id:
        envelope["causationid"] = origin.causation_id
    if traceparent:
        envelope["traceparent"] = traceparent
    return orjson.dumps(envelope, option=orjson.OPT_UTC_Z)


def placed[E: Event](  # noqa: PLR0913 - what `encode` is given, and the place
    event: E,
    event_id: str,
    address: Address,
    origin: Origin,
    traceparent: str | None = None,
    *,
    stream: str,
    seq: int,
) -> Recorded[E]:
    """Return what reading the entry gives that `encode` has made of the same."""
    return Recorded(
        stream,
        seq,
        event_id,
        address,
        origin.at.astimezone(UTC),
        event,
        origin.source,
        origin.correlation_id or origin.command_id,
        traceparent,
    )


def rfc3339(moment: datetime) -> str:
    """Return a moment in UTC as RFC 3339 with microseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has come, per stream; opaque to clients, understood by every service."""

    seqs: tuple[tuple[str, int], ...]

    CODES: ClassVar[dict[str, str]] = {"CAMPAIGNS": "c", "MESSAGES": "m", "CALLS": "v"}

    @classmethod
    def of(cls, stream: str, seq: int) -> Self:
        """Return the position just behind one entry."""
        return cls(((stream, seq),))

    def __str__(self) -> str:
        return "-".join(f"{self.CODES[stream]}{seq}" for stream, seq in self.seqs)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote.

        Raises:
            ValueError: the text is not a position.

        """
        streams = {code: stream for stream, code in cls.CODES.items()}
        seqs: list[tuple[str, int]] = []
        for part in text.split("-"):
            stream = streams.get(part[:1])
            digits = part[1:]
            if (
                stream is None
                or not digits.isascii()
                or not digits.isdigit()
                or len(digits) > MAX_DIGITS
            ):
                raise ValueError(f"not an event position: {text[:80]!r}")
            seqs.append((stream, int(digits)))
        return cls(tuple(seqs))


type Batch = Sequence[Recorded[Any]]
"""Recorded events of one stream, in log order."""
type Events = Iterable[Recorded[Any]]
"""The same for whoever goes through them once: each is read from the log when it is come to."""
