"""HEAD is answered wherever GET is, and nothing is made that nobody will read."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from campaign_events.heads import Heads
from campaign_events.problems import add_problem_handlers

app = FastAPI()
add_problem_handlers(app)
left = asyncio.Event()


@app.get("/things/{name}")
async def thing(name: str) -> dict[str, str]:
    return {"name": name}


@app.post("/things")
async def make() -> None: ...


@app.get("/news")
async def news() -> StreamingResponse:
    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"data: 1\n\n"
                await asyncio.sleep(0.001)
        finally:
            left.set()

    return StreamingResponse(endless(), media_type="text/event-stream")


async def asked(method: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(Heads(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, path)


async def test_head_is_answered_as_get_is_but_for_the_body() -> None:
    got, head = await asked("GET", "/things/a"), await asked("HEAD", "/things/a")
    assert (head.status_code, head.headers, head.content) == (200, got.headers, b"")


@pytest.mark.parametrize(("path", "status"), [("/things", 405), ("/nowhere", 404)])
async def test_head_of_what_can_not_be_got_is_refused_as_get_is(path: str, status: int) -> None:
    head = await asked("HEAD", path)
    assert (head.status_code, head.content) == (status, b"")


async def test_what_may_be_got_may_be_asked_for_its_head() -> None:
    answer = await asked("DELETE", "/things/a")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_head_of_what_has_no_end_has_one() -> None:
    left.clear()
    head = await asyncio.wait_for(asked("HEAD", "/news"), 5)
    assert head.headers["Content-Type"].startswith("text/event-stream")
    assert left.is_set()


async def test_whoever_measures_learns_which_route_has_answered() -> None:
    seen: list[object] = []

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            seen.append((scope["method"], getattr(scope.get("route"), "path", None)))
            await send(message)

        await Heads(app)(scope, receive, watched)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(door), base_url="http://x"
    ) as client:
        await client.head("/things/a")
    assert set(seen) == {("HEAD", "/things/{name}")}
