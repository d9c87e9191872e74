"""Bodies too large or without an end are turned away; uploads go on for as long as they go on."""

import asyncio

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from campaign_events import bodies
from campaign_events.bodies import BodyLimit
from campaign_events.sizes import MAX_BODY


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how much has come; a sender that has gone is no mistake."""
    try:
        size = len(await Request(scope, receive).body())
    except ClientDisconnect:
        size = -1
    await PlainTextResponse(f"{size}")(scope, receive, send)


async def asked(method: str, path: str, pieces: list[bytes], *, ends: bool) -> httpx.Response:
    """What becomes of a request whose pieces come at once, and whose end comes or does not."""
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    sent: list[Message] = []

    async def receive() -> Message:
        if coming:
            return coming.pop(0)
        if ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    await BodyLimit(app)(scope, receive, send)
    return httpx.Response(sent[0]["status"], content=b"".join(m.get("body", b"") for m in sent))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
async def test_a_body_has_a_size(more: int, status: int) -> None:
    answer = await asked("POST", "/x", [b"x" * MAX_BODY, b"x" * more], ends=True)
    assert answer.status_code == status


async def test_a_body_that_does_not_end_is_refused() -> None:
    answer = await asked("POST", "/x", [b"x"], ends=False)
    assert answer.status_code == 408
    assert answer.json()["code"] == "too_slow"


async def test_an_upload_is_as_large_as_it_likes_and_a_silent_one_has_gone() -> None:
    pieces = [b"x" * MAX_BODY] * 3
    assert (await asked("PUT", "/c/contacts", pieces, ends=True)).text == f"{3 * MAX_BODY}"
    assert (await asked("PUT", "/c/contacts", pieces, ends=False)).text == "-1"
