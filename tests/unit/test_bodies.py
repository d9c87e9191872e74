"""Bodies too large or without an end are turned away; uploads go on for as long as they go on."""

import asyncio

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """Knows at once that it wants none of it."""
    await PlainTextResponse("no", 404)(scope, receive, send)


async def asked(
    method: str, path: str, pieces: list[bytes], *, ends: bool, app: ASGIApp = app
) -> httpx.Response:
    """What becomes of a request whose pieces come at once, and whose end comes or does not.

    The answer's `X-Left` tells how many pieces had not been taken when it began.
    """
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    sent: list[Message] = []
    left: list[int] = []

    async def receive() -> Message:
        if coming:
            return coming.pop(0)
        if ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)
        left.append(len(coming))

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    await BodyLimit(app)(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent)
    return httpx.Response(sent[0]["status"], content=content, headers={"X-Left": f"{left[0]}"})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)
    monkeypatch.setattr(bodies, "HEARD_OUT_S", 0.02)


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


@pytest.mark.parametrize("ends", [True, False])
async def test_an_upload_that_is_refused_early_is_heard_out_but_not_for_ever(*, ends: bool) -> None:
    answer = await asked("PUT", "/c/contacts", [b"x"] * 3, ends=ends, app=refusing)
    assert (answer.status_code, answer.text, answer.headers["X-Left"]) == (404, "no", "0")
