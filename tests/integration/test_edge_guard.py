"""What the edge demands of every request and says with every answer, over a running Caddy."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from starlette.responses import PlainTextResponse

import servers
from campaign_events.access import Verifier
from campaign_events.rate_limit import RateLimit
from campaign_events.settings import Settings
from campaign_events.sizes import MAX_BODY
from carillon.servers import guarding
from carillon.servers.certificates import make_certificates
from carillon.servers.edge import Edge
from carillon.servers.guarding import EdgeTls
from carillon.servers.ports import Ports
from carillon.services import SERVICES
from carillon.supervisor import Supervised
from doors import AUDIENCE, ISSUER, Issuer

pytestmark = pytest.mark.asyncio(loop_scope="module")
CAMPAIGN = "/api/v1/campaigns/c1"
EVERYWHERE = ("/", "/index.html", "/assets/a.js", "/dashboard.json", "/nope", "/api/v1/overview")
EVERY_HEADER = (
    *("content-security-policy", "permissions-policy", "referrer-policy"),
    *("cross-origin-opener-policy", "cross-origin-resource-policy"),
    *("x-content-type-options", "x-frame-options"),
)


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that takes all that comes, and says what it is made of to whoever asks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r")[0] or 0)
    last = b""
    is_open_ended = b"transfer-encoding: chunked" in head
    while (is_open_ended and not last.endswith(b"0\r\n\r\n")) or length > 0:
        chunk = await reader.read(65536)
        if not chunk:
            break
        length -= len(chunk)
        last = (last + chunk)[-5:]
    else:
        own = b"Server: uvicorn\r\nX-Frame-Options: ALLOWALL\r\nConnection: close\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + own + b"\r\nok")
    writer.close()


@asynccontextmanager
async def serving(
    folder: Path, tls: EdgeTls | None = None, service: int | None = None
) -> AsyncIterator[Edge]:
    """An edge with a page, in front of one service that is all services: this port's or its own."""
    (folder / "pages" / "assets").mkdir(parents=True)
    (folder / "pages" / "index.html").write_text("<title>Carillon</title>")
    (folder / "pages" / "assets" / "a.js").write_text("1")
    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    behind = service or server.sockets[0].getsockname()[1]
    upstreams = dict.fromkeys(SERVICES, f"127.0.0.1:{behind}")
    port = Ports(folder / "ports.json").take("edge")
    edge = Edge(folder / "edge", port, upstreams, folder / "pages", tls=tls)
    caddy = Supervised(edge.program(folder / "edge.log", dict(os.environ)), lambda _: None)
    async with server:
        await caddy.start()
        try:
            yield edge
        finally:
            await caddy.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarding, "HEAD_WITHIN", "300ms")
        async with serving(tmp_path_factory.mktemp("edge")) as edge:
            yield edge


@pytest_asyncio.fixture(loop_scope="module")
async def caller(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=edge.url, timeout=10) as caller:
        yield caller


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_answer_tells_browsers_what_it_may_do(
    caller: httpx.AsyncClient, path: str
) -> None:
    answer = await caller.get(path)
    said = answer.headers
    assert [name for name in EVERY_HEADER if len(said.get_list(name)) != 1] == []
    assert said["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in said["content-security-policy"]
    assert "default-src 'none'" in said["content-security-policy"]
    assert "unsafe-eval" not in said["content-security-policy"]
    assert "server" not in said
    assert "strict-transport-security" not in said, "this edge speaks plain http"
    scripts = "script-src 'self'" in said["content-security-policy"]
    assert scripts == (not path.startswith("/api/"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/campaigns"),
        ("PATCH", CAMPAIGN),
        ("POST", "/api/v1/suppressions"),
        ("POST", f"{CAMPAIGN}/contacts"),
        ("PUT", f"{CAMPAIGN}/x/contacts"),
        ("GET", "/api/v1/overview"),
    ],
)
@pytest.mark.parametrize("is_told", [True, False])
async def test_a_body_that_is_too_large_is_a_problem(
    caller: httpx.AsyncClient, method: str, path: str, is_told: bool
) -> None:
    async def pieces(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield b"x" * 65536
        yield b"x" * (size % 65536)

    for size, status in ((MAX_BODY, 200), (MAX_BODY + 1, 413)):
        length = {"Content-Length": str(size)} if is_told else {}
        answer = await caller.request(method, path, content=pieces(size), headers=length)
        assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.json()["code"] == "too_large"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_long_body_that_nobody_wants_ends_the_connection(
    caller: httpx.AsyncClient,
) -> None:
    for method in ("POST", "PUT", "PATCH"):
        answer = await caller.request(method, "/nope", content=b"x" * MAX_BODY)
        assert (answer.status_code, answer.headers.get("connection")) == (404, "close")
        assert (await caller.get("/")).status_code == 200


@pytest.mark.parametrize("path", [f"{CAMPAIGN}/contacts", "/api/v1/suppressions"])
async def test_an_upload_may_be_large(caller: httpx.AsyncClient, path: str) -> None:
    assert (await caller.put(path, content=b"x" * (8 * MAX_BODY))).status_code == 200


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/readyz/serving", "/metrics", "/api/../metrics", "//metrics"]
)
async def test_probes_and_metrics_are_not_reached(edge: Edge, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 404 " in said.partition(b"\r\n")[0] or b" 30" in said.partition(b"\r\n")[0]
    assert b"ok" not in said.partition(b"\r\n\r\n")[2][:2]


async def test_who_says_hello_too_slowly_is_hung_up_on(edge: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow")
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    assert b" 200 " not in said


async def test_a_head_that_is_too_long_is_refused(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/", headers={"X-Long": "x" * 64 * 1024})
    assert answer.status_code == 431


async def test_an_edge_with_a_certificate_speaks_tls_alone_and_says_so(tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls")
    tls = EdgeTls(*(str(tmp_path / "tls" / f"edge.{end}") for end in ("crt", "key")))
    async with serving(tmp_path, tls) as edge:
        trusted = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.crt")
        async with httpx.AsyncClient(verify=trusted) as caller:
            for path in EVERYWHERE:
                answer = await caller.get(f"{edge.url}{path}")
                assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
        async with httpx.AsyncClient() as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(edge.url)
            plain = await stranger.get(edge.url.replace("https", "http"))
            assert plain.status_code == 400


@asynccontextmanager
async def a_service_with_limits(folder: Path) -> AsyncIterator[int]:
    """One that believes nobody, and lets an address show two bad tokens a minute."""
    issuer = Issuer.make(folder)
    verifier = Verifier(ISSUER, AUDIENCE, str(issuer.jwks))
    settings = Settings.model_construct(requests_per_s=1000, refused_tokens_per_min=2)
    app = RateLimit(PlainTextResponse("", 401), verifier=verifier, settings=settings)
    port = servers.free_port()
    config = uvicorn.Config(
        app, port=port, log_config=None, lifespan="off", forwarded_allow_ips="127.0.0.1"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await serving


async def test_callers_are_counted_by_their_own_address_whatever_they_claim(tmp_path: Path) -> None:
    async with a_service_with_limits(tmp_path) as port, serving(tmp_path, service=port) as edge:

        async def asked(address: str, claims: str | None = None) -> int:
            transport = httpx.AsyncHTTPTransport(local_address=address)
            async with httpx.AsyncClient(transport=transport) as caller:
                said = {"X-Forwarded-For": claims} if claims else {}
                answer = await caller.get(f"{edge.url}/api/v1/overview", headers=said)
            return answer.status_code

        assert [await asked("127.0.0.2") for _ in range(3)] == [401, 401, 429]
        assert await asked("127.0.0.2", claims="10.0.0.9") == 429
        assert await asked("127.0.0.3") == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_who_is_refused_in_the_middle_of_a_body_is_not_taken_for_gone_afterwards(
    tmp_path: Path, method: str
) -> None:
    """To Caddy a caller whose body it left unread has hung up, and so has their next request."""
    request = f"{method} {CAMPAIGN}/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n"
    async with a_service_with_limits(tmp_path) as port, serving(tmp_path, service=port) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"x" * 30 + b"GET /api/v1/overview HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            rest = await reader.read(65536)
        writer.close()
    assert head.startswith(b"HTTP/1.1 401 ")
    assert (b"\r\nConnection: close\r\n" in head, rest) == (True, b"")
