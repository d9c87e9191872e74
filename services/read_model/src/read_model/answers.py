"""What the read model's answers look like, for `/openapi.json`."""

from datetime import datetime
from typing import Any, Literal

from campaign_events.answers import Answer, Items, Person, Recent


class Kpi(Answer):
    """The four tiles."""

    total: int
    active: int
    completed: int
    failed: int


class Pulse(Answer):
    """What moves right now; `delivered` within the last `interval_s` seconds."""

    in_flight: int
    delivered: int
    interval_s: int
    core: Literal["ok", "down"]
    as_of: datetime


class Delivery(Answer):
    """The messages of all active campaigns."""

    delivered: int
    in_flight: int
    errors: int
    state: Literal["ready", "loading"]


class VoiceFunnel(Answer):
    """Voice campaigns per status."""

    draft: int
    running: int
    paused: int
    completed: int
    failed: int


class Funnel(Answer):
    """SMS campaigns per status; `pending_moderation` of the new ones wait for a moderator."""

    new: int
    pending_moderation: int
    building: int
    pending: int
    sending: int
    paused: int
    done: int
    failed: int
    cancelled: int
    expired: int
    voice: VoiceFunnel


class Hour(Answer):
    """What happened within one hour."""

    hour: datetime
    sent: int
    failed: int


class TopAuthor(Answer):
    """How many campaigns somebody has created."""

    author: Person
    campaigns: int


class CoreApi(Answer):
    """Whether the core answers, and how fast."""

    status: Literal["ok", "down"]
    latency_ms: float | None


class ServiceSchema(Answer):
    """Which schema a service's database has, and which one the running version needs."""

    version: int | None
    expected: int
    ok: bool


class DbSchema(ServiceSchema):
    """The same of this service's own, `ok` if it is so for all; then each of them."""

    services: dict[str, ServiceSchema]


class AuditState(Answer):
    """How long audit records are kept, and what waits on disk."""

    retention_days: int
    fallback_bytes: int
    fallback_lines: int
    fallback: Literal["empty", "buffering"]


class ProjectionState(Answer):
    """How far a view is behind the log, and what it could not digest."""

    name: str
    position: str
    lag: int
    parked: int


class DiagnosedLink(Answer):
    """A carrier link."""

    id: str
    state: Literal["up", "down"]


class Diagnosed(Answer):
    """The state of the platform."""

    core_api: CoreApi
    db_schema: DbSchema
    audit: AuditState
    projections: list[ProjectionState]
    links: list[DiagnosedLink]
    nats: Literal["ok", "down"]
    mongo: Literal["ok", "down"]


class Overview(Answer):
    """All parts of the overview."""

    kpi: Kpi
    pulse: Pulse
    delivery: Delivery
    funnel: Funnel
    activity: Items[Hour]
    top_authors: Items[TopAuthor]
    recent: Items[Recent]
    diagnostics: Diagnosed


class Happening(Answer):
    """A fact of a campaign's life."""

    id: str
    at: datetime
    actor: Person | None
    action: str
    status: str | None
    details: dict[str, Any]


class Audited(Answer):
    """What a command was about."""

    type: str
    id: str | None


class AuditItem(Answer):
    """Who did what, when, before and after, and from where."""

    id: str
    at: datetime
    actor: Person
    action: str
    resource: Audited
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    outcome: Literal["done", "refused"]
    refusal: str | None
    count: int
    workspace: str


class ParkedItem(Answer):
    """An event that could not be digested, and how many of its thing wait behind it.

    `state` is `waiting` while its first event has not been tried since one before it was released.
    """

    id: str
    service: str
    reader: str
    kind: Literal["projection", "reaction"]
    state: Literal["failed", "waiting"]
    workspace: str
    thing: str
    stream: str
    seq: int
    position: str
    type: str
    waiting: int
    error: str
    tries: int
    first_at: datetime
    last_at: datetime


class ParkedOne(ParkedItem):
    """The same with the way to its error, innermost last."""

    trace: list[str]


class ParkedList(Items[ParkedItem]):
    """What is parked; `unanswered` are the services that do not say."""

    unanswered: list[str]


class Released(Answer):
    """How many events were dealt with, and what is parked now; `failed`: it has been tried."""

    done: int
    failed: bool
    left: ParkedItem | None


class Erased(Answer):
    """How much was erased, by what it was: contacts, suppressions, stored answers and more."""

    erased: dict[str, int]
