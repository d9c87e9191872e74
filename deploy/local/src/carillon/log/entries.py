"""Entries of the log as they are shown: any type, also what can not be read as an event."""

from datetime import UTC, datetime
from typing import Any

import orjson

from campaign_events.catalogue import tokens
from campaign_events.envelope import Address, Event, Recorded

UNREADABLE = "unreadable"
NEVER = datetime.fromtimestamp(0, UTC)


class Shown(Event):
    """What an entry holds, without a look at what its type demands."""

    data: dict[str, Any]
    payload: bytes


def read_leniently(stream: str, seq: int, subject: str, payload: bytes) -> Recorded[Shown]:
    """Return an entry with its bytes; one that is no event envelope has the type `unreadable`."""
    try:
        envelope = orjson.loads(payload)
        event = _shown(str(envelope["type"]), envelope["data"], payload)
        return Recorded(
            stream=stream,
            seq=seq,
            id=str(envelope["id"]),
            address=Address(envelope["workspace"], envelope["subject"]),
            time=datetime.fromisoformat(envelope["time"]),
            event=event,
            source=envelope["source"],
            correlation_id=envelope.get("correlationid"),
        )
    except (ValueError, KeyError, TypeError):
        _, workspace, thing, _ = tokens(subject)
        event = _shown(UNREADABLE, {"subject": subject}, payload)
        return Recorded(stream, seq, "", Address(workspace, thing), NEVER, event, source="")


def _shown(event_type: str, data: dict[str, Any], payload: bytes) -> Shown:
    if not isinstance(data, dict):
        raise TypeError("an event's data is an object")
    return Shown.model_construct(type=event_type, data=data, payload=payload)
