"""What the audit trail knows of a command: who, when, what, before and after, from where.

A route says which action it is; its handler notes what changed; the door of every service
(`audit_door`) does the rest, also for requests that are refused before a handler sees them:

@routes.post("/{campaign_id}/pause", openapi_extra=audited("campaign.paused", "campaign"))
async def pause(...):
    note(before={"status": "sending"}, after={"status": "paused"})
"""

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

from campaign_events.decider import Decider
from campaign_events.envelope import Actor, Event
from campaign_events.projection import Document

KEY = "x-audit"
"""Where a route's OpenAPI operation says which action it is."""
DENIED = "access.denied"
ANYBODY = ""
"""The workspace of a record when a bad token names none: admins who ask for bad tokens see it."""

_LONGEST_TEXT = 512
_LONGEST_STATE = 32_000
_ID = re.compile(r"(?!\d{6,}$)[A-Za-z0-9_-]{1,64}")
"""What may be named as a resource; bare digits could be somebody's number."""

type Fields = dict[str, Any]
type State = Mapping[str, Any] | None
type Outcome = Literal["done", "refused"]


def audited(action: str, resource: str, *, summed: bool = False) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that carries out commands.

    `summed`: backends call it many times a second; what one caller repeats on the same thing
    within a minute is one record with a count.
    """
    return {KEY: {"action": action, "resource": resource, "summed": summed}}


def not_a_command() -> dict[str, Any]:
    """Return the `openapi_extra` of a POST that only asks something."""
    return {KEY: "a question"}


@dataclass(slots=True)
class Note:
    """What a handler tells about the command that it carries out."""

    before: State = None
    after: State = None
    resource: str | None = None


_NOTE: ContextVar[Note] = ContextVar("audit_note")
"""Of the request in hand: so that whoever decides can note, however deep, without a parameter."""


def open_note() -> Note:
    """Begin the note of a request."""
    opened = Note()
    _NOTE.set(opened)
    return opened


def note(*, before: State = None, after: State = None, resource: str | None = None) -> None:
    """Tell what the command in hand found and what it left; outside of a request, tell nobody.

    Neither may hold anything about contacts: no phones, no variables.
    """
    noted = _NOTE.get(None)
    if noted is None:
        return
    noted.before = noted.before if before is None else before
    noted.after = noted.after if after is None else after
    noted.resource = noted.resource if resource is None else resource


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Fields, Fields]:
    """Return only those fields of both that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def watched[C, E: Event, S](decider: Decider[C, E, S]) -> tuple[Decider[C, E, S], list[S]]:
    """Return the same decider, and where it leaves the state that it has decided about last."""
    seen: list[S] = []

    def decide(state: S, command: C) -> Sequence[E]:
        seen[:] = [state]
        return decider.decide(state, command)

    return replace(decider, decide=decide), seen


@dataclass(frozen=True, slots=True)
class Resource:
    """The thing that a command was about."""

    type: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the trail. `id` is the command's, so that its repetition adds no second one."""

    id: str
    at: datetime
    workspace: str
    actor: Actor
    action: str
    resource: Resource
    outcome: Outcome
    refusal: str | None = None
    before: State = None
    after: State = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    count: int = 1
    """For how many requests it stands."""

    def line(self, retention_days: int) -> bytes:
        """Return the record as one line of JSON, without the line's end."""
        return orjson.dumps(
            {
                "_id": self.id,
                "at": _milliseconds(self.at),
                "workspace": self.workspace,
                "actor": {"id": plain(self.actor.id), "name": plain(self.actor.name)},
                "action": self.action,
                "resource": {"type": self.resource.type, "id": resource_id(self.resource.id)},
                "before": _bounded(self.before),
                "after": _bounded(self.after),
                "ip": self.ip,
                "user_agent": None if self.user_agent is None else plain(self.user_agent),
                "request_id": self.request_id,
                "outcome": self.outcome,
                "refusal": self.refusal,
                "count": self.count,
                "expires_at": _milliseconds(self.at + timedelta(days=retention_days)),
            },
            default=str,
        )


def document(line: bytes) -> Document:
    """Return a line as MongoDB keeps it.

    Raises:
        ValueError: it is no record.

    """
    kept = orjson.loads(line)
    try:
        return {
            **kept,
            "_id": str(kept["_id"]),
            "at": datetime.fromisoformat(kept["at"]),
            "expires_at": datetime.fromisoformat(kept["expires_at"]),
        }
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a record: {error!r}") from error


def plain(text: str) -> str:
    """Return a text from outside as it can be stored: bounded, and valid Unicode."""
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", "�")


def resource_id(text: str | None) -> str | None:
    """Return what a caller named as an id, unless it can be none."""
    return text if text is not None and _ID.fullmatch(text) else None


def _bounded(state: State) -> State:
    if state is None or len(orjson.dumps(state, default=str)) <= _LONGEST_STATE:
        return state
    return {"too_long": True}


def _milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
