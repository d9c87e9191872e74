"""What can happen to an SMS campaign (product: section 3). The campaign service says these."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from campaign_events.envelope import Actor, Event, Id, Value

Status = Literal[
    "new", "building", "pending", "sending", "paused", "done", "failed", "cancelled", "expired"
]
Mode = Literal["on_demand", "on_time", "spread", "trigger"]
FINAL: frozenset[Status] = frozenset(("done", "failed", "cancelled", "expired"))
ACTIVE: frozenset[Status] = frozenset(("building", "pending", "sending", "paused"))


class DailyWindow(Value):
    """Between which local times messages may go out; `start` and `end` are HH:MM."""

    start: str
    end: str
    timezone: str


class SmsSettings(Value):
    """Everything that an author chooses for an SMS campaign; `text` may hold `{{variable}}`s."""

    name: str
    text: str
    sender_id: Id
    link_id: Id
    mode: Mode = "on_demand"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    daily_window: DailyWindow | None = None
    auto_start: bool = True
    default_region: str | None = None


def _is_none(value: int | None) -> bool:
    return value is None


SETTINGS = "settings"
"""The thing that the facts about a workspace's settings are about, in place of a campaign."""


class WorkspaceSettings(Value):
    """What an admin chooses for a whole workspace.

    `stop_words` are what an inbound message says, alone, to opt out; case does not matter.
    `retention_days` is for how long audit records are kept; None, which is not written into the
    log, is for as long as the installation keeps them (`audit_retention_days`).
    """

    allow_self_approval: bool = False
    default_region: str | None = None
    stop_words: tuple[str, ...] = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")
    retention_days: Annotated[int | None, Field(exclude_if=_is_none)] = None


class CampaignEvent(Event):
    """A fact about one campaign.

    `review` is by how much the fact changes the number of campaigns that wait for a moderator
    and are ready for one, so that a fold can count them without knowing the campaign.
    """

    review: Literal[-1, 0, 1] = 0


class StatusChanged(CampaignEvent):
    """A fact that moves the campaign from the status `was` to the status `becomes`."""

    becomes: ClassVar[Status]
    was: Status


class CampaignCreated(CampaignEvent):
    """An author made a campaign; it starts in `new`."""

    type: Literal["campaign.created"] = "campaign.created"
    channel: Literal["sms"] = "sms"
    settings: SmsSettings
    author: Actor
    cloned_from: Id | None = None


class CampaignEdited(CampaignEvent):
    """An author changed settings; all of them are stated anew."""

    type: Literal["campaign.edited"] = "campaign.edited"
    settings: SmsSettings
    by: Actor


class ContactsUploaded(CampaignEvent):
    """A file of numbers became the campaign's audience, in place of any earlier one.

    The stored contacts are numbered 1 to `accepted + suppressed` in row order.
    """

    type: Literal["campaign.contacts_uploaded"] = "campaign.contacts_uploaded"
    audience: Id
    accepted: int
    invalid: int
    duplicate: int
    suppressed: int
    by: Actor


class CampaignApproved(StatusChanged):
    """A moderator let the campaign go."""

    type: Literal["campaign.approved"] = "campaign.approved"
    becomes: ClassVar[Status] = "building"
    by: Actor
    note: str | None = None


class CampaignRejected(StatusChanged):
    """A moderator refused the campaign, with a reason."""

    type: Literal["campaign.rejected"] = "campaign.rejected"
    becomes: ClassVar[Status] = "cancelled"
    by: Actor
    note: str


class CampaignBuilt(StatusChanged):
    """The recipient list is made; the campaign waits for its time."""

    type: Literal["campaign.built"] = "campaign.built"
    becomes: ClassVar[Status] = "pending"
    queued: int
    skipped: int
    segments: int


class CampaignStarted(StatusChanged):
    """Messages may go out now. Nobody in particular (`by` empty) when it was due.

    `until` is when the daily window closes, if there is one.
    """

    type: Literal["campaign.started"] = "campaign.started"
    becomes: ClassVar[Status] = "sending"
    by: Actor | None = None
    until: datetime | None = None


class CampaignPaused(StatusChanged):
    """Nothing new goes out; by a person, or by its daily window (`by` empty) `until` it opens."""

    type: Literal["campaign.paused"] = "campaign.paused"
    becomes: ClassVar[Status] = "paused"
    by: Actor | None = None
    until: datetime | None = None


class CampaignResumed(StatusChanged):
    """Messages may go out again, `until` the daily window closes, if there is one."""

    type: Literal["campaign.resumed"] = "campaign.resumed"
    becomes: ClassVar[Status] = "sending"
    by: Actor | None = None
    until: datetime | None = None


class CampaignStopped(StatusChanged):
    """A person ended the campaign for good."""

    type: Literal["campaign.stopped"] = "campaign.stopped"
    becomes: ClassVar[Status] = "cancelled"
    by: Actor


class CampaignCompleted(StatusChanged):
    """Every message has come to its end."""

    type: Literal["campaign.completed"] = "campaign.completed"
    becomes: ClassVar[Status] = "done"


class CampaignFailed(StatusChanged):
    """An error ended the campaign."""

    type: Literal["campaign.failed"] = "campaign.failed"
    becomes: ClassVar[Status] = "failed"
    reason: str


class CampaignExpired(StatusChanged):
    """`ends_at` passed with messages left."""

    type: Literal["campaign.expired"] = "campaign.expired"
    becomes: ClassVar[Status] = "expired"


class CampaignDeleted(CampaignEvent):
    """A campaign that nothing had come of is gone; its contacts are removed.

    An SMS campaign was `new`, a voice campaign a `draft` of its first run.
    """

    type: Literal["campaign.deleted"] = "campaign.deleted"
    was: Status | Literal["draft"]
    by: Actor


class CampaignArchived(CampaignEvent):
    """Somebody put the campaign away; its status stays what it is."""

    type: Literal["campaign.archived"] = "campaign.archived"
    by: Actor


class CampaignRestored(CampaignEvent):
    """Somebody took the campaign out of the archive."""

    type: Literal["campaign.restored"] = "campaign.restored"
    by: Actor


class SettingsChanged(Event):
    """An admin changed the workspace's settings; all of them are stated anew."""

    type: Literal["campaign.settings_changed"] = "campaign.settings_changed"
    settings: WorkspaceSettings
    by: Actor


type SmsCampaignEvent = (
    CampaignCreated
    | CampaignEdited
    | ContactsUploaded
    | CampaignApproved
    | CampaignRejected
    | CampaignBuilt
    | CampaignStarted
    | CampaignPaused
    | CampaignResumed
    | CampaignStopped
    | CampaignCompleted
    | CampaignFailed
    | CampaignExpired
    | CampaignDeleted
    | CampaignArchived
    | CampaignRestored
)
