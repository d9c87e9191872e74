"""What the dispatcher's answers look like, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from campaign_events.answers import Answer
from campaign_events.message import MessageStatus


class Link(Answer):
    """A carrier link and how it is; what it says of its sessions is there while it is owned."""

    id: str
    name: str
    segments_per_second: float
    state: Literal["up", "down"]


class Message(Answer):
    """One message; `phone` is masked for viewers, and null when its person was erased."""

    number: int
    phone: str | None
    status: MessageStatus
    reason: str | None
    segments: int
    parts: int
    carrier_ids: list[str]
    submitted_at: datetime | None
    reported_at: datetime | None


class Offending(Answer):
    """A character that no GSM-7 text can hold, and where it is."""

    character: str
    index: int


class Previewed(Answer):
    """What a text would look like, and what it would cost."""

    encoding: Literal["gsm7", "ucs2"]
    length: int
    segments: int
    offending: list[Offending]
    rendered: str
    missing: list[str]


class Pushed(Answer):
    """A message that was taken."""

    number: int
    status: MessageStatus
    reason: str | None


class Suppression(Answer):
    """An entry of the opt-out list; `phone` is masked for viewers."""

    id: str
    phone: str | None
    reason: str | None
    source: str
    created_at: datetime
