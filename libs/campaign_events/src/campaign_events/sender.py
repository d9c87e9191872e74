"""What can happen to a sender: the name or number that an SMS comes from."""

from typing import Literal

from campaign_events.envelope import Actor, Event, Value


class Revision(Value):
    """One wording of a sender: address, and its types and plans (SMPP 3.4, 5.2.5 and 5.2.6)."""

    number: int
    saddr: str
    ston: int
    snpi: int
    dton: int = 1
    dnpi: int = 1
    reason: str | None = None


class SenderCreated(Event):
    """A sender was named; its first revision is submitted in the same decision."""

    type: Literal["sender.created"] = "sender.created"
    name: str
    by: Actor


class RevisionSubmitted(Event):
    """A revision waits for a moderator."""

    type: Literal["sender.revision_submitted"] = "sender.revision_submitted"
    revision: Revision
    by: Actor


class RevisionApproved(Event):
    """A revision is the current one from now on."""

    type: Literal["sender.revision_approved"] = "sender.revision_approved"
    number: int
    by: Actor
    note: str | None = None


class RevisionRejected(Event):
    """A revision was refused, with a reason."""

    type: Literal["sender.revision_rejected"] = "sender.revision_rejected"
    number: int
    by: Actor
    note: str


class SenderArchived(Event):
    """The sender can be used no more."""

    type: Literal["sender.archived"] = "sender.archived"
    by: Actor


type SenderEvent = (
    SenderCreated | RevisionSubmitted | RevisionApproved | RevisionRejected | SenderArchived
)
