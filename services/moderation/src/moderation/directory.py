"""Which senders are there, and which revisions wait for a moderator? One document per sender."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Actor, Recorded, rfc3339
from campaign_events.paging import Page
from campaign_events.projection import Document, Write
from campaign_events.sender import (
    Revision,
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
)
from moderation.sender import Sender, Submitted

NAME = "senders"
INDEXES = (
    IndexModel([("workspace", 1), ("place", 1)]),
    IndexModel([("workspace", 1), ("waiting", 1), ("place", 1)]),
)


@dataclass(slots=True)
class _Change:
    """What a batch changes in one document; `fields` are paths to leaves, so they never overlap."""

    workspace: str
    fields: dict[str, Any] = field(default_factory=dict)
    waiting: int = 0


class Senders:
    """What a batch changes in each sender, which has all its revisions."""

    def __init__(self) -> None:
        self._changes: dict[str, _Change] = {}

    def add(self, recorded: Recorded[Any]) -> None:
        """Note what a fact says of a sender."""
        if recorded.type.startswith("sender."):
            address = recorded.address
            _note(self._changes.setdefault(address.thing, _Change(address.workspace)), recorded)

    def writes(self) -> Sequence[Write]:
        """Return one write per sender."""
        return [_write(sender_id, change) for sender_id, change in self._changes.items()]


def _note(change: _Change, recorded: Recorded[Any]) -> None:
    match recorded.event:
        case SenderCreated(name=name):
            change.fields |= {"name": name, "archived": False, "place": recorded.seq}
        case RevisionSubmitted(revision=revision, by=by):
            leaves = revision.model_dump() | {
                "status": "pending_approval",
                "by": by.model_dump(),
                "at": rfc3339(recorded.time),
            }
            change.fields |= _leaves(revision.number, leaves)
            change.waiting += 1
        case RevisionApproved(number=number, note=note):
            change.fields |= _leaves(number, {"status": "approved", "note": note})
            change.fields["current"] = number
            change.waiting -= 1
        case RevisionRejected(number=number, note=note):
            change.fields |= _leaves(number, {"status": "rejected", "note": note})
            change.waiting -= 1
        case SenderArchived():
            change.fields["archived"] = True
        case _:
            pass


def _leaves(number: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"revisions.{number}.{name}": value for name, value in values.items()}


def _write(sender_id: str, change: _Change) -> UpdateOne:
    update = {
        "$set": {"workspace": change.workspace, **change.fields},
        "$inc": {"waiting": change.waiting},
    }
    return UpdateOne({"_id": sender_id}, update, upsert=True)


async def page(
    senders: AsyncCollection[Document], workspace: str, asked: Page, *, waiting: bool
) -> Sequence[Document]:
    """Return one page of senders and one more, the oldest first; or only those that wait."""
    chosen: dict[str, Any] = {"workspace": workspace}
    if waiting:
        chosen |= {"waiting": {"$gt": 0}, "archived": False}
    if asked.after is not None:
        chosen["place"] = {"$gt": asked.after}
    return await senders.find(chosen).sort("place", 1).limit(asked.limit + 1).to_list()


async def by_id(
    senders: AsyncCollection[Document], workspace: str, sender_ids: Sequence[str]
) -> dict[str, Document]:
    """Return these senders by id, in one round trip."""
    chosen = {"_id": {"$in": list(sender_ids)}, "workspace": workspace}
    return {found["_id"]: found for found in await senders.find(chosen).to_list()}


def sender(kept: Document) -> Sender:
    """Return the sender that a document keeps."""
    return Sender(
        name=kept["name"],
        revisions={
            int(number): Submitted(
                revision=Revision.model_validate(entry),
                by=Actor.model_validate(entry["by"]),
                status=entry["status"],
                note=entry.get("note"),
            )
            for number, entry in kept.get("revisions", {}).items()
        },
        current=kept.get("current"),
        archived=kept["archived"],
    )


def waiting_revisions(kept: Document) -> list[dict[str, Any]]:
    """Return the revisions of a sender that wait for a moderator, as the queue shows them."""
    found = sender(kept)
    return [
        {
            "id": kept["_id"],
            "name": found.name,
            "workspace": kept["workspace"],
            "number": number,
            **submitted.revision.model_dump(exclude={"number"}),
            "submitted_by": submitted.by.model_dump(),
            "submitted_at": kept["revisions"][str(number)]["at"],
        }
        for number, submitted in sorted(found.revisions.items())
        if submitted.status == "pending_approval"
    ]


def saddr(kept: Document) -> str | None:
    """Return the address in use, else the newest that was submitted."""
    found = sender(kept)
    number = found.current or max(found.revisions, default=None)
    return None if number is None else found.revisions[number].revision.saddr
