"""Answers of the API are safe in a browser, also where no edge of ours is before the service."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from campaign_events.browsing import HEADERS, Browsing


@pytest.mark.parametrize("status", [200, 404, 429, 500])
async def test_every_answer_says_what_a_browser_may_do_with_it(status: int) -> None:
    answering = PlainTextResponse("x", status, {"Content-Security-Policy": "default-src *"})
    transport = httpx.ASGITransport(Browsing(answering))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/")
    assert answer.status_code == status
    assert {name: answer.headers.get_list(name) for name in HEADERS} == {
        name: [value] for name, value in HEADERS.items()
    }
