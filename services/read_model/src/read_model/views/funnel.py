"""How many campaigns are in each status, and how many were there ever? One document tells."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import (
    ACTIVE,
    CampaignCreated,
    CampaignDeleted,
    StatusChanged,
)
from campaign_events.envelope import Event, Recorded
from campaign_events.projection import Document, Write
from campaign_events.voice import (
    VOICE_ACTIVE,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceStatusChanged,
)

NAME = "funnels"
SMS = (
    "building",
    "pending",
    "sending",
    "paused",
    "done",
    "failed",
    "cancelled",
    "expired",
)
VOICE = ("draft", "running", "paused", "completed", "failed")
FAILED = ("failed", "expired")


class Counts:
    """By how much a batch changes the counts of each workspace."""

    def __init__(self) -> None:
        self._moves: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, recorded: Recorded[Any]) -> None:
        """Count the move between statuses that the event states."""
        event, counter = recorded.event, self._moves[recorded.address.workspace]
        if find := _MOVES.get(type(event)):
            for name, by in find(event):
                counter[name] += by
        if review := getattr(event, "review", 0):
            counter["review"] += review

    def writes(self) -> Sequence[Write]:
        """Return one write per workspace where anything has moved."""
        return [
            UpdateOne({"_id": workspace}, {"$inc": changed}, upsert=True)
            for workspace, counter in self._moves.items()
            if (changed := {name: number for name, number in counter.items() if number})
        ]


type Moves = Sequence[tuple[str, int]]


def _sms(event: StatusChanged) -> Moves:
    return (f"sms.{event.was}", -1), (f"sms.{event.becomes}", 1)


def _voice(event: VoiceStatusChanged | RestartCancelled) -> Moves:
    return (f"voice.{event.was}", -1), (f"voice.{event.becomes}", 1)


def _deleted(event: CampaignDeleted) -> Moves:
    return ((f"{'voice' if event.was == 'draft' else 'sms'}.{event.was}", -1),)


_MOVES: Mapping[type[Event], Callable[[Any], Moves]] = {
    CampaignCreated: lambda _: (("total", 1), ("sms.new", 1)),
    VoiceCampaignCreated: lambda _: (("total", 1), ("voice.draft", 1)),
    **dict.fromkeys(StatusChanged.__subclasses__(), _sms),
    **dict.fromkeys(VoiceStatusChanged.__subclasses__(), _voice),
    RestartCancelled: _voice,
    CampaignDeleted: _deleted,
}
"""By how much each fact moves which counts; `review` moves the queue, whatever the fact."""


async def counts(funnels: AsyncCollection[Document], workspace: str) -> Document:
    """Return the counts of a workspace, nothing for one that nobody has used."""
    return await funnels.find_one({"_id": workspace}) or {}


def kpi(kept: Document) -> dict[str, int]:
    """Return the four tiles; `total` is all that were ever created."""
    sms: dict[str, int] = kept.get("sms", {})
    voice: dict[str, int] = kept.get("voice", {})
    return {
        "total": kept.get("total", 0),
        "active": _sum(sms, ACTIVE) + _sum(voice, VOICE_ACTIVE),
        "completed": sms.get("done", 0) + voice.get("completed", 0),
        "failed": _sum(sms, FAILED) + voice.get("failed", 0),
    }


def _sum(counts: Mapping[str, int], statuses: Iterable[str]) -> int:
    return sum(counts.get(status, 0) for status in statuses)


def funnel(kept: Document) -> dict[str, Any]:
    """Return the number of campaigns per status; `pending_moderation` is the queue."""
    sms: dict[str, int] = kept.get("sms", {})
    voice: dict[str, int] = kept.get("voice", {})
    return {
        "new": sms.get("new", 0),
        "pending_moderation": kept.get("review", 0),
        **{status: sms.get(status, 0) for status in SMS},
        "voice": {status: voice.get(status, 0) for status in VOICE},
    }
