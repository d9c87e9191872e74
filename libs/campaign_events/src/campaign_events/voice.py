"""What can happen to a voice campaign (product: section 5). The campaign service says these.

Archive, restore, upload and deletion are the facts of `campaign_events.campaign`: they are the same
for both channels.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from campaign_events.campaign import CampaignEvent
from campaign_events.envelope import Actor, Id, Value

VoiceStatus = Literal["draft", "running", "paused", "completed", "failed"]
VOICE_ACTIVE: frozenset[VoiceStatus] = frozenset(("running", "paused"))
VOICE_FINAL: frozenset[VoiceStatus] = frozenset(("completed", "failed"))
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SystemOutcome = Literal["no_answer", "rejected", "busy", "error", "timeout"]


class Abandon(Value):
    """How many of the people who answer may find no seat free.

    `limit` is a share of those answered by a person, `window` over what it is taken, and
    `max_wait_s` how long somebody may wait before the call counts as abandoned.
    """

    limit: float = 0.03
    window: Literal["campaign", "24h", "30d"] = "campaign"
    max_wait_s: float = 2


class ContactCap(Value):
    """At most `calls` attempts to one contact within any `hours` hours."""

    calls: int
    hours: float


class TimeWindow(Value):
    """On which days and between which local times (HH:MM) calls may be placed."""

    start: str = "09:00"
    end: str = "18:00"
    timezone: str = "UTC"
    days: tuple[Day, ...] = DAYS


class RedialRules(Value):
    """Which outcomes are tried again, how often and after how long.

    `retry_on_custom` names dispositions that the destination gives.
    """

    max_attempts: int = 3
    retry_delay_minutes: float = 30
    retry_on_system: tuple[SystemOutcome, ...] = (
        "no_answer",
        "rejected",
        "busy",
        "error",
        "timeout",
    )
    retry_on_custom: tuple[str, ...] = ()


class CallbackDetection(Value):
    """Whether a contact's wish to be called again at some time is followed."""

    enabled: bool = False


class Amd(Value):
    """What is done about answering machines; `total_analysis_ms` bounds the detection."""

    enabled: bool = False
    total_analysis_ms: int = 5000
    action_on_machine: Literal["teardown", "continue"] = "teardown"
    action_on_unknown: Literal["continue", "teardown"] = "continue"


class VoiceSettings(Value):
    """Everything that an author chooses for a voice campaign.

    `destination` is where an answered call is attached, as `<telephony id>:<target>`;
    `concurrency_limit` is the number of seats, `cps_limit` bounds dials per second.
    """

    name: str
    destination: str
    caller_ids: tuple[str, ...] = ()
    concurrency_limit: int = 50
    cps_limit: float = 10
    pacing: Literal["progressive", "predictive"] = "predictive"
    abandon: Abandon = Abandon()
    dial_timeout_s: float = 25
    contact_caps: tuple[ContactCap, ...] = ()
    campaign_mode: Literal["single_day", "continuous"] = "single_day"
    time_window: TimeWindow = TimeWindow()
    respect_contact_timezone: bool = False
    redial_rules: RedialRules = RedialRules()
    callback_detection: CallbackDetection = CallbackDetection()
    amd: Amd = Amd()
    always_on: bool = False
    default_region: str | None = None


class VoiceStatusChanged(CampaignEvent):
    """A fact that moves the campaign from the status `was` to the status `becomes`."""

    becomes: ClassVar[VoiceStatus]
    was: VoiceStatus


class VoiceCampaignCreated(CampaignEvent):
    """An author made a voice campaign; it starts as a `draft`, in its first run."""

    type: Literal["campaign.voice_created"] = "campaign.voice_created"
    channel: Literal["voice"] = "voice"
    settings: VoiceSettings
    author: Actor
    cloned_from: Id | None = None


class VoiceCampaignEdited(CampaignEvent):
    """Somebody changed settings; all of them are stated anew."""

    type: Literal["campaign.voice_edited"] = "campaign.voice_edited"
    settings: VoiceSettings
    by: Actor


class ContactsAdded(CampaignEvent):
    """Contacts `first` to `last` of the audience joined a campaign that is under way."""

    type: Literal["campaign.contacts_added"] = "campaign.contacts_added"
    audience: Id
    first: int
    last: int
    by: Actor


class ContactsExcluded(CampaignEvent):
    """These contacts must not be called, or written to, any more in this campaign.

    Each is named once in a campaign's life; `excluded` counts them all, with these.
    """

    type: Literal["campaign.contacts_excluded"] = "campaign.contacts_excluded"
    numbers: Annotated[tuple[int, ...], Field(max_length=500)]
    excluded: int = 0
    by: Actor


class DiallingStarted(VoiceStatusChanged):
    """The dialler may take calls; `run` tells which run this is, from 1."""

    type: Literal["campaign.dialling_started"] = "campaign.dialling_started"
    becomes: ClassVar[VoiceStatus] = "running"
    run: int
    by: Actor


class DiallingPaused(VoiceStatusChanged):
    """No new calls; live ones may finish."""

    type: Literal["campaign.dialling_paused"] = "campaign.dialling_paused"
    becomes: ClassVar[VoiceStatus] = "paused"
    by: Actor


class DiallingResumed(VoiceStatusChanged):
    """The dialler may take calls again."""

    type: Literal["campaign.dialling_resumed"] = "campaign.dialling_resumed"
    becomes: ClassVar[VoiceStatus] = "running"
    by: Actor


class DiallingStopped(VoiceStatusChanged):
    """A person ended the run: waiting calls and callbacks are stopped, live ones finish."""

    type: Literal["campaign.dialling_stopped"] = "campaign.dialling_stopped"
    becomes: ClassVar[VoiceStatus] = "completed"
    by: Actor


class DiallingCompleted(VoiceStatusChanged):
    """Every call of the run is final."""

    type: Literal["campaign.dialling_completed"] = "campaign.dialling_completed"
    becomes: ClassVar[VoiceStatus] = "completed"


class DiallingFailed(VoiceStatusChanged):
    """An error ended the run."""

    type: Literal["campaign.dialling_failed"] = "campaign.dialling_failed"
    becomes: ClassVar[VoiceStatus] = "failed"
    reason: str


class ContactsLeft(CampaignEvent):
    """The last call of a run that is over has ended: `left` contacts may be called in another."""

    type: Literal["campaign.contacts_left"] = "campaign.contacts_left"
    run: int
    left: int


class CampaignRestarted(VoiceStatusChanged):
    """Somebody prepared run `run`: a draft with every contact that is not completed."""

    type: Literal["campaign.restarted"] = "campaign.restarted"
    becomes: ClassVar[VoiceStatus] = "draft"
    run: int
    by: Actor


class RestartCancelled(CampaignEvent):
    """A prepared run was given up: run `run` stands again, in the status `becomes`."""

    type: Literal["campaign.restart_cancelled"] = "campaign.restart_cancelled"
    was: Literal["draft"] = "draft"
    becomes: VoiceStatus
    run: int
    by: Actor


type VoiceCampaignEvent = (
    VoiceCampaignCreated
    | VoiceCampaignEdited
    | ContactsAdded
    | ContactsExcluded
    | DiallingStarted
    | DiallingPaused
    | DiallingResumed
    | DiallingStopped
    | DiallingCompleted
    | DiallingFailed
    | ContactsLeft
    | CampaignRestarted
    | RestartCancelled
)
