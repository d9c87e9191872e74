"""A voice campaign as its history tells it: what deciding needs to know, and no more."""

from dataclasses import dataclass, replace
from typing import assert_never

from campaign.facts import Fact
from campaign_events.campaign import (
    CampaignArchived,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignRestored,
    ContactsUploaded,
    SettingsChanged,
    StatusChanged,
)
from campaign_events.envelope import Unknown
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.sender import (
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
)
from campaign_events.voice import (
    CampaignRestarted,
    ContactsAdded,
    ContactsExcluded,
    ContactsLeft,
    DiallingStarted,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceSettings,
    VoiceStatus,
    VoiceStatusChanged,
)


@dataclass(frozen=True, slots=True)
class VoiceCampaign:
    """There is one.

    `accepted` contacts may be called, `stored` is the number of the last one. `left` tells how many
    of the last run that is over are not completed, None until the dialler has said so. `prior` is
    the status that a prepared restart goes back to when it is given up.
    """

    settings: VoiceSettings
    status: VoiceStatus = "draft"
    run: int = 1
    audience: str | None = None
    accepted: int = 0
    stored: int = 0
    excluded: frozenset[int] = frozenset()
    left: int | None = None
    prior: VoiceStatus = "draft"
    archived: bool = False

    @property
    def was_started(self) -> bool:
        """Tell whether it has ever been started."""
        return self.run > 1 or self.status != "draft"

    @property
    def has_nobody_left(self) -> bool:
        """Tell whether nobody is left to call, as far as that is known."""
        if self.was_started:
            return self.left == 0
        return self.accepted <= len(self.excluded)


def evolve_voice(state: VoiceCampaign, event: Fact) -> VoiceCampaign:
    """Return the state after an event; takes anything that a history may hold."""
    match event:
        case VoiceCampaignEdited():
            return replace(state, settings=event.settings)
        case CampaignArchived() | CampaignRestored():
            return replace(state, archived=isinstance(event, CampaignArchived))
        case ContactsUploaded() | ContactsAdded() | ContactsExcluded() | ContactsLeft():
            return _with_contacts(state, event)
        case VoiceStatusChanged() | RestartCancelled():
            return _moved(state, event)
        case (
            VoiceCampaignCreated()
            | CampaignCreated()
            | CampaignDeleted()
            | CampaignEdited()
            | StatusChanged()
            | ModerationApproved()
            | ModerationRejected()
            | SenderCreated()
            | RevisionSubmitted()
            | RevisionApproved()
            | RevisionRejected()
            | SenderArchived()
            | SettingsChanged()
            | Unknown()
        ):
            return state
        case _:
            assert_never(event)


def _with_contacts(
    state: VoiceCampaign,
    event: ContactsUploaded | ContactsAdded | ContactsExcluded | ContactsLeft,
) -> VoiceCampaign:
    match event:
        case ContactsUploaded(audience=audience, accepted=accepted, suppressed=suppressed):
            stored = accepted + suppressed
            fresh: frozenset[int] = frozenset()
            return replace(
                state, audience=audience, accepted=accepted, stored=stored, excluded=fresh
            )
        case ContactsAdded(audience=audience, first=first, last=last):
            accepted = state.accepted + last - first + 1
            return replace(state, audience=audience, accepted=accepted, stored=last)
        case ContactsExcluded(numbers=numbers):
            return replace(state, excluded=state.excluded.union(numbers))
        case ContactsLeft(left=left):
            return replace(state, left=left)
        case _:
            assert_never(event)


def _moved(state: VoiceCampaign, event: VoiceStatusChanged | RestartCancelled) -> VoiceCampaign:
    moved = replace(state, status=event.becomes)
    match event:
        case DiallingStarted(run=run):
            return replace(moved, run=run, left=None)
        case CampaignRestarted(run=run):
            return replace(moved, run=run, prior=state.status)
        case RestartCancelled(run=run):
            return replace(moved, run=run)
        case _:
            return moved
