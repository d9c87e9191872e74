"""Waiting for what a service says in the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from campaign_events.envelope import Recorded

type Facts = list[Recorded[Any]]

LOOK_S = 0.05
LONGEST_REST_S = 0.5


async def until_said(
    read: Callable[[], Awaitable[Facts]],
    kind: str,
    within_s: float,
    instead: Callable[[Facts], object],
) -> Facts:
    """Wait for a fact of this type and return all; when it is late, `instead` says what came."""
    facts: Facts = []
    try:
        async with asyncio.timeout(within_s):
            while True:
                began = time.monotonic()
                facts = await read()
                if any(fact.event.type == kind for fact in facts):
                    return facts
                await asyncio.sleep(rest(LOOK_S, time.monotonic() - began))
    except TimeoutError:
        raise AssertionError(f"no {kind} within {within_s} s, but {instead(facts)}") from None


def rest(least_s: float, took_s: float) -> float:
    """How long to wait between two looks: looking shall not keep busy what is looked at."""
    return max(least_s, min(4 * took_s, LONGEST_REST_S))
