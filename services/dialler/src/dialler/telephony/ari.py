"""Asterisk's REST interface: requests over HTTP, events over a websocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from dialler.telephony.settings import AsteriskSettings

REQUEST_S: Final = 10.0
HEARTBEAT_S: Final = 5.0
"""How often the websocket is asked whether it lives."""
IDLE_S: Final = 5.0
"""How long a connection is kept for the next request: Asterisk closes idle ones after 15 s."""

type Json = dict[str, Any]


class AriError(Exception):
    """A request got no answer, or one that makes no sense; whether it was done is not known."""


class Ari:
    """One connection: open as long as its websocket is."""

    def __init__(self, http: httpx.AsyncClient, socket: ClientConnection) -> None:
        self._http = http
        self._socket = socket

    async def do(self, method: str, path: str, body: Json | None = None, **query: str) -> int:
        """Have something done and tell the HTTP status.

        Raises:
            AriError: nobody knows whether it was done.

        """
        status, _ = await self._request(method, path, body, query)
        return status

    async def ask(self, path: str, **query: str) -> Any | None:  # noqa: ANN401 - JSON
        """The answer to a question; None when there is no such thing.

        Raises:
            AriError: there is no answer.

        """
        status, answer = await self._request("GET", path, None, query)
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise AriError(f"GET {path} answered {status}")
        return orjson.loads(answer)

    async def events(self) -> AsyncIterator[Json]:
        """Every event, until the connection ends.

        Raises:
            AriError: it has ended.

        """
        try:
            async for text in self._socket:
                yield orjson.loads(text)
        except ConnectionClosed as error:
            raise AriError(_said(error)) from error
        raise AriError("closed by Asterisk")

    async def _request(
        self, method: str, path: str, body: Json | None, query: dict[str, str]
    ) -> tuple[int, bytes]:
        try:
            answer = await self._http.request(method, path, json=body, params=query)
        except httpx.TransportError as error:
            raise AriError(f"{method} {path.split('/')[1]}: {_said(error)}") from error
        return answer.status_code, answer.content


@asynccontextmanager
async def open_ari(settings: AsteriskSettings) -> AsyncIterator[Ari]:
    """Be the application's controller inside the block.

    Raises:
        AriError: it cannot be reached, or will not have us.

    """
    login = httpx.BasicAuth(settings.username, settings.password.get_secret_value())
    events = httpx.URL(f"{settings.ari}/events", params={"app": settings.app})
    asked = next(login.auth_flow(httpx.Request("GET", events)))
    try:
        socket = await connect(
            str(events.copy_with(scheme=events.scheme.replace("http", "ws"))),
            additional_headers={"Authorization": asked.headers["Authorization"]},
            compression=None,
            proxy=None,
            open_timeout=REQUEST_S,
            ping_interval=HEARTBEAT_S,
            ping_timeout=HEARTBEAT_S,
            close_timeout=1.0,
            max_size=None,
        )
    except (WebSocketException, OSError) as error:
        raise AriError(_said(error)) from error
    async with (
        socket,
        httpx.AsyncClient(
            base_url=settings.ari,
            auth=login,
            limits=httpx.Limits(max_connections=settings.max_requests + 1, keepalive_expiry=IDLE_S),
            timeout=httpx.Timeout(REQUEST_S, pool=None),
            trust_env=False,
        ) as http,
    ):
        yield Ari(http, socket)


def when(event: Json) -> datetime:
    """Asterisk's time of an event."""
    return datetime.fromisoformat(event["timestamp"])


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
