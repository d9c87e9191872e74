"""What can be wished of a campaign. A command carries its clock, and who wishes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaign_events.campaign import SmsSettings
from campaign_events.envelope import Actor, Id
from campaign_events.voice import VoiceSettings


@dataclass(frozen=True, slots=True)
class Create:
    """Make a campaign with these settings; one that is cloned may lack the times it needs."""

    settings: SmsSettings | VoiceSettings
    by: Actor
    at: datetime
    cloned_from: Id | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the given settings and leave the others; the values have the types of settings."""

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
class AddContacts:
    """Take the stored contacts `first` to `last` into a voice campaign that is under way."""

    audience: str
    first: int
    last: int
    by: Actor


@dataclass(frozen=True, slots=True)
class Exclude:
    """Reach these contacts of this audience no more."""

    audience: str | None
    numbers: Sequence[int]
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


class Restart(Wish):
    """Prepare another run with every contact that is not completed."""


class CancelRestart(Wish):
    """Give up a prepared run."""


class Delete(Wish):
    """Remove a campaign that nobody has decided about, or a draft that was never started."""


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


@dataclass(frozen=True, slots=True)
class FinishRun:
    """Every call of a run is final; `left` contacts are not completed."""

    run: int
    left: int


@dataclass(frozen=True, slots=True)
class BreakRun:
    """The dialler can not go on with a run."""

    run: int
    reason: str


type Preparation = Edit | AcceptContacts | Delete
type Finding = Approve | Reject | MarkBuilt | MarkBuildFailed | Complete | ExpireSending | Fail
type Action = Start | Pause | Resume | Stop | Archive | Restore
type VoiceCommand = Restart | CancelRestart | AddContacts | FinishRun | BreakRun
type StandingCommand = Preparation | Finding | Action | VoiceCommand | Exclude | KeepTime
"""What a campaign that is there can be asked."""

type CampaignCommand = Create | StandingCommand
