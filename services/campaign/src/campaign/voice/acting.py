"""What a person wishes of a voice campaign: the table of actions by status."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import (
    Action,
    Archive,
    CancelRestart,
    Pause,
    Restart,
    Restore,
    Resume,
    Start,
    Stop,
)
from campaign.voice.rules import unable, unready
from campaign.voice.state import VoiceCampaign
from campaign_events.campaign import CampaignArchived, CampaignRestored
from campaign_events.decider import Refused
from campaign_events.voice import (
    VOICE_ACTIVE,
    VOICE_FINAL,
    CampaignRestarted,
    DiallingPaused,
    DiallingResumed,
    DiallingStarted,
    DiallingStopped,
    RestartCancelled,
    VoiceStatus,
)

type VoiceAction = Action | Restart | CancelRestart
type ActionFact = (
    DiallingStarted
    | DiallingPaused
    | DiallingResumed
    | DiallingStopped
    | CampaignRestarted
    | RestartCancelled
    | CampaignArchived
    | CampaignRestored
)


def act(campaign: VoiceCampaign, command: VoiceAction) -> Sequence[ActionFact]:
    """Decide what a person wishes: what is already so is a mistake, and said."""
    was = campaign.status
    match command:
        case Start():
            must_be(campaign, ("draft",), "started")
            _must_be_free_of(unready(campaign))
            return [DiallingStarted(was=was, run=campaign.run, by=command.by)]
        case Pause():
            must_be(campaign, ("running",), "paused")
            return [DiallingPaused(was=was, by=command.by)]
        case Resume():
            must_be(campaign, ("paused",), "resumed")
            _must_be_free_of(unable(campaign.settings))
            return [DiallingResumed(was=was, by=command.by)]
        case Stop():
            must_be(campaign, VOICE_ACTIVE, "stopped")
            return [DiallingStopped(was=was, by=command.by)]
        case Restart() | CancelRestart():
            return [_again(campaign, command)]
        case Archive() | Restore():
            return [_put(campaign, command)]
        case _:
            assert_never(command)


def must_be(
    campaign: VoiceCampaign, statuses: Sequence[VoiceStatus] | frozenset[VoiceStatus], action: str
) -> None:
    """Refuse what this status does not allow."""
    if campaign.status not in statuses:
        raise illegal(f"a voice campaign that is {campaign.status} can not be {action}")


def illegal(reason: str) -> Refused:
    """Return the refusal of what the table does not hold."""
    return Refused(reason, code="illegal_transition")


def _must_be_free_of(reasons: Sequence[str]) -> None:
    if reasons:
        raise Refused(*reasons)


def _again(
    campaign: VoiceCampaign, command: Restart | CancelRestart
) -> CampaignRestarted | RestartCancelled:
    match command:
        case Restart():
            must_be(campaign, VOICE_FINAL, "restarted")
            if campaign.archived:
                raise illegal("this campaign is in the archive: restore it before a restart")
            run = campaign.run + 1
            return CampaignRestarted(was=campaign.status, run=run, by=command.by)
        case CancelRestart():
            must_be(campaign, ("draft",), "taken back to its previous run")
            if campaign.run == 1:
                raise illegal("this campaign is in its first run: no restart is prepared")
            run, becomes = campaign.run - 1, campaign.prior
            return RestartCancelled(becomes=becomes, run=run, by=command.by)
        case _:
            assert_never(command)


def _put(
    campaign: VoiceCampaign, command: Archive | Restore
) -> CampaignArchived | CampaignRestored:
    match command:
        case Archive():
            must_be(campaign, VOICE_FINAL, "archived")
            if campaign.archived:
                raise illegal("this campaign is in the archive already")
            return CampaignArchived(by=command.by)
        case Restore():
            if not campaign.archived:
                raise illegal("this campaign is not in the archive")
            return CampaignRestored(by=command.by)
        case _:
            assert_never(command)
