"""A campaign as its history tells it: what deciding needs to know, and no more."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from campaign.facts import Fact
from campaign.rules import missing
from campaign.voice.state import VoiceCampaign, evolve_voice
from campaign_events.campaign import (
    CampaignArchived,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignPaused,
    CampaignRestored,
    ContactsUploaded,
    SettingsChanged,
    SmsSettings,
    Status,
    StatusChanged,
)
from campaign_events.envelope import Unknown
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.sender import SenderEvent
from campaign_events.voice import (
    ContactsAdded,
    ContactsExcluded,
    ContactsLeft,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceStatusChanged,
)
from campaign_events.windows import is_open, next_change


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no campaign: not yet, or not any more."""


class Campaign(NamedTuple):
    """There is one for SMS. `decided`: a moderator spoke; `held`: its daily window paused it.

    A tuple, because replacing fields of a frozen dataclass was a tenth of a decision.
    """

    status: Status
    settings: SmsSettings
    audience: str | None = None
    accepted: int = 0
    decided: bool = False
    held: bool = False
    archived: bool = False
    excluded: frozenset[int] = frozenset()

    @property
    def awaits_review(self) -> bool:
        """Tell whether it is `new` and ready for a moderator."""
        has_contacts = self.accepted > 0 or self.settings.mode == "trigger"
        return self.status == "new" and has_contacts and not missing(self.settings)

    def is_over(self, at: datetime) -> bool:
        """Tell whether its time has passed."""
        return self.settings.ends_at is not None and self.settings.ends_at <= at

    def may_send(self, at: datetime) -> bool:
        """Tell whether its daily window, if it has one, is open."""
        window = self.settings.daily_window
        return window is None or is_open(window, at)

    def window_changes(self, at: datetime) -> datetime | None:
        """Return when its daily window opens or closes next."""
        window = self.settings.daily_window
        return None if window is None else next_change(window, at)


type State = Absent | Campaign | VoiceCampaign


def evolve(state: State, event: Fact) -> State:
    """Return the state after an event; takes anything that a history may hold."""
    match event:
        case CampaignCreated():
            return Campaign("new", event.settings)
        case VoiceCampaignCreated():
            return VoiceCampaign(event.settings)
        case CampaignDeleted():
            return Absent()
        case _ if isinstance(state, VoiceCampaign):
            return evolve_voice(state, event)
        case _ if isinstance(state, Campaign):
            return _evolve_sms(state, event)
        case _:
            return state


def _evolve_sms(  # noqa: PLR0911 - one return per kind of fact
    state: Campaign, event: Fact
) -> Campaign:
    match event:
        case CampaignEdited():
            return state._replace(settings=event.settings)
        case ContactsUploaded(audience=audience, accepted=accepted):
            return state._replace(audience=audience, accepted=accepted, excluded=frozenset())
        case ContactsExcluded(numbers=numbers):
            excluded = state.excluded.union(numbers)
            accepted = state.accepted - len(excluded) + len(state.excluded)
            return state._replace(accepted=accepted, excluded=excluded)
        case ModerationApproved() | ModerationRejected():
            return state._replace(decided=True)
        case StatusChanged():
            held = isinstance(event, CampaignPaused) and event.by is None
            return state._replace(status=event.becomes, held=held)
        case CampaignArchived() | CampaignRestored():
            return state._replace(archived=isinstance(event, CampaignArchived))
        case _:
            _changes_nothing(event)
            return state


def _changes_nothing(
    event: (
        SenderEvent
        | SettingsChanged
        | Unknown
        | CampaignCreated
        | CampaignDeleted
        | VoiceCampaignCreated
        | VoiceCampaignEdited
        | ContactsAdded
        | ContactsLeft
        | VoiceStatusChanged
        | RestartCancelled
    ),
) -> None:
    """Take what moves no SMS campaign; a fact that is forgotten everywhere is an error of types."""
