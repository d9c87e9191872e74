"""Every event there is: its subject, its stream, its JSON Schema, and how it is read back."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

import orjson

from campaign_events.call import CallEvent
from campaign_events.campaign import SettingsChanged, SmsCampaignEvent
from campaign_events.envelope import Address, Event, Recorded, Unknown, Unreadable
from campaign_events.faults import said
from campaign_events.message import MessageEvent
from campaign_events.moderation import ModerationEvent
from campaign_events.sender import SenderEvent
from campaign_events.suppression import SuppressionEvent
from campaign_events.upcasts import UPCASTS, upcast
from campaign_events.voice import VoiceCampaignEvent

STREAM_OF_KIND = {
    "campaign": "CAMPAIGNS",
    "moderation": "CAMPAIGNS",
    "sender": "CAMPAIGNS",
    "message": "MESSAGES",
    "suppression": "MESSAGES",
    "call": "CALLS",
}
NEVER = datetime.fromtimestamp(0, UTC)


@cache
def event_types() -> dict[str, type[Event]]:
    """Return every event class by its type."""
    unions = (
        *(SmsCampaignEvent, VoiceCampaignEvent, ModerationEvent, SenderEvent),
        *(MessageEvent, SuppressionEvent, CallEvent),
    )
    classes = [cls for union in unions for cls in get_args(union.__value__)] + [SettingsChanged]
    return {cls.model_fields["type"].default: cls for cls in classes}


@cache
def _readers() -> dict[str, Callable[[Any], Event]]:
    """Return what reads each type's data: the validator itself, without the class around it."""
    return {name: cls.__pydantic_validator__.validate_python for name, cls in event_types().items()}


def subject_of(event: Event, address: Address) -> str:
    """Return `kind.<workspace>.<thing>.<fact>`."""
    kind, fact = event.type.split(".")
    return f"{kind}.{address.workspace}.{address.thing}.{fact}"


def stream_of(event: Event) -> str:
    """Return the name of the stream that keeps this kind of fact."""
    return STREAM_OF_KIND[event.type.partition(".")[0]]


def decode(stream: str, seq: int, payload: bytes) -> Recorded[Any]:
    """Read one entry of the log; a type from the future comes back as `Unknown`.

    Raises:
        ValueError: the entry is not an envelope, or its data does not fit its type.

    """
    envelope = orjson.loads(payload)
    try:
        name, data = envelope["type"], envelope["data"]
        if name in UPCASTS:
            name, data = upcast(name, data)
        validate = _readers().get(name)
        event: Event = Unknown(type=name, data=data) if validate is None else validate(data)
        return Recorded(
            stream,
            seq,
            envelope["id"],
            _address(envelope["workspace"], envelope["subject"]),
            datetime.fromisoformat(envelope["time"]),
            event,
            envelope["source"],
            envelope.get("correlationid"),
            envelope.get("traceparent"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"entry {seq} of {stream} is not an event envelope: {error!r}") from error


def _address(workspace: object, thing: object) -> Address:
    if not (isinstance(workspace, str) and isinstance(thing, str)):
        raise TypeError("workspace and subject are text")
    return Address(workspace, thing)


def read(stream: str, seq: int, subject: str, payload: bytes) -> Recorded[Any]:
    """Read one entry whatever it holds: what `decode` refuses comes back as `Unreadable`.

    Its address is what the subject says; it has no id and no time.
    """
    try:
        recorded = decode(stream, seq, payload)
    except ValueError as error:
        return _unreadable(stream, seq, subject, said(error))
    if f".{recorded.address.workspace}.{recorded.address.thing}." not in subject:
        return _unreadable(stream, seq, subject, "the envelope is about another thing")
    return recorded


def tokens(subject: str) -> Sequence[str]:
    """Return kind, workspace, thing and fact; empty text for those that are missing."""
    return (*subject.split(".", 3), "", "", "")[:4]


def _unreadable(stream: str, seq: int, subject: str, why: str) -> Recorded[Any]:
    kind, workspace, thing, fact = tokens(subject)
    event = Unreadable(type=f"{kind}.{fact}", why=why)
    return Recorded(stream, seq, "", Address(workspace, thing), NEVER, event, source="")


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every event's data, by type."""
    return {name: cls.model_json_schema() for name, cls in sorted(event_types().items())}
