"""What can be wished of an SMS campaign. A command carries its clock, and who wishes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from campaign_events.campaign import SmsSettings
from campaign_events.envelope import Actor, Id


@dataclass(frozen=True, slots=True)
class Create:
    """Make a campaign with these settings; one that is cloned may lack the times it needs."""

    settings: SmsSettings
    by: Actor
    at: datetime
    cloned_from: Id | None = None


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
class Wish:
    """What a person wishes of a campaign, in one word."""

    by: Actor
    at: datetime


class Start(Wish):
    """Let messages go out."""


class Pause(Wish):
    """Let nothing new go out."""


class Resume(Wish):
    """Let messages go out again."""


class Stop(Wish):
    """End the campaign for good."""


class Archive(Wish):
    """Put a campaign away that has come to its end."""


class Restore(Wish):
    """Take the campaign out of the archive."""


class Delete(Wish):
    """Remove a campaign that nobody has decided about."""


@dataclass(frozen=True, slots=True)
class KeepTime:
    """Do what this moment brings about: start, expire, pause or resume; often nothing."""

    at: datetime


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
class Complete:
    """Every message has come to its end."""


@dataclass(frozen=True, slots=True)
class ExpireSending:
    """`ends_at` has passed, and this many messages were never sent."""

    left: int


@dataclass(frozen=True, slots=True)
class Fail:
    """Sending can not go on."""

    reason: str


type Preparation = Edit | AcceptContacts | Delete
type Finding = Approve | Reject | MarkBuilt | MarkBuildFailed | Complete | ExpireSending | Fail
type Action = Start | Pause | Resume | Stop | Archive | Restore
type CampaignCommand = Create | Preparation | Finding | Action | KeepTime
