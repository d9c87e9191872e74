"""The lifecycle of a campaign, decided: SMS here (product: section 3.1), voice in `voice`.

No I/O, no clock. A moderator's decision and an SMS campaign share one history: from the decision
on, text, sender and audience are locked, although the campaign follows into `building` or
`cancelled` a moment later.
"""

from collections.abc import Sequence
from typing import assert_never

from campaign.acting import act, keep_time
from campaign.commands import (
    AcceptContacts,
    AddContacts,
    Approve,
    Archive,
    BreakRun,
    CampaignCommand,
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
from campaign.facts import CampaignFact, Fact
from campaign.following import follow
from campaign.preparing import create_sms, prepare
from campaign.state import Absent, Campaign, State, evolve
from campaign.voice.deciding import create_voice, decide_voice
from campaign.voice.state import VoiceCampaign
from campaign_events.campaign import SmsSettings
from campaign_events.decider import Decider, Refused
from campaign_events.voice import VoiceSettings


def decide(state: State, command: CampaignCommand) -> Sequence[Fact]:
    """Return what follows from the command; `review` is filled in from what the event changes.

    Raises:
        Refused: `illegal_transition`, `invalid` (settings), `not_found`, `conflict` or `refused`.

    """
    events: list[Fact] = []
    for event in _follows(state, command):
        after = evolve(state, event)
        change = _awaits_review(after) - _awaits_review(state)
        events.append(event.model_copy(update={"review": change}) if change else event)
        state = after
    return events


def _follows(state: State, command: CampaignCommand) -> Sequence[CampaignFact]:
    if isinstance(command, Create):
        return [_create(state, command)]
    match state:
        case Absent():
            raise Refused("there is no such campaign", code="not_found")
        case VoiceCampaign():
            return decide_voice(state, command)
        case Campaign():
            return _decide_sms(state, command)
        case _:
            assert_never(state)


def _create(state: State, command: Create) -> CampaignFact:
    if not isinstance(state, Absent):
        raise Refused("there is a campaign with this id already", code="conflict")
    match command.settings:
        case SmsSettings() as settings:
            return create_sms(command, settings)
        case VoiceSettings() as settings:
            return create_voice(command, settings)
        case _:
            assert_never(command.settings)


def _decide_sms(state: Campaign, command: StandingCommand) -> Sequence[CampaignFact]:
    match command:
        case Edit() | AcceptContacts() | Exclude() | Delete():
            return prepare(state, command)
        case (
            Approve()
            | Reject()
            | MarkBuilt()
            | MarkBuildFailed()
            | Complete()
            | ExpireSending()
            | Fail()
        ):
            return follow(state, command)
        case Start() | Pause() | Resume() | Stop() | Archive() | Restore():
            return act(state, command)
        case KeepTime():
            return keep_time(state, command)
        case Restart() | CancelRestart() | AddContacts():
            raise Refused("only a voice campaign can do this", code="illegal_transition")
        case FinishRun() | BreakRun():
            return []
        case _:
            assert_never(command)


def _awaits_review(state: State) -> int:
    return int(isinstance(state, Campaign) and state.awaits_review)


campaign_decider: Decider[CampaignCommand, Fact, State] = Decider(Absent(), decide, evolve)
