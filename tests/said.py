"""Waiting for what a service says in the log."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from campaign_events.envelope import Recorded

type Facts = list[Recorded[Any]]


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
                facts = await read()
                if any(fact.event.type == kind for fact in facts):
                    return facts
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"no {kind} within {within_s} s, but {instead(facts)}") from None
