"""The lifecycle of an SMS campaign (product: section 3.1), decided. No I/O, no clock.

A moderator's decision and the campaign share one history: from the decision on, text, sender and
audience are locked, although the campaign follows into `building` or `cancelled` a moment later.
"""

from collections.abc import Sequence
from typing import assert_never

from campaign.acting import act, keep_time
from campaign.commands import (
    AcceptContacts,
    Approve,
    Archive,
    CampaignCommand,
    Complete,
    Create,
    Delete,
    Edit,
    ExpireSending,
    Fail,
    KeepTime,
    MarkBuildFailed,
    MarkBuilt,
    Pause,
    Reject,
    Restore,
    Resume,
    Start,
    Stop,
)
from campaign.following import follow
from campaign.preparing import create, prepare
from campaign.state import Absent, Campaign, Fact, State, evolve
from campaign_events.campaign import SmsCampaignEvent
from campaign_events.decider import Decider, Refused


def decide(state: State, command: CampaignCommand) -> Sequence[Fact]:
    """Return what follows from the command; `review` is filled in from what the event changes.

    Raises:
        Refused: `illegal_transition`, `invalid` (settings), `not_found` or `refused`.

    """
    return [_reviewed(state, event) for event in _follows(state, command)]


def _follows(state: State, command: CampaignCommand) -> Sequence[SmsCampaignEvent]:
    if isinstance(command, Create):
        return create(state, command)
    if isinstance(state, Absent):
        raise Refused("there is no such campaign", code="not_found")
    match command:
        case Edit() | AcceptContacts() | Delete():
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
        case _:
            assert_never(command)


def _reviewed(state: State, event: SmsCampaignEvent) -> SmsCampaignEvent:
    change = _awaits_review(evolve(state, event)) - _awaits_review(state)
    return event.model_copy(update={"review": change}) if change else event


def _awaits_review(state: State) -> int:
    return int(isinstance(state, Campaign) and state.awaits_review)


campaign_decider: Decider[CampaignCommand, Fact, State] = Decider(Absent(), decide, evolve)
