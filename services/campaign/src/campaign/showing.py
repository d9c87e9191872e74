"""A campaign as this service can show it: from its history alone, without a view. Pure."""

from collections.abc import Sequence
from typing import Any

from campaign_events.access import Caller
from campaign_events.campaign import (
    CampaignArchived,
    CampaignBuilt,
    CampaignCreated,
    CampaignEdited,
    CampaignFailed,
    CampaignPaused,
    CampaignRejected,
    CampaignRestored,
    CampaignStarted,
    ContactsUploaded,
    StatusChanged,
)
from campaign_events.envelope import Recorded, rfc3339
from campaign_events.presentation import campaign

COUNTS = ("accepted", "invalid", "duplicate", "suppressed")


def shown(history: Sequence[Recorded[Any]], caller: Caller) -> dict[str, Any]:
    """Return the campaign as `GET` would, without the numbers that only the views know.

    Once messages may have gone out, `stats` and `progress` are left out rather than guessed.
    """
    row: dict[str, Any] = {"archived": False}
    counters: dict[str, int] = {}
    for recorded in history:
        _add(row, counters, recorded)
    body = campaign(row, counters, caller, detail=True)
    if any(isinstance(recorded.event, CampaignStarted) for recorded in history):
        del body["stats"], body["progress"]
    return body


def _add(row: dict[str, Any], counters: dict[str, int], recorded: Recorded[Any]) -> None:
    event = recorded.event
    match event:
        case CampaignCreated():
            row |= {
                "_id": recorded.address.thing,
                "workspace": recorded.address.workspace,
                "channel": event.channel,
                "status": "new",
                "settings": event.settings.model_dump(mode="json"),
                "author": event.author.model_dump(),
                "created_at": rfc3339(recorded.time),
            }
        case CampaignEdited():
            row["settings"] = event.settings.model_dump(mode="json")
        case ContactsUploaded():
            row["contacts"] = event.model_dump(include=set(COUNTS))
        case CampaignBuilt():
            counters |= {"skipped": event.skipped, "segments": event.segments}
        case CampaignRejected():
            row["reason"] = event.note
        case CampaignFailed():
            row["reason"] = event.reason
        case CampaignArchived() | CampaignRestored():
            row["archived"] = isinstance(event, CampaignArchived)
        case _:
            pass
    if isinstance(event, StatusChanged):
        until = event.until if isinstance(event, CampaignPaused) else None
        row |= {"status": event.becomes, "paused_until": None if until is None else rfc3339(until)}
