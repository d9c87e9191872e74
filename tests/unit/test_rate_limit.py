"""Who asks too often is told when to come again; everybody else, and probes, are let through."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from campaign_events.access import Verifier
from campaign_events.rate_limit import RateLimit, Window
from campaign_events.settings import Settings
from doors import AUDIENCE, ISSUER, Issuer

type Ask = Callable[..., Awaitable[httpx.Response]]


def test_a_window_gives_so_many_and_then_says_how_long_to_wait() -> None:
    window = Window(most=2, seconds=10)
    for now in (100.0, 103.5):
        assert window.wait("ann", now) == 0
        window.take("ann", now)
    assert window.wait("ann", 103.5) == 7
    assert window.wait("bo", 103.5) == 0
    assert window.wait("ann", 109.99) == 1
    assert window.wait("ann", 110.0) == 0


def test_a_window_forgets_whom_it_has_counted() -> None:
    window = Window(most=2, seconds=10)
    for number in range(1000):
        window.take(f"{number}", 100.0)
    window.take("ann", 110.0)
    assert window._counts == {"ann": 1}


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.make(tmp_path)


@pytest.fixture
def ask(issuer: Issuer) -> Ask:
    """Asks a service that lets one caller ask ten times in ten seconds, and a guesser twice."""
    verifier = Verifier(ISSUER, AUDIENCE, str(issuer.jwks))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        is_good = "." in token and await verifier.verify(token)
        await PlainTextResponse("", 200 if is_good else 401)(scope, receive, send)

    settings = Settings.model_construct(requests_per_s=1, refused_tokens_per_min=2)
    limited: ASGIApp = RateLimit(app, verifier=verifier, settings=settings)

    async def asking(token: str, *, host: str = "10.0.0.1", path: str = "/x") -> httpx.Response:
        transport = httpx.ASGITransport(limited, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path, headers={"Authorization": f"Bearer {token}"})

    return asking


@pytest.fixture(autouse=True)
def _standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaign_events.rate_limit.time.monotonic", lambda: 1203.0)


async def test_a_caller_who_asks_too_often_waits_and_nobody_else_does(
    ask: Ask, issuer: Issuer
) -> None:
    often, seldom = (issuer.token("w", "author", sub=sub) for sub in ("ann", "bo"))
    await ask(seldom)  # counted by address: nobody knows yet whose token it is
    await ask(often)
    for _ in range(10):
        assert (await ask(often)).status_code == 200
    refused = await ask(often)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "7"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert (await ask(seldom)).status_code == 200
    assert (await ask(often, path="/readyz")).status_code == 200
    assert (await ask(often, path="/readyz/serving")).status_code == 200


async def test_who_guesses_tokens_is_stopped_but_for_callers_who_are_known(
    ask: Ask, issuer: Issuer
) -> None:
    token, stranger = (issuer.token("w", "author", sub=sub) for sub in ("ann", "bo"))
    assert (await ask(token)).status_code == 200
    assert [(await ask(f"guess{n}")).status_code for n in range(3)] == [401, 401, 429]
    assert (await ask(token)).status_code == 200
    assert (await ask(stranger)).status_code == 429
    assert (await ask(stranger, host="10.0.0.2")).status_code == 200
