"""What moderators decide about campaigns. The moderation service says these."""

from typing import Literal

from campaign_events.envelope import Actor, Event


class ModerationApproved(Event):
    """A moderator approved the campaign; the campaign follows with `campaign.approved`."""

    type: Literal["moderation.approved"] = "moderation.approved"
    by: Actor
    note: str | None = None


class ModerationRejected(Event):
    """A moderator rejected the campaign; a rejection always says why."""

    type: Literal["moderation.rejected"] = "moderation.rejected"
    by: Actor
    note: str


type ModerationEvent = ModerationApproved | ModerationRejected
