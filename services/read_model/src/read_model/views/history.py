"""Who did what to a campaign, and when? One document per fact of its life; nobody's number."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from pymongo import IndexModel, InsertOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import CampaignEvent
from campaign_events.catalogue import event_types
from campaign_events.envelope import Events, Recorded, rfc3339
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


def fold(events: Events) -> Sequence[Write]:
    """Keep every fact about a campaign, by its place in the log."""
    return [
        InsertOne(_document(recorded, shape))
        for recorded in events
        if (shape := _shape(recorded.event.type)) is not None
    ]


class _Shape(NamedTuple):
    """What the history tells of the facts of one type."""

    action: str
    actor: str | None
    moves: bool
    details: Callable[[Any], dict[str, Any]]


@cache
def _shape(name: str) -> _Shape | None:
    kind = event_types().get(name)
    if kind is None or not issubclass(kind, CampaignEvent) or kind is ContactsLeft:
        return None
    actor = next((field for field in ("author", "by") if field in kind.model_fields), None)
    moves = hasattr(kind, "becomes") or "becomes" in kind.model_fields
    return _Shape(ACTIONS.get(name, name), actor, moves, _details(kind))


def _details(kind: type[CampaignEvent]) -> Callable[[Any], dict[str, Any]]:
    if kind is ContactsAdded:
        return lambda event: {"contacts": event.last - event.first + 1}
    if kind is ContactsExcluded:
        return lambda event: {"contacts": len(event.numbers)}
    told = sorted(DETAILS & kind.model_fields.keys())
    if "until" in told:
        return lambda event: event.model_dump(mode="json", include={*told}, exclude_none=True)
    # Text and numbers, and so as they are: a dump would cost as much as reading the event.
    return lambda event: {
        name: value for name in told if (value := getattr(event, name)) is not None
    }


def _document(recorded: Recorded[Any], shape: _Shape) -> Document:
    event = recorded.event
    actor = getattr(event, shape.actor) if shape.actor else None
    return {
        "_id": recorded.seq,
        "campaign": recorded.address.thing,
        "workspace": recorded.address.workspace,
        "id": recorded.id,
        "at": rfc3339(recorded.time),
        "action": shape.action,
        "actor": None if actor is None else {"id": actor.id, "name": actor.name},
        "status": event.becomes if shape.moves else None,
        "details": shape.details(event),
    }


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
