"""How an owner's facts reach the log: each follows the last of its kind, so there is one owner.

Whoever believes to own a campaign that another one has taken meets a conflict at its first word.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from campaign_events.envelope import Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact, Rejected, Unavailable

SOURCE = "dialler"
AGAIN_S = 0.5

log = structlog.get_logger(__name__)


async def append(
    store: EventLog, event: Event, address: Address, *, after: int | None = None, name: str = ""
) -> tuple[int, datetime]:
    """Append one fact, however long the log takes to answer; return its place and time.

    Raises:
        Conflict: it does not follow the entry `after`: somebody else owns the campaign.

    """
    origin = Origin(new_id(), datetime.now(UTC), SOURCE)
    fact = Fact(event, address, name or new_id(), after=after)
    while True:
        try:
            return await store.append_fact(fact, origin), origin.at
        except (Unavailable, Rejected) as error:
            await _wait(event, error)


async def append_wish(
    store: EventLog, event: Event, address: Address, *, after: int
) -> tuple[int, datetime]:
    """Append as `append` does what need not be, unless the log refuses it at once.

    Raises:
        Conflict: as for `append`.
        Rejected: the log takes nothing; the wish is not stored.

    """
    origin = Origin(new_id(), datetime.now(UTC), SOURCE)
    fact = Fact(event, address, new_id(), after=after)
    may_be_stored = False
    while True:
        try:
            return await store.append_fact(fact, origin), origin.at
        except Rejected as error:
            if not may_be_stored:
                raise
            await _wait(event, error)
        except Unavailable as error:
            may_be_stored = True
            await _wait(event, error)


async def _wait(event: Event, error: Exception) -> None:
    log.warning("the log takes nothing, a fact waits", type=event.type, why=str(error))
    await asyncio.sleep(AGAIN_S)
