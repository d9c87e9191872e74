"""What follows for a voice campaign from what the dialler found."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import BreakRun, FinishRun
from campaign.voice.state import VoiceCampaign
from campaign_events.voice import VOICE_ACTIVE, ContactsLeft, DiallingCompleted, DiallingFailed

type FindingFact = DiallingCompleted | DiallingFailed | ContactsLeft


def follow(campaign: VoiceCampaign, command: FinishRun | BreakRun) -> Sequence[FindingFact]:
    """Decide what a finding leads to; it may come twice, or too late to matter."""
    is_current = command.run == campaign.run and campaign.status in VOICE_ACTIVE
    match command:
        case FinishRun() if is_current and campaign.settings.always_on:
            return []
        case FinishRun() if is_current:
            return [DiallingCompleted(was=campaign.status), _left(command)]
        case FinishRun() if _is_last_over(campaign, command.run) and campaign.left != command.left:
            return [_left(command)]
        case BreakRun() if is_current:
            return [DiallingFailed(was=campaign.status, reason=command.reason)]
        case FinishRun() | BreakRun():
            return []
        case _:
            assert_never(command)


def _left(command: FinishRun) -> ContactsLeft:
    return ContactsLeft(run=command.run, left=command.left)


def _is_last_over(campaign: VoiceCampaign, run: int) -> bool:
    """Tell whether this is the last run that is over: its live calls may have ended later."""
    if campaign.status in VOICE_ACTIVE:
        return False
    return run == (campaign.run - 1 if campaign.status == "draft" else campaign.run)
