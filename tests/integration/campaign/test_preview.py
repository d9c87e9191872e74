"""What a text would look like and cost, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from campaign_events.access import Verifier
from campaign_events.problems import add_problem_handlers
from dispatcher import preview_api
from doors import AUDIENCE, ISSUER, Issuer

PREVIEW = "/api/v1/messages/preview"


@pytest.fixture
async def viewer(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    issuer = Issuer.make(tmp_path)
    app = FastAPI()
    app.state.verifier = Verifier(ISSUER, AUDIENCE, str(issuer.jwks))
    add_problem_handlers(app)
    app.include_router(preview_api.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://dispatcher",
        headers=issuer.bearer("demo", "viewer"),
    ) as client:
        yield client


async def shown(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(PREVIEW, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_preview_tells_what_goes_on_air(viewer: httpx.AsyncClient) -> None:
    assert await shown(viewer, text="Hi {{ name }}, 5 €", variables={"name": "Bo", "x": "y"}) == {
        "encoding": "gsm7",
        "length": 11,
        "segments": 1,
        "offending": [],
        "rendered": "Hi Bo, 5 €",
        "missing": [],
    }


async def test_each_character_that_costs_money_is_named_where_it_is(
    viewer: httpx.AsyncClient,
) -> None:
    found = await shown(viewer, text="{{a}} señor ç \u2013 é ç", variables={"a": "😀"})

    assert (found["encoding"], found["length"], found["segments"]) == ("ucs2", 16, 1)
    assert found["offending"] == [
        {"character": "😀", "index": 0},
        {"character": "ç", "index": 8},
        {"character": "\u2013", "index": 10},
        {"character": "ç", "index": 14},
    ]
    for one in found["offending"]:
        assert found["rendered"][one["index"]] == one["character"]


async def test_variables_without_a_value_are_missing_and_stay_as_they_are(
    viewer: httpx.AsyncClient,
) -> None:
    found = await shown(viewer, text="{{b}}{{ First name }}{{b}}{{c}}", variables={"c": "{{b}}"})

    assert found["missing"] == ["First name", "b"]
    assert found["rendered"] == "{{b}}{{First name}}{{b}}{{b}}"


async def test_a_text_that_is_too_long_to_send_is_counted_all_the_same(
    viewer: httpx.AsyncClient,
) -> None:
    found = await shown(viewer, text="{{a}}", variables={"a": "x" * 1531})
    assert (found["length"], found["segments"]) == (1531, 11)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"text": ""}, "text"),
        ({}, "text"),
        ({"text": "Hi {{name"}, "the placeholder at index 3 is never closed"),
        ({"text": "Hi {{}}"}, "has no name"),
        ({"text": "{{a{{b}}}}"}, "holds another one"),
        ({"text": "a }} b"}, "closes nothing"),
        ({"text": "x", "colour": "red"}, "colour"),
        ({"text": "x", "variables": {"a": 1}}, "variables"),
        ({"text": "x", "variables": {"a": None}}, "variables"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": "{{a}}" * 4000, "variables": {"a": "x" * 100_000}}, "20000 characters"),
    ],
)
async def test_what_can_not_be_a_text_is_told(
    viewer: httpx.AsyncClient, body: dict[str, Any], hint: str
) -> None:
    answer = await viewer.post(PREVIEW, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert hint in answer.json()["detail"]


async def test_half_a_surrogate_pair_is_no_text(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.post(
        PREVIEW, content=b'{"text": "\\ud83d"}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
