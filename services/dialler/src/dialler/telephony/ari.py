"""Asterisk's REST interface: requests over HTTP, events over a websocket."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import orjson

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

    def __init__(
        self, root: str, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._root = root
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
        async for message in self._socket:
            if message.type != aiohttp.WSMsgType.TEXT:
                break
            yield orjson.loads(message.data)
        raise AriError(_said(self._socket.exception()) or "closed by Asterisk")

    async def _request(
        self, method: str, path: str, body: Json | None, query: dict[str, str]
    ) -> tuple[int, bytes]:
        try:
            url = f"{self._root}{path}"
            async with self._http.request(method, url, json=body, params=query) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise AriError(f"{method} {path.split('/')[1]}: {_said(error)}") from error


@asynccontextmanager
async def open_ari(settings: AsteriskSettings) -> AsyncIterator[Ari]:
    """Be the application's controller inside the block.

    Raises:
        AriError: it cannot be reached, or will not have us.

    """
    login = f"{settings.username}:{settings.password.get_secret_value()}"
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Basic {b64encode(login.encode()).decode()}"},
        connector=aiohttp.TCPConnector(limit=settings.max_requests + 1, keepalive_timeout=IDLE_S),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_S, sock_read=REQUEST_S),
    ) as http:
        try:
            socket = await http.ws_connect(
                f"{settings.ari}/events",
                params={"app": settings.app},
                heartbeat=HEARTBEAT_S,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise AriError(_said(error)) from error
        async with socket:
            yield Ari(settings.ari, http, socket)


def when(event: Json) -> datetime:
    """Asterisk's time of an event."""
    return datetime.fromisoformat(event["timestamp"])


def _said(error: BaseException | None) -> str:
    return "" if error is None else str(error) or type(error).__name__
