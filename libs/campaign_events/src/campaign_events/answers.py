"""What answers look like, for `/openapi.json`: whoever reads one may rely on every field here.

They describe; what is sent is made by `presentation` and by each service. New fields may come.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from campaign_events.campaign import Mode, SmsSettings, Status
from campaign_events.voice import VoiceSettings, VoiceStatus

type Answers = dict[int | str, dict[str, Any]]
type Action = Literal[
    "edit",
    "clone",
    "start",
    "pause",
    "resume",
    "stop",
    "restart",
    "cancel-restart",
    "delete",
    "archive",
    "restore",
]


def answers(model: object, status: int = 200) -> Answers:
    """Return what a route says about its answer: `responses=answers(Campaign)`."""
    return {status: {"model": model}}


class Answer(BaseModel):
    """A part of an answer."""


class Items[T](Answer):
    """One page of a list; `next_cursor` asks for the next one."""

    items: list[T]
    next_cursor: str | None


class Person(Answer):
    """Somebody by their token's `sub` and `name`."""

    id: str
    name: str


class Restarted(Answer):
    """By whom and when the current run was prepared."""

    by: Person
    at: datetime


class SmsStats(Answer):
    """Messages by status; `total` is the sum of all."""

    total: int
    queued: int
    submitting: int
    submitted: int
    delivered: int
    failed: int
    skipped: int
    segments: int


class VoiceStats(Answer):
    """The numbers of one run; rates are 0 to 1, null without a denominator."""

    total_calls: int
    pending: int
    completed: int
    failed: int
    abandoned: int
    window_closed: int
    manual_stopped: int
    machine_detected_count: int
    callback_pending: int
    retry_pending: int
    live: int
    connected: int
    attempts: int
    answered_attempts: int
    attempt_answer_rate: float | None
    connect_rate: float | None
    completion_rate: float | None


class Progress(Answer):
    """How far a campaign is; percents are 0 to 100, `connected` is null for SMS."""

    processed_count: int
    processed_percent: float
    success_percent: float
    connected: int | None
    base_dialling_completed: bool
    worth_polling: bool


class _Head(Answer):
    """What a campaign of either channel has in every answer."""

    id: str
    short_id: str
    name: str
    run_number: int
    starts_at: datetime | None
    ends_at: datetime | None
    restarted: Restarted | None
    author: Person
    created_at: datetime
    archived: bool


class _Actions(Answer):
    """What the caller may do with the campaign now."""

    actions: list[Action]


class _SmsHead(_Head):
    channel: Literal["sms"]
    status: Status
    mode: Mode


class _VoiceHead(_Head):
    channel: Literal["voice"]
    status: VoiceStatus
    mode: Literal["single_day", "continuous"]


class SmsRecent(_SmsHead):
    """A campaign as everybody sees it: what the caller may do with it is not told."""

    stats: SmsStats
    progress: Progress


class VoiceRecent(_VoiceHead):
    """A campaign as everybody sees it: what the caller may do with it is not told."""

    stats: VoiceStats
    progress: Progress


class SmsRow(SmsRecent, _Actions):
    """A row of the campaign list."""


class VoiceRow(VoiceRecent, _Actions):
    """A row of the campaign list."""


class UploadCounts(Answer):
    """What became of the rows of a file; the four are disjoint."""

    accepted: int
    invalid: int
    duplicate: int
    suppressed: int


class BadRow(Answer):
    """A row without a usable number; `line` is the line in the file, from 1."""

    line: int
    reason: str


class UploadReport(UploadCounts):
    """The counts, and the first rows that could not be used."""

    bad_rows: list[BadRow]


class _Detail(Answer):
    workspace: str
    contacts: UploadCounts | None
    reason: str | None


class SmsCampaign(SmsSettings, SmsRow, _Detail):
    """An SMS campaign with every setting."""

    mode: Mode
    paused_until: datetime | None


class Live(Answer):
    """How the dialling goes just now."""

    ringing: int
    in_progress: int
    dials_per_s: float
    connected_per_h: float
    avg_ring_s: float | None
    last_dial_at: datetime | None
    pending: int
    retries_queued: int
    eta_s: int | None
    state: Literal["live", "idle", "outside_window"]


class VoiceCampaign(VoiceSettings, VoiceRow, _Detail):
    """A voice campaign with every setting, and the numbers of one run."""

    excluded: int
    run: int
    live: Live | None


class SmsWritten(_SmsHead, _Actions):
    """An SMS campaign as a command left it."""


class VoiceWritten(_VoiceHead, _Actions):
    """A voice campaign as a command left it."""


type Recent = Annotated[SmsRecent | VoiceRecent, Field(discriminator="channel")]
type Row = Annotated[SmsRow | VoiceRow, Field(discriminator="channel")]
type Campaign = Annotated[SmsCampaign | VoiceCampaign, Field(discriminator="channel")]
type Written = Annotated[SmsWritten | VoiceWritten, Field(discriminator="channel")]
