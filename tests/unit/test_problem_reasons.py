"""What somebody reads whose body is no JSON object."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from campaign_events.problems import add_problem_handlers


class _Inner(BaseModel):
    number: int


class _Body(BaseModel):
    inner: _Inner


async def _take(body: _Body) -> None:
    """Take a body."""


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        ({"json": ["a"]}, "body", "must be a JSON object"),
        ({"json": "a"}, "body", "must be a JSON object"),
        ({"json": {"inner": 3}}, "inner", "must be a JSON object"),
        (
            {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
            "body",
            "must be JSON, sent with the header Content-Type: application/json",
        ),
    ],
)
async def test_a_body_that_is_no_object_is_told_so(
    request_: dict[str, Any], field: str, reason: str
) -> None:
    app = FastAPI()
    add_problem_handlers(app)
    app.post("/", response_model=None)(_take)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://carillon") as client:
        answer = await client.post("/", **request_)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "reason": reason}]
