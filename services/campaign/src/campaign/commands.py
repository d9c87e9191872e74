"""What can be wished of an SMS campaign. Every command carries the clock and who wishes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from campaign_events.campaign import SmsSettings
from campaign_events.envelope import Actor


@dataclass(frozen=True, slots=True)
class Create:
    """Make a campaign with these settings."""

    settings: SmsSettings
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the given settings and leave the others; the values have the types of SmsSettings."""

    changes: Mapping[str, object]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class AcceptContacts:
    """Make a stored audience the campaign's, in place of any earlier one."""

    audience: str
    accepted: int
    invalid: int
    duplicate: int
    suppressed: int
    by: Actor


@dataclass(frozen=True, slots=True)
class Approve:
    """Follow a moderator's approval."""

    by: Actor
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Follow a moderator's rejection."""

    by: Actor
    note: str


@dataclass(frozen=True, slots=True)
class MarkBuilt:
    """The recipient list is made."""

    queued: int
    skipped: int
    segments: int


@dataclass(frozen=True, slots=True)
class MarkBuildFailed:
    """The recipient list could not be made."""

    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """Let messages go out; a person wishes it."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class StartDue:
    """Let messages go out if it is time; nobody in particular wishes it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Let nothing new go out."""

    by: Actor


@dataclass(frozen=True, slots=True)
class Resume:
    """Let messages go out again."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """End the campaign for good."""

    by: Actor


@dataclass(frozen=True, slots=True)
class Complete:
    """Every message has come to its end."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Sending can not go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class ExpireWaiting:
    """End the campaign if `ends_at` has passed before it was started."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a campaign that nobody has decided about."""

    by: Actor


type CampaignCommand = (
    Create
    | Edit
    | AcceptContacts
    | Approve
    | Reject
    | MarkBuilt
    | MarkBuildFailed
    | Start
    | StartDue
    | Pause
    | Resume
    | Stop
    | Complete
    | Fail
    | ExpireWaiting
    | Delete
)
