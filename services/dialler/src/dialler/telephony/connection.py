"""Staying connected to a phone side, whatever happens to it."""

import asyncio
from collections.abc import Awaitable, Callable
from random import uniform
from typing import Final

import structlog

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 10.0
MOST_DOUBLINGS: Final = 10
STEADY_S: Final = 10.0
"""A connection that lived so long proves that the other side is well: the back-off begins anew."""

log = structlog.get_logger()


async def keep(telephony_id: str, live: Callable[[], Awaitable[str]]) -> None:
    """Have a connection, now and again after every loss, until cancelled.

    `live` is one connection from its beginning to its end; it tells why that came.
    """
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        began = loop.time()
        reason = await live()
        failures = 0 if loop.time() - began > STEADY_S else failures + 1
        pause = pause_after(failures)
        log.warning("telephony lost", telephony=telephony_id, reason=reason, retry_in_s=pause)
        await asyncio.sleep(pause)


def pause_after(failures: int) -> float:
    """How long to wait after so many failures in a row: longer each time, never two alike."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, MOST_DOUBLINGS))
    return uniform(longest / 4, longest)  # noqa: S311 - spreads reconnects, keeps no secret


def first(errors: BaseExceptionGroup[Exception]) -> BaseException:
    """The first of grouped errors that is not a group itself."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
