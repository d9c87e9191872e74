"""A limit on how often one caller may ask, so that one can not take the service from all others.

Counted per process, in memory, for a window at a time: what is kept never outgrows the requests of
one window. Whose token has been checked is counted by the token; everybody else by address.
"""

import math
import time
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_events.access import Verifier, bearer
from campaign_events.probes import is_probe
from campaign_events.problems import Problem
from campaign_events.settings import Settings

WINDOW_S = 10
REFUSED_WINDOW_S = 60
UNAUTHORIZED = 401


@dataclass(slots=True)
class Window:
    """Counts by key, from the beginning every `seconds`."""

    most: int
    seconds: int
    _turn: int = -1
    _counts: dict[str, int] = field(default_factory=dict)

    def take(self, key: str, now: float) -> None:
        """Count one more."""
        self._begin(now)
        self._counts[key] = self._counts.get(key, 0) + 1

    def wait(self, key: str, now: float) -> int:
        """Return for how many seconds there is nothing left for this key: 0, or at least 1."""
        self._begin(now)
        if self._counts.get(key, 0) < self.most:
            return 0
        return max(1, math.ceil((self._turn + 1) * self.seconds - now))

    def _begin(self, now: float) -> None:
        turn = int(now // self.seconds)
        if turn != self._turn:
            self._turn, self._counts = turn, {}


class RateLimit:
    """Answers 429 `rate_limited`, with `Retry-After`, to who asks too often.

    Probes are never counted. An address whose tokens are refused again and again is refused as a
    whole, but for callers whose token has been checked there.
    """

    def __init__(self, app: ASGIApp, *, verifier: Verifier, settings: Settings) -> None:
        self._app = app
        self._verifier = verifier
        self._callers = Window(settings.requests_per_s * WINDOW_S, WINDOW_S)
        self._refused = Window(settings.refused_tokens_per_min, REFUSED_WINDOW_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or tell when to come again."""
        if scope["type"] != "http" or is_probe(scope["path"]):
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope["client"] else ""
        token = bearer(scope["headers"])
        is_known = self._verifier.knows(token)
        caller, now = (token if is_known else address), time.monotonic()
        wait = self._callers.wait(caller, now)
        if not is_known:
            wait = wait or self._refused.wait(address, now)
        if wait:
            await _too_many(wait)(scope, receive, send)
            return
        self._callers.take(caller, now)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == UNAUTHORIZED:
                self._refused.take(address, time.monotonic())
            await send(message)

        await self._app(scope, receive, watched)


def _too_many(wait: int) -> ASGIApp:
    problem = Problem(429, "rate_limited", f"Too many requests: ask again in {wait} s.")
    response = problem.response()
    response.headers["Retry-After"] = str(wait)
    return response
