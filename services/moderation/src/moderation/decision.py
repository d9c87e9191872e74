"""A moderator's decision about a campaign. No I/O, no clock.

Campaign and decisions share one history, so a decision is made about exactly what the moderator's
answer was given for: a change in between, or another moderator, is a conflict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignEvent,
    ContactsUploaded,
    Status,
    StatusChanged,
)
from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Actor, Event
from campaign_events.moderation import ModerationApproved, ModerationEvent, ModerationRejected
from moderation.sender import Sender

type Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Approve:
    """Let the campaign go. `sender` is the one with the id `sender_id`, as it stands now."""

    by: Actor
    note: str | None
    sender_id: str
    sender: Sender | None
    self_approval: bool = False
    """Whether the workspace lets people approve what they created themselves."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the campaign, and say why."""

    by: Actor
    note: str


type ModerationCommand = Approve | Reject


@dataclass(frozen=True, slots=True)
class Candidate:
    """What deciding needs to know of a campaign. `review` is 1 while it is ready for a decision."""

    author: Actor
    sender_id: str
    status: Status = "new"
    has_contacts: bool = False
    review: int = 0
    verdict: Verdict | None = None


type State = Candidate | None


def decide(state: State, command: ModerationCommand) -> Sequence[ModerationEvent]:
    """Return the decision.

    Raises:
        Refused: `not_found`, `illegal_transition`, `conflict` or `refused`.

    """
    if state is None:
        raise Refused("there is no such campaign", code="not_found")
    if state.verdict is not None:
        raise Refused(f"a moderator has {state.verdict} it already", code="illegal_transition")
    if state.status != "new":
        raise Refused(f"the campaign is {state.status}", code="illegal_transition")
    match command:
        case Approve():
            if reasons := _against(state, command):
                raise Refused(*reasons)
            return [ModerationApproved(by=command.by, note=command.note)]
        case Reject():
            return [ModerationRejected(by=command.by, note=command.note)]
        case _:
            assert_never(command)


def _against(state: Candidate, command: Approve) -> Sequence[str]:
    """Return everything that speaks against an approval."""
    if command.sender_id != state.sender_id:
        raise Refused("the campaign's sender has just been changed", code="conflict")
    reasons: list[str] = []
    if state.review < 1 and state.has_contacts:
        reasons.append("the campaign lacks a time that its mode needs")
    elif state.review < 1:
        reasons.append("the campaign has no contacts yet")
    if state.author.id == command.by.id and not command.self_approval:
        reasons.append("nobody approves a campaign that they created themselves")
    if command.sender is None:
        reasons.append("the campaign's sender does not exist")
    elif command.sender.unusable is not None:
        reasons.append(command.sender.unusable)
    return reasons


def evolve(state: State, event: Event) -> State:  # noqa: PLR0911 - one return per kind of fact
    """Return the state after an event; facts about anything else change nothing."""
    match event:
        case CampaignCreated(author=author, settings=settings, review=review):
            return Candidate(author, settings.sender_id, review=review)
        case CampaignDeleted():
            return None
        case _ if state is None:
            return None
        case CampaignEvent(review=review):
            return _changed(replace(state, review=state.review + review), event)
        case ModerationApproved():
            return replace(state, verdict="approved")
        case ModerationRejected():
            return replace(state, verdict="rejected")
        case _:
            return state


def _changed(state: Candidate, event: CampaignEvent) -> Candidate:
    match event:
        case CampaignEdited(settings=settings):
            return replace(state, sender_id=settings.sender_id)
        case ContactsUploaded(accepted=accepted):
            return replace(state, has_contacts=accepted > 0)
        case StatusChanged():
            return replace(state, status=event.becomes)
        case _:
            return state


DECISION: Decider[ModerationCommand, Event, State] = Decider(None, decide, evolve)
