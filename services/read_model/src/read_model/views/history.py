"""Who did what to a campaign, and when? One document per fact of its life; nobody's number."""

from collections.abc import Sequence
from typing import Any

from pymongo import IndexModel, InsertOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import CampaignEvent
from campaign_events.envelope import Actor, Batch, Recorded, rfc3339
from campaign_events.paging import Page
from campaign_events.projection import Document, Write
from campaign_events.voice import ContactsAdded, ContactsExcluded, ContactsLeft

NAME = "campaign_history"
INDEXES = (IndexModel([("campaign", 1), ("_id", -1)]),)
ACTIONS = {
    "campaign.voice_created": "campaign.created",
    "campaign.voice_edited": "campaign.edited",
    "campaign.dialling_started": "campaign.started",
    "campaign.dialling_paused": "campaign.paused",
    "campaign.dialling_resumed": "campaign.resumed",
    "campaign.dialling_stopped": "campaign.stopped",
    "campaign.dialling_completed": "campaign.completed",
    "campaign.dialling_failed": "campaign.failed",
}
"""One word for one action, on both channels; other facts are called by their type."""
DETAILS = {
    *("accepted", "invalid", "duplicate", "suppressed"),
    *("queued", "skipped", "segments"),
    *("note", "reason", "run", "until", "cloned_from"),
}


def fold(batch: Batch) -> Sequence[Write]:
    """Keep every fact about a campaign, by its place in the log."""
    return [
        InsertOne(_document(recorded))
        for recorded in batch
        if isinstance(recorded.event, CampaignEvent)
        and not isinstance(recorded.event, ContactsLeft)
    ]


def _document(recorded: Recorded[Any]) -> Document:
    event = recorded.event
    actor = getattr(event, "author", None) or getattr(event, "by", None)
    return {
        "_id": recorded.seq,
        "campaign": recorded.address.thing,
        "workspace": recorded.address.workspace,
        "id": recorded.id,
        "at": rfc3339(recorded.time),
        "action": ACTIONS.get(event.type, event.type),
        "actor": actor.model_dump() if isinstance(actor, Actor) else None,
        "status": getattr(event, "becomes", None),
        "details": _details(event),
    }


def _details(event: CampaignEvent) -> dict[str, Any]:
    match event:
        case ContactsAdded(first=first, last=last):
            return {"contacts": last - first + 1}
        case ContactsExcluded(numbers=numbers):
            return {"contacts": len(numbers)}
        case _:
            return event.model_dump(mode="json", include=DETAILS, exclude_none=True)


async def page(
    history: AsyncCollection[Document], workspace: str, campaign_id: str, asked: Page
) -> Sequence[Document]:
    """Return one page of a campaign's life and one more, the newest first."""
    chosen: dict[str, Any] = {"campaign": campaign_id, "workspace": workspace}
    if asked.after is not None:
        chosen["_id"] = {"$lt": asked.after}
    return await history.find(chosen).sort("_id", -1).limit(asked.limit + 1).to_list()


def shown(entry: Document) -> dict[str, Any]:
    """Return a fact as people read it; `actor` is null for what happened by itself."""
    return {name: entry[name] for name in ("id", "at", "actor", "action", "status", "details")}
