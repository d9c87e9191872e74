"""What the clock brings about: a view of the moments to come, looked up twice a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo import DeleteOne, IndexModel, UpdateOne
from pymongo.errors import PyMongoError

from campaign.campaign import campaign_decider
from campaign.commands import KeepTime
from campaign.core import Core
from campaign_events.campaign import (
    CampaignBuilt,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    DailyWindow,
    SmsSettings,
    StatusChanged,
)
from campaign_events.decider import Conflict, Refused
from campaign_events.directread import ReadFailed
from campaign_events.entries import Heading
from campaign_events.envelope import Address, Events, Origin, Recorded, derived_id
from campaign_events.eventlog import EventLog, NotUnderstood, Rejected, Unavailable
from campaign_events.executing import execute
from campaign_events.projection import Document, Projection, View, Write, Writes
from campaign_events.windows import is_open

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 0.5
AT_ONCE = 50
BUILT = CampaignBuilt.model_fields["type"].default
MOMENTS = (
    ("sending", "due_at", False),
    ("pending", "ends_at", False),
    ("paused", "due_at", True),
    ("pending", "due_at", True),
)
"""Of what status which moment is kept, and whether messages go out then: in this order."""


def fold(events: Events) -> Writes:
    """Return the changes of the view: `{_id, workspace, status, due_at, ends_at, window}`.

    `due_at` is when a pending campaign starts by itself, when the window of a sending one closes,
    and when that of a paused one opens; None when the clock alone brings nothing.
    """
    return {"due": [write for recorded in events if (write := _write(recorded)) is not None]}


def _write(recorded: Recorded[Any]) -> Write | None:
    campaign = {"_id": recorded.address.thing}
    match recorded.event:
        case CampaignCreated(settings=settings) | CampaignEdited(settings=settings):
            known = {"workspace": recorded.address.workspace, **_times(settings, recorded.time)}
            return UpdateOne(campaign, {"$set": known}, upsert=True)
        case CampaignBuilt(becomes=status):
            return UpdateOne(campaign, {"$set": {"status": status}})
        case (
            CampaignStarted(becomes=status, until=until)
            | CampaignPaused(becomes=status, until=until)
            | CampaignResumed(becomes=status, until=until)
        ):
            return UpdateOne(campaign, {"$set": {"status": status, "due_at": until}})
        case StatusChanged(becomes="building"):
            return None
        case StatusChanged() | CampaignDeleted():
            return DeleteOne(campaign)
        case _:
            return None


def _times(settings: SmsSettings, made: datetime) -> Document:
    window = settings.daily_window
    return {
        "due_at": (settings.starts_at or made) if settings.auto_start else None,
        "ends_at": settings.ends_at,
        "window": None if window is None else window.model_dump(),
    }


DUE = Projection(
    name="due",
    revision=2,
    stream="CAMPAIGNS",
    subject="campaign.>",
    fold=fold,
    collections={
        "due": (
            IndexModel(["status", "due_at"]),
            IndexModel(["status", "ends_at"]),
        )
    },
)


class Launcher:
    """Has every campaign keep its time. Nothing goes out, or again, unless core is healthy."""

    def __init__(self, view: View, event_log: EventLog, core: Core) -> None:
        self._view = view
        self._log = event_log
        self._core = core
        self._news = asyncio.Event()

    async def look_soon(self, headings: Sequence[Heading]) -> None:
        """Look at once when something has begun to wait."""
        if any(heading.type == BUILT for heading in headings):
            self._news.set()

    async def run(self) -> None:
        """Look again and again, for ever."""
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
        """Do what is due at this moment; what must end comes first."""
        due = [{"status": status, moment: {"$lte": now}} for status, moment, _ in MOMENTS]
        if await self._view["due"].find_one({"$or": due}, {"_id": 1}) is None:
            return
        for status, moment, is_sent in MOMENTS:
            if not is_sent or await self._core.health() is not None:
                await self._keep_time(status, moment, now)

    async def _keep_time(self, status: str, moment: str, now: datetime) -> None:
        async for some in self._due(status, moment, now):
            await asyncio.gather(*(self._command(entry, entry[moment], now) for entry in some))

    async def _due(
        self, status: str, moment: str, now: datetime
    ) -> AsyncIterator[Sequence[Document]]:
        """Yield what has come to its moment, a few at a time, the longest overdue first."""
        found = self._view["due"].find({"status": status, moment: {"$lte": now}}).sort(moment)
        some: list[Document] = []
        async for entry in found:
            if is_late(entry, now):
                continue
            some.append(entry)
            if len(some) == AT_ONCE:
                yield some
                some = []
        if some:
            yield some

    async def _command(self, entry: Document, moment: datetime, now: datetime) -> None:
        address = Address(entry["workspace"], entry["_id"])
        command_id = derived_id("keep time", entry["_id"], moment.isoformat())
        origin = Origin(command_id, now, "campaign")
        try:
            await execute(self._log, campaign_decider, address, KeepTime(now), origin)
        except Refused as refusal:
            log.info("refused", campaign=entry["_id"], why=str(refusal))
        except NotUnderstood as error:
            log.warning("waits for a newer version", campaign=entry["_id"], why=str(error))


def is_late(entry: Document, now: datetime) -> bool:
    """Tell whether the window has changed once more since its moment, while nobody looked.

    Then there is nothing to do, until it changes again; that moment is not in the view.
    """
    if entry["window"] is None or entry["status"] == "pending":
        return False
    opened = is_open(DailyWindow.model_validate(entry["window"]), now)
    return opened is (entry["status"] == "sending")
