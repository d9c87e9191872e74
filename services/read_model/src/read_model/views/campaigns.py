"""Which campaigns are there, and how does one of them stand? One row per campaign."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import DeleteOne, IndexModel, InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import (
    ACTIVE,
    CampaignArchived,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignFailed,
    CampaignPaused,
    CampaignRejected,
    CampaignRestored,
    CampaignStarted,
    ContactsUploaded,
    SmsSettings,
    StatusChanged,
)
from campaign_events.envelope import Batch, Recorded, rfc3339
from campaign_events.paging import Page
from campaign_events.projection import Document, Write

NAME = "campaigns"
RECENT = 10
INDEXES = (
    IndexModel([("workspace", 1), ("listed", 1), ("place", -1)]),
    IndexModel([("workspace", 1), ("status", 1), ("place", -1)]),
    IndexModel([("workspace", 1), ("author.id", 1), ("place", -1)]),
)

type Campaigns = AsyncCollection[Document]


def fold(batch: Batch) -> Sequence[Write]:
    """Keep one row per campaign; a deleted one leaves no row."""
    rows: dict[str, Document | None] = {}
    created: set[str] = set()
    for recorded in batch:
        campaign_id = recorded.address.thing
        if isinstance(recorded.event, CampaignDeleted):
            rows[campaign_id] = None
        elif changes := _changes(recorded):
            if isinstance(recorded.event, CampaignCreated):
                created.add(campaign_id)
            row = rows.get(campaign_id)
            rows[campaign_id] = changes if row is None else row | changes
    return _writes(rows, created)


def _writes(rows: Mapping[str, Document | None], created: set[str]) -> Sequence[Write]:
    """Return one write per row, those of a kind side by side: they share a command.

    Inserts are the cheapest for MongoDB.
    """
    inserts: list[Write] = []
    updates: list[Write] = []
    deletes: list[Write] = []
    for campaign_id, row in rows.items():
        name = {"_id": campaign_id}
        if row is None:
            deletes.append(DeleteOne(name))
        elif campaign_id in created:
            inserts.append(InsertOne(name | row))
        else:
            updates.append(UpdateOne(name, {"$set": row}, upsert=True))
    return inserts + updates + deletes


def _changes(recorded: Recorded[Any]) -> dict[str, Any]:
    """Return the fields of the row that one event sets."""
    match recorded.event:
        case CampaignCreated(channel=channel, settings=settings, author=author):
            return {
                "workspace": recorded.address.workspace,
                "channel": channel,
                "status": "new",
                "listed": False,
                "archived": False,
                "settings": _plain(settings),
                "author": author.model_dump(),
                "created_at": rfc3339(recorded.time),
                "place": recorded.seq,
            }
        case CampaignEdited(settings=settings):
            return {"settings": _plain(settings)}
        case ContactsUploaded() as upload:
            counts = {"accepted", "invalid", "duplicate", "suppressed"}
            return {"contacts": upload.model_dump(include=counts)}
        case CampaignArchived() | CampaignRestored() as event:
            return {"archived": isinstance(event, CampaignArchived)}
        case StatusChanged() as event:
            moved = {"status": event.becomes, "listed": True, "paused_until": None}
            return moved | _beside(recorded, event)
        case _:
            return {}


def _beside(recorded: Recorded[Any], event: StatusChanged) -> dict[str, Any]:
    """Return what a change of status tells beside the status."""
    match event:
        case CampaignStarted():
            return {"started_at": recorded.time}
        case CampaignPaused(until=until) if until is not None:
            return {"paused_until": rfc3339(until)}
        case CampaignFailed(reason=reason):
            return {"reason": reason}
        case CampaignRejected(note=note):
            return {"reason": note}
        case _:
            return {}


def _plain(settings: SmsSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a workspace's list are asked for."""

    statuses: Sequence[str] = ()
    channel: str | None = None
    author: str | None = None
    archived: bool = False

    def filter(self, workspace: str) -> dict[str, Any]:
        """Return the filter; SMS campaigns that are `new` are never listed."""
        chosen: dict[str, Any] = {
            "workspace": workspace,
            "listed": True,
            "archived": self.archived,
        }
        if self.statuses:
            chosen["status"] = {"$in": list(self.statuses)}
        if self.channel is not None:
            chosen["channel"] = self.channel
        if self.author is not None:
            chosen["author.id"] = self.author
        return chosen


async def page(
    campaigns: Campaigns, workspace: str, wanted: Wanted, asked: Page
) -> Sequence[Document]:
    """Return the rows of one page and one more, the newest first."""
    chosen = wanted.filter(workspace)
    if asked.after is not None:
        chosen["place"] = {"$lt": asked.after}
    return await campaigns.find(chosen).sort("place", -1).limit(asked.limit + 1).to_list()


async def one(campaigns: Campaigns, workspace: str, campaign_id: str) -> Document | None:
    """Return the row of a campaign of this workspace, whatever its status."""
    return await campaigns.find_one({"_id": campaign_id, "workspace": workspace})


async def recent(campaigns: Campaigns, workspace: str) -> Sequence[Document]:
    """Return the rows of the newest campaigns that are not in the archive."""
    chosen = {"workspace": workspace, "listed": True, "archived": False}
    return await campaigns.find(chosen).sort("place", -1).limit(RECENT).to_list()


async def active(campaigns: Campaigns, workspace: str) -> Sequence[Document]:
    """Return id and start of every campaign that is under way."""
    chosen = {"workspace": workspace, "status": {"$in": sorted(ACTIVE)}}
    return await campaigns.find(chosen, {"started_at": 1}).to_list()


def ids(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of rows."""
    return [row["_id"] for row in rows]
