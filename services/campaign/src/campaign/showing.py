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
from campaign_events.voice_presentation import callable_contacts, waiting

COUNTS = ("accepted", "invalid", "duplicate", "suppressed")


def shown(history: Sequence[Recorded[Any]], caller: Caller) -> dict[str, Any]:
    """Return the campaign as `GET` would, without the numbers that only the views know.

    Once messages or calls may have gone out, `stats` and `progress` are left out rather than
    guessed.
    """
    row: dict[str, Any] = {"archived": False}
    counters: dict[str, int] = {}
    for recorded in history:
        row |= _row(row, recorded)
        if isinstance(recorded.event, CampaignBuilt):
            built = recorded.event
            counters |= {"skipped": built.skipped, "segments": built.segments}
    if row["channel"] == "voice":
        counters = waiting(callable_contacts(row))
    body = campaign(row, counters, caller, detail=True)
    if any(isinstance(one.event, CampaignStarted | DiallingStarted) for one in history):
        del body["stats"], body["progress"]
    return body


def _row(  # noqa: PLR0911 - one return per kind of fact
    row: dict[str, Any], recorded: Recorded[Any]
) -> dict[str, Any]:
    """Return what an event changes in the row."""
    event = recorded.event
    match event:
        case CampaignCreated() | VoiceCampaignCreated():
            return {
                "_id": recorded.address.thing,
                "workspace": recorded.address.workspace,
                "channel": event.channel,
                "status": "new" if isinstance(event, CampaignCreated) else "draft",
                "settings": event.settings.model_dump(mode="json"),
                "author": event.author.model_dump(),
                "created_at": rfc3339(recorded.time),
            }
        case CampaignEdited() | VoiceCampaignEdited():
            return {"settings": event.settings.model_dump(mode="json")}
        case ContactsUploaded():
            return {"contacts": event.model_dump(include=set(COUNTS)), "excluded": 0}
        case ContactsExcluded():
            return {"excluded": row.get("excluded", 0) + len(event.numbers)}
        case CampaignArchived() | CampaignRestored():
            return {"archived": isinstance(event, CampaignArchived)}
        case StatusChanged() | VoiceStatusChanged() | RestartCancelled():
            return {"status": event.becomes} | _beside(recorded)
        case _:
            return {}


def _beside(  # noqa: PLR0911 - one return per kind of fact
    recorded: Recorded[Any],
) -> dict[str, Any]:
    """Return what a change of status tells beside the status."""
    event = recorded.event
    match event:
        case CampaignRejected():
            return {"reason": event.note, "paused_until": None}
        case CampaignFailed() | DiallingFailed():
            return {"reason": event.reason, "paused_until": None}
        case CampaignPaused(until=until) if until is not None:
            return {"paused_until": rfc3339(until)}
        case CampaignRestarted(run=run):
            restarted = {"by": event.by.model_dump(), "at": rfc3339(recorded.time)}
            return {"run": run, f"restarted_{run}": restarted}
        case RestartCancelled(run=run):
            return {"run": run}
        case DiallingStarted(run=run):
            return {"run": run, "reason": None}
        case _:
            return {"paused_until": None}
