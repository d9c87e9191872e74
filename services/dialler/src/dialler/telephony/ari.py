"""Asterisk's REST interface: requests over HTTP, events over a websocket."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from dialler.telephony.settings import AsteriskSettings

REQUEST_S: Final = 10.0
CONNECT_S: Final = 10.0
PING_S: Final = 5.0
"""How often the websocket is asked whether it lives, and how long it may take to say so."""

type Json = dict[str, Any]


class AriError(Exception):
    """A request got no answer, or one that makes no sense; whether it was done is not known."""


class Ari:
    """One connection: open as long as its websocket is."""

    def __init__(self, settings: AsteriskSettings, http: httpx.AsyncClient) -> None:
        self._http = http
        self._room = asyncio.Semaphore(settings.max_requests)

    async def do(self, method: str, path: str, body: Json | None = None, **query: str) -> int:
        """Have something done and tell the HTTP status.

        Raises:
            AriError: nobody knows whether it was done.

        """
        return (await self._request(method, path, body, query)).status_code

    async def ask(self, path: str, **query: str) -> Any | None:  # noqa: ANN401 - JSON
        """The answer to a question; None when there is no such thing.

        Raises:
            AriError: there is no answer.

        """
        response = await self._request("GET", path, None, query)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if not response.is_success:
            raise AriError(f"GET {path} answered {response.status_code}")
        return orjson.loads(response.content)

    async def _request(
        self, method: str, path: str, body: Json | None, query: dict[str, str]
    ) -> httpx.Response:
        async with self._room:
            try:
                return await self._http.request(method, path, json=body, params=query)
            except httpx.HTTPError as error:
                said = str(error) or type(error).__name__
                raise AriError(f"{method} {path.split('/')[1]}: {said}") from error


@asynccontextmanager
async def open_ari(settings: AsteriskSettings) -> AsyncIterator[tuple[Ari, ClientConnection]]:
    """Be the application's controller inside the block.

    Raises:
        AriError: it cannot be reached, or will not have us.

    """
    login = (settings.username, settings.password.get_secret_value())
    basic = base64.b64encode(":".join(login).encode()).decode()
    events = f"ws{settings.ari.removeprefix('http')}/events?app={settings.app}"
    limits = httpx.Limits(
        max_connections=settings.max_requests, max_keepalive_connections=settings.max_requests
    )
    async with httpx.AsyncClient(
        base_url=settings.ari, auth=login, limits=limits, timeout=REQUEST_S, trust_env=False
    ) as http:
        connecting = connect(
            events,
            additional_headers={"Authorization": f"Basic {basic}"},
            open_timeout=CONNECT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=1,
            max_size=None,
            proxy=None,
        )
        try:
            async with connecting as socket:
                yield Ari(settings, http), socket
        except (WebSocketException, OSError) as error:
            raise AriError(str(error) or type(error).__name__) from error


def when(event: Json) -> datetime:
    """Asterisk's time of an event."""
    return datetime.fromisoformat(event["timestamp"])
