"""Every event there is: its subject, its stream, its JSON Schema, and how it is read back."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, get_args

import orjson

from campaign_events.call import CallEvent
from campaign_events.campaign import SettingsChanged, SmsCampaignEvent
from campaign_events.envelope import Address, Event, Recorded, Unknown
from campaign_events.message import MessageEvent
from campaign_events.moderation import ModerationEvent
from campaign_events.sender import SenderEvent
from campaign_events.suppression import SuppressionEvent
from campaign_events.voice import VoiceCampaignEvent

STREAM_OF_KIND = {
    "campaign": "CAMPAIGNS",
    "moderation": "CAMPAIGNS",
    "sender": "CAMPAIGNS",
    "message": "MESSAGES",
    "suppression": "MESSAGES",
    "call": "CALLS",
}


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
        read = _readers().get(envelope["type"])
        data = envelope["data"]
        event: Event = Unknown(type=envelope["type"], data=data) if read is None else read(data)
        return Recorded(
            stream=stream,
            seq=seq,
            id=envelope["id"],
            address=Address(envelope["workspace"], envelope["subject"]),
            time=datetime.fromisoformat(envelope["time"]),
            event=event,
            source=envelope["source"],
            correlation_id=envelope.get("correlationid"),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"entry {seq} of {stream} is not an event envelope: {error!r}") from error


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every event's data, by type."""
    return {name: cls.model_json_schema() for name, cls in sorted(event_types().items())}
