"""What moderation's answers look like, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from campaign_events.answers import Answer, Person
from campaign_events.campaign import Mode


class UsedSender(Answer):
    """The sender of a campaign, as far as it is known."""

    id: str
    name: str | None
    saddr: str | None


class Waiting(Answer):
    """A campaign that waits for a decision; `segments` is an estimate."""

    id: str
    name: str
    workspace: str
    mode: Mode
    sender: UsedSender
    starts_at: datetime | None
    created_at: datetime
    author: Person
    recipients: int
    segments: int
    text: str
    sample: str | None


class Decided(Answer):
    """What was decided about a campaign."""

    id: str
    decision: Literal["approved", "rejected"] | None
    by: Person
    note: str | None


class _Wording(Answer):
    number: int
    saddr: str
    ston: int
    snpi: int
    dton: int
    dnpi: int
    reason: str | None


class ShownRevision(_Wording):
    """A revision of a sender, and what was decided about it."""

    status: Literal["draft", "pending_approval", "approved", "rejected"]
    submitted_by: Person
    note: str | None


class ShownSender(Answer):
    """A sender with all its revisions; the last approved one is current."""

    id: str
    name: str
    status: Literal["draft", "pending_approval", "approved", "rejected", "archived"]
    current_revision: int | None
    revisions: list[ShownRevision]


class WaitingRevision(_Wording):
    """A revision that waits for a moderator."""

    id: str
    name: str
    workspace: str
    submitted_by: Person
    submitted_at: datetime
