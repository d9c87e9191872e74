"""A campaign as its history tells it: what deciding needs to know, and no more."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from campaign.rules import missing
from campaign.windows import is_open, next_change
from campaign_events.campaign import (
    CampaignArchived,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignPaused,
    CampaignRestored,
    ContactsUploaded,
    SettingsChanged,
    SmsCampaignEvent,
    SmsSettings,
    Status,
    StatusChanged,
)
from campaign_events.envelope import Unknown
from campaign_events.moderation import ModerationApproved, ModerationEvent, ModerationRejected
from campaign_events.sender import (
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
    SenderEvent,
)

type Fact = SmsCampaignEvent | ModerationEvent | SenderEvent | SettingsChanged | Unknown
"""What a history may hold. The ids of senders and of the settings name no campaign."""


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no campaign: not yet, or not any more."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """There is one. `decided`: a moderator has spoken; `held`: its daily window paused it."""

    status: Status
    settings: SmsSettings
    audience: str | None = None
    accepted: int = 0
    decided: bool = False
    held: bool = False
    archived: bool = False

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


type State = Absent | Campaign


def evolve(state: State, event: Fact) -> State:  # noqa: PLR0911 - one return per kind of fact
    """Return the state after an event; takes anything that a history may hold."""
    match event:
        case CampaignCreated():
            return Campaign("new", event.settings)
        case CampaignDeleted():
            return Absent()
        case _ if isinstance(state, Absent):
            return state
        case CampaignEdited():
            return replace(state, settings=event.settings)
        case ContactsUploaded():
            return replace(state, audience=event.audience, accepted=event.accepted)
        case ModerationApproved() | ModerationRejected():
            return replace(state, decided=True)
        case StatusChanged():
            held = isinstance(event, CampaignPaused) and event.by is None
            return replace(state, status=event.becomes, held=held)
        case CampaignArchived() | CampaignRestored():
            return replace(state, archived=isinstance(event, CampaignArchived))
        case (
            SenderCreated()
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
