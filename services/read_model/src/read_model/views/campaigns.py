"""Which campaigns are there, and how does one of them stand? One row per campaign."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    StatusChanged,
)
from campaign_events.envelope import Event, Recorded, rfc3339
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


class Rows:
    """What a batch changes: one row per campaign; a deleted one leaves no row."""

    def __init__(self) -> None:
        self._rows: dict[str, Document | None] = {}
        self._created: set[str] = set()

    def add(self, recorded: Recorded[Any]) -> None:
        """Change the row of the campaign that it is about."""
        kind, campaign_id = type(recorded.event), recorded.address.thing
        if kind is CampaignDeleted:
            self._rows[campaign_id] = None
        elif changes := _CHANGES.get(kind):
            if kind in CREATED:
                self._created.add(campaign_id)
            if row := self._rows.get(campaign_id):
                row.update(changes(recorded))
            else:
                self._rows[campaign_id] = changes(recorded)

    def writes(self) -> Sequence[Write]:
        """Return one write per row, those of a kind side by side: they share a command.

        Inserts are the cheapest for MongoDB.
        """
        inserts: list[Write] = []
        updates: list[Write] = []
        deletes: list[Write] = []
        for campaign_id, row in self._rows.items():
            name = {"_id": campaign_id}
            if row is None:
                deletes.append(DeleteOne(name))
            elif campaign_id in self._created:
                inserts.append(InsertOne(name | row))
            else:
                updates.append(UpdateOne(name, {"$set": row}, upsert=True))
        return inserts + updates + deletes


def _made(recorded: Recorded[Any]) -> Document:
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


def _moved(recorded: Recorded[Any]) -> Document:
    return {"status": recorded.event.becomes, "listed": True, "paused_until": None}


def _paused(recorded: Recorded[CampaignPaused]) -> Document:
    until = recorded.event.until
    return _moved(recorded) | {"paused_until": None if until is None else rfc3339(until)}


def _uploaded(recorded: Recorded[ContactsUploaded]) -> Document:
    """Return what is known of the audience; a new one has nobody excluded."""
    event = recorded.event
    counts = {name: getattr(event, name) for name in COUNTS}
    return {"contacts": counts, "excluded": 0}


def _edited(recorded: Recorded[Any]) -> Document:
    return {"settings": recorded.event.settings.model_dump(mode="json")}


def _run(recorded: Recorded[Any]) -> Document:
    return {"status": recorded.event.becomes, "run": recorded.event.run}


def _restarted(recorded: Recorded[CampaignRestarted]) -> Document:
    """Keep by whom and when each run was prepared: a later one may be given up."""
    event = recorded.event
    prepared = {"by": event.by.model_dump(), "at": rfc3339(recorded.time)}
    return _run(recorded) | {f"restarted_{event.run}": prepared}


CREATED = frozenset((CampaignCreated, VoiceCampaignCreated))
COUNTS = ("accepted", "invalid", "duplicate", "suppressed")
_CHANGES: Mapping[type[Event], Callable[[Recorded[Any]], Document]] = {
    CampaignCreated: lambda fact: _made(fact) | {"status": "new", "listed": False},
    CampaignEdited: _edited,
    ContactsUploaded: _uploaded,
    ContactsExcluded: lambda fact: {"excluded": fact.event.excluded},
    CampaignArchived: lambda _: {"archived": True},
    CampaignRestored: lambda _: {"archived": False},
    **dict.fromkeys(StatusChanged.__subclasses__(), _moved),
    CampaignStarted: lambda fact: _moved(fact) | {"started_at": fact.time},
    CampaignPaused: _paused,
    CampaignFailed: lambda fact: _moved(fact) | {"reason": fact.event.reason},
    CampaignRejected: lambda fact: _moved(fact) | {"reason": fact.event.note},
    VoiceCampaignCreated: lambda fact: _made(fact) | {"status": "draft", "listed": True, "run": 1},
    VoiceCampaignEdited: _edited,
    **dict.fromkeys(
        VoiceStatusChanged.__subclasses__(), lambda fact: {"status": fact.event.becomes}
    ),
    DiallingStarted: lambda fact: _run(fact) | {"reason": None},
    DiallingFailed: lambda fact: {"status": fact.event.becomes, "reason": fact.event.reason},
    CampaignRestarted: _restarted,
    RestartCancelled: _run,
}
"""Which fields of a row each fact sets; facts of other types set none.

Looked up by type: matching classes one after the other took a fifth of a rebuild.
"""


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
    """Return id, channel and start of every SMS campaign that is under way."""
    chosen = {"workspace": workspace, "status": {"$in": sorted(ACTIVE)}, "channel": "sms"}
    return await campaigns.find(chosen, {"started_at": 1, "channel": 1}).to_list()


def ids(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of rows."""
    return [row["_id"] for row in rows]
