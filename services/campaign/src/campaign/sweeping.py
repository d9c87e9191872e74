"""Removing audiences that are nobody's: replaced, failed, cut off, or of a deleted campaign."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from campaign.audience import Audiences
from campaign.campaign import campaign_decider
from campaign.state import Absent
from campaign_events.directread import ReadFailed
from campaign_events.envelope import Address
from campaign_events.eventlog import EventLog, NotUnderstood, Unavailable
from campaign_events.projection import Document

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0
PATIENCE = timedelta(minutes=10)
"""How long one removal may take before somebody else takes it over."""


class Sweeper:
    """Looks every second for audiences in doubt, asks the log, and removes what is nobody's."""

    def __init__(self, audiences: Audiences, event_log: EventLog) -> None:
        self._audiences = audiences
        self._log = event_log

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                while await self.sweep_one():
                    pass
            except (PyMongoError, ReadFailed, Unavailable, NotUnderstood) as error:
                log.warning("sweeping is tried again", why=repr(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def sweep_one(self) -> bool:
        """Deal with one audience in doubt; False when there is none.

        Doubt that comes up while the log is being asked stays: `sweep_at` has moved then.
        """
        now = datetime.now(UTC)
        claimed = await self._audiences.register.find_one_and_update(
            {"sweep_at": {"$lte": now}},
            {"$set": {"state": "sweeping", "sweep_at": now + PATIENCE}},
            return_document=True,
        )
        if claimed is None:
            return False
        if await self._is_current(claimed):
            await self._audiences.register.update_one(
                {"_id": claimed["_id"], "sweep_at": claimed["sweep_at"]},
                {"$set": {"state": "kept"}, "$unset": {"sweep_at": ""}},
            )
            return True
        removed = await self._audiences.contacts.delete_many({"audience": claimed["_id"]})
        await self._audiences.register.delete_one({"_id": claimed["_id"]})
        log.info("audience removed", audience=claimed["_id"], contacts=removed.deleted_count)
        return True

    async def _is_current(self, claimed: Document) -> bool:
        history = await self._log.load(Address(claimed["workspace"], claimed["campaign"]))
        state = campaign_decider.fold(recorded.event for recorded in history)
        return not isinstance(state, Absent) and state.audience == claimed["_id"]
