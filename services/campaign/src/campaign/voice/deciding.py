"""The lifecycle of a voice campaign (product: section 5), decided. No I/O, no clock."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import (
    AcceptContacts,
    AddContacts,
    Approve,
    Archive,
    BreakRun,
    CancelRestart,
    Complete,
    Create,
    Delete,
    Edit,
    Exclude,
    ExpireSending,
    Fail,
    FinishRun,
    KeepTime,
    MarkBuildFailed,
    MarkBuilt,
    Pause,
    Reject,
    Restart,
    Restore,
    Resume,
    StandingCommand,
    Start,
    Stop,
)
from campaign.excluding import exclude
from campaign.facts import CampaignFact
from campaign.voice.acting import act
from campaign.voice.following import follow
from campaign.voice.preparing import prepare
from campaign.voice.rules import flawed
from campaign.voice.state import VoiceCampaign
from campaign_events.decider import Refused
from campaign_events.voice import VoiceCampaignCreated, VoiceSettings


def create_voice(command: Create, settings: VoiceSettings) -> VoiceCampaignCreated:
    """Decide whether there can be such a campaign."""
    if reasons := flawed(settings):
        raise Refused(*reasons, code="invalid")
    return VoiceCampaignCreated(
        settings=settings, author=command.by, cloned_from=command.cloned_from
    )


def decide_voice(campaign: VoiceCampaign, command: StandingCommand) -> Sequence[CampaignFact]:
    """Return what follows from the command; moderators, messages and the clock move nothing."""
    match command:
        case Edit() | AcceptContacts() | AddContacts() | Delete():
            return prepare(campaign, command)
        case Exclude():
            return exclude(command, campaign.audience, campaign.excluded)
        case (
            Start()
            | Pause()
            | Resume()
            | Stop()
            | Restart()
            | CancelRestart()
            | Archive()
            | Restore()
        ):
            return act(campaign, command)
        case FinishRun() | BreakRun():
            return follow(campaign, command)
        case (
            Approve()
            | Reject()
            | MarkBuilt()
            | MarkBuildFailed()
            | Complete()
            | ExpireSending()
            | Fail()
            | KeepTime()
        ):
            return []
        case _:
            assert_never(command)
