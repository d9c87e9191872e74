"""What follows for a campaign from what moderators and the dispatcher found."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import (
    Approve,
    Complete,
    ExpireSending,
    Fail,
    Finding,
    MarkBuildFailed,
    MarkBuilt,
    Reject,
)
from campaign.state import Campaign
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCompleted,
    CampaignExpired,
    CampaignFailed,
    CampaignRejected,
    SmsCampaignEvent,
    Status,
)

NOBODY_LEFT = "nobody left to send to"
FALLIBLE: frozenset[Status] = frozenset(("building", "pending", "sending", "paused"))
UNDER_WAY: frozenset[Status] = frozenset(("sending", "paused"))


def follow(  # noqa: PLR0911 - one return per move
    campaign: Campaign, command: Finding
) -> Sequence[SmsCampaignEvent]:
    """Decide what a finding leads to; it may come twice, or too late to matter."""
    was = campaign.status
    match command:
        case Approve() if was == "new":
            return [CampaignApproved(was=was, by=command.by, note=command.note)]
        case Reject() if was == "new":
            return [CampaignRejected(was=was, by=command.by, note=command.note)]
        case MarkBuilt() if was == "building":
            return [_built(campaign, command)]
        case MarkBuildFailed() if was == "building":
            return [CampaignFailed(was=was, reason=command.reason)]
        case Complete() if was in UNDER_WAY:
            return [CampaignCompleted(was=was)]
        case ExpireSending() if was in UNDER_WAY and command.left:
            return [CampaignExpired(was=was)]
        case Fail() if was in FALLIBLE:
            return [CampaignFailed(was=was, reason=command.reason)]
        case (
            Approve()
            | Reject()
            | MarkBuilt()
            | MarkBuildFailed()
            | Complete()
            | ExpireSending()
            | Fail()
        ):
            return []
        case _:
            assert_never(command)


def _built(campaign: Campaign, command: MarkBuilt) -> SmsCampaignEvent:
    """Contacts of a triggered campaign come later; any other one without them has failed."""
    if not command.queued and campaign.settings.mode != "trigger":
        return CampaignFailed(was=campaign.status, reason=NOBODY_LEFT)
    return CampaignBuilt(
        was=campaign.status,
        queued=command.queued,
        skipped=command.skipped,
        segments=command.segments,
    )
