"""The outermost door of every service: how many requests come, and how long their answers take."""

import time

from prometheus_client import Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_events import tracing
from campaign_events.probes import is_probe

TOOK = Histogram(
    "carillon_http_request_seconds",
    "From a request's arrival to the first byte of its answer",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OPEN = Gauge("carillon_http_open_requests", "Requests that are being answered, streams too")

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNMATCHED = "unmatched"
"""The route of a request that no route is there for."""


class Traffic:
    """Measures requests by route template and status class, and traces each; probes pass by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and measure its answer."""
        if scope["type"] != "http" or is_probe(scope["path"]):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                route, status = _route(scope), message["status"]
                TOOK.labels(method, route, f"{status // 100}xx").observe(
                    time.perf_counter() - began
                )
                tracing.answered(seen, method, route, status)
            await send(message)

        with OPEN.track_inprogress(), tracing.request(method, scope["headers"]) as seen:
            await self._app(scope, receive, watched)


def _route(scope: Scope) -> str:
    """Return the template of the route that answers, which holds nobody's ids."""
    return getattr(scope.get("route"), "path", UNMATCHED)
