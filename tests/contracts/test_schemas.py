"""Schemas of events only grow: what was once written passes for ever."""

import json
from pathlib import Path
from typing import Any

import pytest

from campaign_events import asyncapi
from campaign_events.catalogue import json_schemas
from carillon.servers.nats_rights import RIGHTS
from schema_diff import FROZEN, losses

DOCS = Path(__file__).parents[2] / "docs"
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}


def event(
    field: dict[str, Any], more: dict[str, Any] | None = None, *, required: bool = True
) -> dict[str, Any]:
    shape = {"type": "object", "properties": {"field": field}, "required": ["field"] * required}
    return {"x.done": shape | (more or {})}


def test_no_event_takes_less_than_it_did() -> None:
    frozen = json.loads(FROZEN.read_text())
    assert losses(frozen, json_schemas()) == []
    assert frozen.keys() == json_schemas().keys(), "run `make schemas`"


def test_the_asyncapi_document_tells_every_event_and_who_says_it() -> None:
    kept = DOCS / "asyncapi.json"
    assert kept.read_text() == asyncapi.document(), "run `make schemas`"
    told = json.loads(kept.read_text())
    assert told["channels"].keys() == json_schemas().keys()
    for kind, speaker in asyncapi.SPEAKERS.items():
        assert f"{kind}.>" in RIGHTS[speaker].says, "the walls of NATS say the same"


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        (event(TEXT), {}, "x.done is gone"),
        (event(TEXT), {"x.done": {"type": "object"}}, "x.done.field is gone"),
        (event(TEXT, required=False), event(TEXT), "x.done.field is demanded"),
        (event(TEXT), event(NUMBER), "x.done.field was string, is integer"),
        (event({}), event(TEXT), "x.done.field was anything, is string"),
        (event({"type": "number"}), event(NUMBER), "was number, is integer"),
        (
            event({"enum": ["a", "b"]}),
            event({"enum": ["a", "c"]}),
            "x.done.field is no longer b",
        ),
        (event(TEXT), event(TEXT | {"const": "a"}), "x.done.field is no longer any value"),
        (event(TEXT), event(TEXT | {"maxLength": 9}), "x.done.field has a lower maxLength"),
        (
            event(NUMBER | {"minimum": 1}),
            event(NUMBER | {"minimum": 2}),
            "x.done.field has a higher minimum",
        ),
        (event(TEXT), event(TEXT | {"pattern": "^a"}), "x.done.field has another pattern"),
        (
            event({"anyOf": [TEXT, {"type": "null"}]}),
            event(TEXT),
            "x.done.field takes no null any more",
        ),
        (
            event({"type": "array", "items": TEXT}),
            event({"type": "array", "items": NUMBER}),
            "x.done.field[] was string, is integer",
        ),
        (
            event({"type": "array", "prefixItems": [TEXT, NUMBER]}),
            event({"type": "array", "prefixItems": [TEXT]}),
            "x.done.field has 1 places, not 2",
        ),
        (
            event({"$ref": "#/$defs/A"}, {"$defs": {"A": event(TEXT)["x.done"]}}),
            event({"$ref": "#/$defs/A"}, {"$defs": {"A": event(NUMBER)["x.done"]}}),
            "x.done.field.field was string, is integer",
        ),
        (
            event(TEXT),
            event(TEXT, {"additionalProperties": False}),
            "no further additionalProperties",
        ),
    ],
)
def test_what_takes_less_is_told(before: Any, after: Any, loss: str) -> None:
    found = losses(before, after)
    assert len(found) == 1
    assert loss in found[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (event(TEXT), event(TEXT, required=False)),
        (event(TEXT), event({"anyOf": [TEXT, {"type": "null"}]})),
        (event(NUMBER), event({"type": "number"})),
        (event({"enum": ["a"]}), event({"enum": ["a", "b"]})),
        (event({"const": "a"}), event({"enum": ["a", "b"]})),
        (event(TEXT | {"maxLength": 9}), event(TEXT | {"maxLength": 10})),
        (event(TEXT | {"title": "A"}), event(TEXT | {"title": "B", "default": "b"})),
        ({}, event(TEXT)),
        (
            event({"$ref": "#/$defs/A"}, {"$defs": {"A": TEXT}}),
            event({"$ref": "#/$defs/B"}, {"$defs": {"B": TEXT}}),
        ),
    ],
)
def test_growth_is_no_loss(before: Any, after: Any) -> None:
    assert losses(before, after) == []
