"""What a service tells those who run it: `/livez`, `/readyz` and each of its parts, `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from campaign_events.migrations import SchemaMismatch

PROBE_S = 2.0
LIVE, READY, METRICS = "/livez", "/readyz", "/metrics"
OK = "ok"

type Checks = Mapping[str, Callable[[], Awaitable[Any]]]


def is_probe(path: str) -> bool:
    """Tell whether those who run the service ask, not those who use it."""
    return path in (LIVE, READY, METRICS) or path.startswith(f"{READY}/")


class Ending(Exception):
    """The process has been told to end: whoever routes to it takes another one."""


async def goes_on(stopping: asyncio.Event) -> None:
    """Raise Ending from SIGTERM on."""
    if stopping.is_set():
        raise Ending


def add_probes(app: FastAPI, checks: Checks) -> None:
    """Answer whether the loop turns, whether each dependency is there, and all metrics.

    `/readyz/{check}` asks one of them only, as with Kubernetes' own servers.
    """

    @app.get(LIVE, include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": OK}

    @app.get(READY, include_in_schema=False)
    async def readyz(response: Response) -> dict[str, str]:
        return await _report(checks, response)

    @app.get(f"{READY}/{{check}}", include_in_schema=False)
    async def one(check: str, response: Response) -> dict[str, str]:
        return await _report({name: ask for name, ask in checks.items() if name == check}, response)

    @app.get(METRICS, include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _report(checks: Checks, response: Response) -> dict[str, str]:
    states = await asyncio.gather(*(_ping(check) for check in checks.values()))
    if set(states) != {OK}:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return dict(zip(checks, states, strict=True))


async def _ping(check: Callable[[], Awaitable[Any]]) -> str:
    try:
        async with asyncio.timeout(PROBE_S):
            await check()
    except SchemaMismatch as error:
        return f"down: {error}"
    except Exception as error:  # noqa: BLE001 - whatever a ping raises is its answer
        return f"down: {type(error).__name__}"
    return OK
