"""Which campaigns wait for a moderator? One document per campaign for as long as it is `new`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import DeleteOne, IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignEvent,
    ContactsUploaded,
    SmsSettings,
    StatusChanged,
)
from campaign_events.envelope import Recorded, rfc3339
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.paging import Page
from campaign_events.projection import Document, Write
from campaign_events.voice import ContactsExcluded

NAME = "queue"
INDEXES = (IndexModel([("workspace", 1), ("decided", 1), ("review", 1), ("place", 1)]),)
READY = 1
SHOWN_SETTINGS = {"name", "mode", "sender_id", "starts_at", "text"}


@dataclass(slots=True)
class _Change:
    """What a batch changes in one document."""

    fields: dict[str, Any] = field(default_factory=dict)
    review: int = 0
    created: bool = False
    gone: bool = False


class Waiting:
    """What a batch changes in what moderators see; a campaign that moves on leaves the queue."""

    def __init__(self) -> None:
        self._changes: defaultdict[str, _Change] = defaultdict(_Change)

    def add(self, recorded: Recorded[Any]) -> None:
        """Note what a fact says of a new campaign."""
        if isinstance(recorded.event, CampaignEvent | ModerationApproved | ModerationRejected):
            _note(self._changes[recorded.address.thing], recorded)

    def writes(self) -> Sequence[Write]:
        """Return one write per campaign."""
        return [_write(campaign_id, change) for campaign_id, change in self._changes.items()]


def _note(change: _Change, recorded: Recorded[Any]) -> None:
    event = recorded.event
    if isinstance(event, CampaignEvent):
        change.review += event.review
    match event:
        case CampaignCreated(settings=settings, author=author):
            change.created = True
            change.fields |= _settings(settings) | {
                "workspace": recorded.address.workspace,
                "author": author.model_dump(),
                "created_at": rfc3339(recorded.time),
                "place": recorded.seq,
                "decided": False,
            }
        case CampaignEdited(settings=settings):
            change.fields |= _settings(settings)
        case ContactsUploaded(audience=audience, accepted=accepted):
            change.fields |= {"audience": audience, "accepted": accepted, "excluded": 0}
        case ContactsExcluded(excluded=excluded):
            change.fields["excluded"] = excluded
        case ModerationApproved() | ModerationRejected():
            change.fields["decided"] = True
        case StatusChanged() | CampaignDeleted():
            change.gone = True
        case _:
            pass


def _settings(settings: SmsSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json", include=SHOWN_SETTINGS)


def _write(campaign_id: str, change: _Change) -> Write:
    chosen = {"_id": campaign_id}
    if change.gone:
        return DeleteOne(chosen)
    update: dict[str, Any] = {"$inc": {"review": change.review}}
    if change.fields:
        update["$set"] = change.fields
    return UpdateOne(chosen, update, upsert=change.created)


async def page(queue: AsyncCollection[Document], workspace: str, asked: Page) -> Sequence[Document]:
    """Return one page of what waits and one more, the newest last."""
    chosen: dict[str, Any] = {"workspace": workspace, "decided": False, "review": READY}
    if asked.after is not None:
        chosen["place"] = {"$gt": asked.after}
    return await queue.find(chosen).sort("place", 1).limit(asked.limit + 1).to_list()
