"""HEAD, for whatever can be asked with GET (RFC 9110, 9.3.2)."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CUT_SHORT = {"spec_version": "2.3"}
"""The last version of ASGI in which an answer without end listens for its reader to leave."""


class Heads:
    """Answers HEAD as GET would be, without the body, of which no more is made than has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a HEAD on as a GET whose sender is gone as soon as the head is there."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET", "asgi": scope["asgi"] | CUT_SHORT}
        body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
        answered = asyncio.Event()

        async def nothing() -> Message:
            if body:
                return body.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        async def head(message: Message) -> None:
            if message["type"] != "http.response.start":
                return
            if "route" in asked:
                scope["route"] = asked["route"]
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            answered.set()

        await self._app(asked, nothing, head)
