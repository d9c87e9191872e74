"""Print the AsyncAPI document of the event log: `python -m campaign_events.asyncapi`.

Who says what on which subject, and what it holds; the schemas are those of `events.schema.json`.
"""

import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

from campaign_events.catalogue import STREAM_OF_KIND, event_types

SPEAKERS = {
    "campaign": "campaign",
    "moderation": "moderation",
    "sender": "moderation",
    "message": "dispatcher",
    "suppression": "dispatcher",
    "call": "dialler",
}
"""Which service says each kind of fact; no other may."""

type Json = dict[str, Any]

PARAMETERS: Json = {
    "workspace": {"description": "The tenant."},
    "thing": {"description": "What it is about: a campaign, a sender, a list, a link."},
}


def document() -> str:
    """Return the document as it is kept in `docs/asyncapi.json`."""
    channels, operations, messages = {}, {}, {}
    for name, cls in sorted(event_types().items()):
        kind, _, fact = name.partition(".")
        channels[name] = {
            "address": f"{kind}.{{workspace}}.{{thing}}.{fact}",
            "description": f"Kept for ever in the stream {STREAM_OF_KIND[kind]}.",
            "parameters": PARAMETERS,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        }
        operations[f"{name}.said"] = {
            "action": "send",
            "summary": f"The {SPEAKERS[kind]} service says it.",
            "channel": {"$ref": f"#/channels/{name}"},
        }
        messages[name] = {
            "summary": inspect.getdoc(cls),
            "contentType": "application/cloudevents+json",
            "payload": _envelope(name),
        }
    whole = {
        "asyncapi": "3.0.0",
        "info": {"title": "Carillon event log", "version": "1"},
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _envelope(name: str) -> Mapping[str, Any]:
    """Return the schema of a CloudEvents envelope around the data of this type."""
    text = {"type": "string"}
    fields = ("id", "source", "subject", "workspace", "correlationid")
    return {
        "type": "object",
        "required": ["specversion", "id", "type", "source", "time", "subject", "workspace", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"const": name},
            **dict.fromkeys(fields, text),
            "causationid": text,
            "traceparent": text,
            "time": {"type": "string", "format": "date-time"},
            "data": {"$ref": f"events.schema.json#/{name}"},
        },
    }


if __name__ == "__main__":
    sys.stdout.write(document())
