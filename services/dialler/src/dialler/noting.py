"""Where live calls are just now, written down for people who look, and for the next owner.

Derived from nothing and decisive for nothing: what is durable of a call is in the log.
"""

from collections.abc import Iterable, Mapping

import structlog
from pymongo import DeleteMany, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from campaign_events.projection import Document
from dialler.calling import Call
from dialler.names import call_name
from dialler.run import Run

KEPT = ("ringing_at", "answered_at", "connected_at", "amd", "meant", "asked")

log = structlog.get_logger(__name__)


class Notes:
    """The documents of one run's live calls."""

    def __init__(self, live: AsyncCollection[Document], run: Run) -> None:
        self._live = live
        self._run = run
        self._over: set[int] = set()

    def over(self, calls: Iterable[Call]) -> None:
        """These live no more."""
        self._over |= {call.number for call in calls}

    async def write(self, calls: Mapping[str, Call], changed: set[str]) -> None:
        """Write down all that has changed; what MongoDB does not take is written later."""
        moving = changed.copy()
        moved = [calls[call_id] for call_id in moving if call_id in calls]
        if not moved and not self._over:
            return
        ended = self._over.copy()
        over = ended - {call.number for call in moved}
        names = [self._name(number) for number in over]
        writes: list[ReplaceOne[Document] | DeleteMany] = [
            ReplaceOne({"_id": self._name(call.number)}, self._document(call), upsert=True)
            for call in moved
        ]
        if names:
            writes.append(DeleteMany({"_id": {"$in": names}}))
        changed -= moving
        self._over -= ended
        try:
            await self._live.bulk_write(writes, ordered=False)
        except PyMongoError as error:
            log.warning("live calls are not written down", why=repr(error))
            changed |= moving
            self._over |= ended

    async def read(self) -> dict[str, Document]:
        """Return what the previous owner wrote down, by the calls' names at the phone side."""
        found = self._live.find({"campaign": self._run.campaign})
        return {row["call_id"]: row async for row in found}

    async def forget_but(self, kept: Iterable[Call]) -> None:
        """Drop what is written about calls that do not live any more."""
        names = [self._name(call.number) for call in kept]
        stale = {"campaign": self._run.campaign, "_id": {"$nin": names}}
        await self._live.delete_many(stale)

    def _name(self, number: int) -> str:
        return call_name(self._run.campaign, self._run.number, number)

    def _document(self, call: Call) -> Document:
        return {
            "campaign": self._run.campaign,
            "run": self._run.number,
            "number": call.number,
            "call_id": call.call_id,
            "state": call.state,
            **{name: getattr(call, name) for name in KEPT},
        }
