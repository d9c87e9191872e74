"""Limits on request bodies: none can fill the memory, none can keep its sender's socket for ever.

None is taken compressed, for what unpacks to more than it is would pass every limit.
Uploads are streamed: they have a size limit of their own, and take as long as bytes come.
"""

import asyncio
from contextlib import suppress
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_events.problems import Problem
from campaign_events.sizes import MAX_BODY

WITHIN_S = 60.0
"""How long a body may take to come, and how long an upload may be silent."""
HEARD_OUT_S = 30.0
"""How long an upload that is refused goes on to be taken, so that its sender gets to read why."""
PLAIN = "identity"
_STREAMED = ("/contacts", "/suppressions")


class BodyLimit:
    """Answers 413 `too_large` to bodies over `MAX_BODY`, 408 `too_slow` to those that do not end.

    Those that are compressed are answered 415. Of bodies that are streamed it minds only that they
    go on: who is silent for long has gone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if is_upload := scope["method"] == "PUT" and scope["path"].endswith(_STREAMED):
            upload = _Upload(receive, send)
            receive, send = upload.next_piece, upload.answer
        if (encoding := Headers(scope=scope).get("content-encoding", PLAIN).lower()) != PLAIN:
            detail = f"The body is compressed ({encoding[:20]}): send it without Content-Encoding."
            response = Problem(415, "invalid", detail).response()
            response.headers["Accept-Encoding"] = PLAIN
            await response(scope, receive, send)
            return
        if is_upload:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(WITHIN_S):
                body = await _whole(receive)
        except TimeoutError:
            problem = Problem(408, "too_slow", f"The body did not come within {WITHIN_S:.0f} s.")
            await problem.response()(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > MAX_BODY:
            problem = Problem(413, "too_large", f"The body is over {MAX_BODY} bytes.")
            await problem.response()(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)


async def _whole(receive: Receive) -> bytearray | None:
    """Return a body, or a beginning of it that is too large already; None: its sender has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY or not message.get("more_body", False):
            return body


class _Upload:
    """A body that is passed on as it comes, and ends as if its sender had gone when it is silent.

    Who refuses it early is heard when it has ended, unless it is too large: most senders look for
    an answer only then, and many of those that are cut off before never see it.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._more = True

    async def next_piece(self) -> Message:
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout(WITHIN_S):
                message = await self._receive()
        except TimeoutError:
            message = {"type": "http.disconnect"}
        self._more = message.get("more_body", False)
        return message

    async def answer(self, message: Message) -> None:
        status = message.get("status", HTTPStatus.OK)
        if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARD_OUT_S):
                    while self._more:
                        await self.next_piece()
        await self._send(message)
