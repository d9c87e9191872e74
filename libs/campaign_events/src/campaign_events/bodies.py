"""A limit on request bodies, so that no request can fill the memory. Uploads have their own."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_events.problems import Problem

MAX_BODY = 1024 * 1024
_STREAMED = ("/contacts", "/suppressions")


class BodyLimit:
    """Answers 413 `too_large` to bodies over `MAX_BODY`, except where bodies are streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http" or (
            scope["method"] == "PUT" and scope["path"].endswith(_STREAMED)
        ):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > MAX_BODY:
                problem = Problem(413, "too_large", f"The body is over {MAX_BODY} bytes.")
                await problem.response()(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)
