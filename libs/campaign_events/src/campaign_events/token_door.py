"""No door is open without a token: whoever shows none is told so, and nothing is looked at."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from campaign_events.access import authenticate
from campaign_events.problems import Problem

API = "/api/"


class TokenDoor:
    """Answers 401 `unauthorized` below `/api/`, before a path is searched or a body is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who is known; `authenticate` remembers them for the routes."""
        if scope["type"] == "http" and scope["path"].startswith(API):
            try:
                await authenticate(Request(scope))
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
