"""Which campaigns are there, and how does one of them stand? One row per campaign."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

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
    StatusChanged,
)
from campaign_events.envelope import Batch, Recorded, rfc3339
from campaign_events.paging import Page
from campaign_events.projection import Document, Write
from campaign_events.voice import (
    CampaignRestarted,
    ContactsExcluded,
    DiallingFailed,
    DiallingStarted,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceStatusChanged,
)

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
            if isinstance(recorded.event, CampaignCreated | VoiceCampaignCreated):
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


def _changes(  # noqa: PLR0911 - one return per kind of fact
    recorded: Recorded[Any],
) -> dict[str, Any]:
    """Return the fields of the row that one event sets."""
    match recorded.event:
        case CampaignCreated():
            return _made(recorded) | {"status": "new", "listed": False}
        case VoiceCampaignCreated():
            return _made(recorded) | {"status": "draft", "listed": True, "run": 1}
        case CampaignEdited(settings=settings) | VoiceCampaignEdited(settings=settings):
            return {"settings": settings.model_dump(mode="json")}
        case ContactsUploaded() | ContactsExcluded() as event:
            return _contacts(event)
        case CampaignArchived() | CampaignRestored() as event:
            return {"archived": isinstance(event, CampaignArchived)}
        case StatusChanged() as event:
            moved = {"status": event.becomes, "listed": True, "paused_until": None}
            return moved | _beside(recorded, event)
        case VoiceStatusChanged() | RestartCancelled() as event:
            return {"status": event.becomes} | _run(recorded, event)
        case _:
            return {}


def _made(recorded: Recorded[Any]) -> dict[str, Any]:
    event = recorded.event
    return {
        "workspace": recorded.address.workspace,
        "channel": event.channel,
        "archived": False,
        "settings": event.settings.model_dump(mode="json"),
        "author": event.author.model_dump(),
        "created_at": rfc3339(recorded.time),
        "place": recorded.seq,
    }


def _contacts(event: ContactsUploaded | ContactsExcluded) -> dict[str, Any]:
    """Return what is known of the audience; a new one has nobody excluded."""
    match event:
        case ContactsUploaded():
            counts = {"accepted", "invalid", "duplicate", "suppressed"}
            return {"contacts": event.model_dump(include=counts), "excluded": 0}
        case ContactsExcluded(excluded=excluded):
            return {"excluded": excluded}
        case _:
            assert_never(event)


def _run(recorded: Recorded[Any], event: VoiceStatusChanged | RestartCancelled) -> dict[str, Any]:
    """Return what a move of a voice campaign tells beside the status.

    Each run keeps by whom and when it was prepared: a later one may be given up.
    """
    match event:
        case DiallingStarted(run=run):
            return {"run": run, "reason": None}
        case DiallingFailed(reason=reason):
            return {"reason": reason}
        case CampaignRestarted(run=run, by=by):
            prepared = {"by": by.model_dump(), "at": rfc3339(recorded.time)}
            return {"run": run, f"restarted_{run}": prepared}
        case RestartCancelled(run=run):
            return {"run": run}
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
    """Return id and start of every SMS campaign that is under way."""
    chosen = {"workspace": workspace, "status": {"$in": sorted(ACTIVE)}, "channel": "sms"}
    return await campaigns.find(chosen, {"started_at": 1}).to_list()


def ids(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of rows."""
    return [row["_id"] for row in rows]
