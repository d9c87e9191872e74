"""Starting campaigns when they are due: a view of what waits, looked up every second."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo import DeleteOne, IndexModel, UpdateOne
from pymongo.errors import PyMongoError

from campaign.campaign import campaign_decider
from campaign.commands import ExpireWaiting, StartDue
from campaign.core import Core
from campaign_events.campaign import (
    CampaignBuilt,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    SmsSettings,
    StatusChanged,
)
from campaign_events.decider import Conflict, Refused
from campaign_events.directread import ReadFailed
from campaign_events.envelope import Address, Batch, Origin, Recorded, derived_id
from campaign_events.eventlog import EventLog, Rejected, Unavailable, execute
from campaign_events.projection import Database, Document, Projection, Write, Writes

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0
AT_ONCE = 50


def fold(batch: Batch) -> Writes:
    """Return the changes of the view: `{_id, workspace, waiting, due_at, ends_at}` per campaign."""
    return {"due": [write for recorded in batch if (write := _write(recorded)) is not None]}


def _write(recorded: Recorded[Any]) -> Write | None:
    campaign = {"_id": recorded.address.thing}
    match recorded.event:
        case CampaignCreated(settings=settings) | CampaignEdited(settings=settings):
            known = {"workspace": recorded.address.workspace, **_times(settings, recorded.time)}
            return UpdateOne(campaign, {"$set": known}, upsert=True)
        case CampaignBuilt():
            return UpdateOne(campaign, {"$set": {"waiting": True}}, upsert=True)
        case StatusChanged(becomes="building"):
            return None
        case StatusChanged() | CampaignDeleted():
            return DeleteOne(campaign)
        case _:
            return None


def _times(settings: SmsSettings, made: datetime) -> dict[str, datetime | None]:
    """Return when a campaign is due (None: when somebody starts it) and when it is over."""
    due = (settings.starts_at or made) if settings.auto_start else None
    return {"due_at": due, "ends_at": settings.ends_at}


DUE = Projection(
    name="due",
    revision=1,
    stream="CAMPAIGNS",
    subject="campaign.>",
    fold=fold,
    collections={
        "due": (
            IndexModel(["waiting", "due_at"]),
            IndexModel(["waiting", "ends_at"]),
        )
    },
)


class Launcher:
    """Starts what is due while core is healthy, and ends what waited beyond its time."""

    def __init__(self, db: Database, event_log: EventLog, core: Core) -> None:
        self._due = db[DUE.collection("due")]
        self._log = event_log
        self._core = core
        self._news = asyncio.Event()

    async def look_soon(self, batch: Batch) -> None:
        """Look at once when something has begun to wait."""
        if any(isinstance(recorded.event, CampaignBuilt) for recorded in batch):
            self._news.set()

    async def run(self) -> None:
        """Look every second, for ever."""
        while True:
            self._news.clear()
            try:
                await self.look(datetime.now(UTC))
            except (PyMongoError, Unavailable, ReadFailed, Rejected, Conflict) as error:
                log.warning("due campaigns are tried again", why=repr(error))
            try:
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def look(self, now: datetime) -> None:
        """Start and end what is due at this moment."""
        over = await self._waiting("ends_at", now)
        due = await self._waiting("due_at", now)
        if due and await self._core.health() is None:
            due = []
        await asyncio.gather(
            *(self._command(entry, ExpireWaiting(now), now) for entry in over),
            *(self._command(entry, StartDue(now), now) for entry in due),
        )

    async def _waiting(self, moment: str, now: datetime) -> list[Document]:
        waiting = self._due.find({"waiting": True, moment: {"$lte": now}})
        return await waiting.sort(moment).limit(AT_ONCE).to_list()

    async def _command(
        self, entry: Document, command: StartDue | ExpireWaiting, now: datetime
    ) -> None:
        address = Address(entry["workspace"], entry["_id"])
        command_id = derived_id(type(command).__name__, entry["_id"])
        origin = Origin(command_id, now, "campaign")
        try:
            await execute(self._log, campaign_decider, address, command, origin)
        except Refused as refusal:
            log.info("refused", campaign=entry["_id"], why=str(refusal))
