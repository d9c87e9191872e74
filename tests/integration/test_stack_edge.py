"""Caddy in front of services that answer, stream, or are not there."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from carillon.servers.edge import Edge
from carillon.servers.ports import Ports
from carillon.supervisor import Supervised


class Upstream:
    """A service as the edge sees it: it says who it is, streams, and swallows uploads."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.first_bytes = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "/refused" in head:
            length = b"Content-Length: 2\r\nConnection: close\r\n\r\n"
            writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\n" + length)
            await writer.drain()
            writer.write(b"{}")
            while await reader.read(65536):
                pass
        elif "/stream" in head:
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: one\n\n"
            )
            await writer.drain()
            await self.go_on.wait()
            writer.write(b"event: two\n\n")
        else:
            if head.startswith("PUT"):
                await reader.read(1024)
                self.first_bytes.set()
                await self.go_on.wait()
            body = json.dumps({"head": head}).encode()
            length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(upstream: Upstream) -> AsyncIterator[int]:
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def browser(tmp_path: Path, upstream: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an edge whose views and campaigns answer; the others are away."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<title>Carillon</title>")
    ports = Ports(tmp_path / "ports.json")
    async with listening(upstream) as port:
        alive = f"127.0.0.1:{port}"
        away = {name: f"127.0.0.1:{ports.take(name)}" for name in ("dispatcher", "moderation")}
        upstreams = {"read_model": alive, "campaign": alive} | away
        edge = Edge(tmp_path / "edge", ports.take("edge"), upstreams, pages)
        program = edge.program(tmp_path / "edge.log", dict(os.environ))
        caddy = Supervised(program, lambda _: None)
        await caddy.start()
        try:
            async with httpx.AsyncClient(base_url=edge.url, timeout=10) as client:
                yield client
        finally:
            upstream.go_on.set()
            await caddy.stop()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_are_not_reached_through_the_edge(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_the_dashboard_is_at_the_root(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert answer.text == "<title>Carillon</title>"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_page_that_is_not_there_is_a_problem(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/no/such/page.html")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("POST", "/nope"), ("GET", "/api/v2/campaigns"), ("DELETE", "/api/v1")],
)
async def test_what_nobody_answers_is_a_problem(
    browser: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await browser.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_line_break_in_a_path_hides_no_service(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/v1/campaigns/c1%0A/stop")
    assert "/api/v1/campaigns/c1" in answer.json()["head"]


async def test_a_method_that_nobody_knows_is_a_problem(browser: httpx.AsyncClient) -> None:
    answer = await browser.request("BREW", "/api/v1/campaigns")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert "GET" in answer.headers["allow"]


async def test_a_dispatcher_that_is_away_is_core_unavailable(browser: httpx.AsyncClient) -> None:
    for path in ("/api/v1/links", "/api/v1/campaigns/c1/messages"):
        answer = await browser.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "core_unavailable"
        assert answer.json()["status"] == 503


async def test_another_service_that_is_away_is_unavailable(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/v1/senders", json={"name": "x"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"


async def test_a_service_learns_who_asked(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/api/v1/overview", headers={"X-Forwarded-For": "6.6.6.6"})
    head = answer.json()["head"].lower()
    assert "x-forwarded-for: 127.0.0.1" in head
    assert "6.6.6.6" not in head


async def test_server_sent_events_leave_at_once(
    browser: httpx.AsyncClient, upstream: Upstream
) -> None:
    async with browser.stream("GET", "/api/v1/overview/stream") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: one"
        upstream.go_on.set()
        assert [line async for line in lines if line] == ["event: two"]


async def test_a_refusal_arrives_whole_however_much_is_still_being_sent(
    browser: httpx.AsyncClient,
) -> None:
    url = browser.base_url.join("/api/v1/campaigns/refused/contacts")

    def put() -> tuple[int, bytes]:
        with httpx.Client() as client:
            answer = client.put(url, content=(b"x" * 100_000 for _ in range(200)))
        return answer.status_code, answer.content

    for _ in range(5):
        assert await asyncio.to_thread(put) == (409, b"{}")


async def test_an_upload_reaches_the_service_while_it_is_still_being_sent(
    browser: httpx.AsyncClient, upstream: Upstream
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 4096
        await upstream.first_bytes.wait()  # would never come through a buffering edge
        yield b"y" * 4096
        upstream.go_on.set()

    answer = await browser.put("/api/v1/campaigns/c1/contacts", content=body())
    assert answer.status_code == 200
