"""The lifecycle of an SMS campaign (product: section 3.1), decided. No I/O, no clock.

A moderator's decision and the campaign share one history: from the decision on, text, sender and
audience are locked, although the campaign follows into `building` or `cancelled` a moment later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from campaign.commands import (
    AcceptContacts,
    Approve,
    CampaignCommand,
    Complete,
    Create,
    Delete,
    Edit,
    ExpireWaiting,
    Fail,
    MarkBuildFailed,
    MarkBuilt,
    Pause,
    Reject,
    Resume,
    Start,
    StartDue,
    Stop,
)
from campaign.rules import broken
from campaign_events.campaign import (
    FINAL,
    CampaignApproved,
    CampaignArchived,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignExpired,
    CampaignFailed,
    CampaignPaused,
    CampaignRejected,
    CampaignRestored,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    ContactsUploaded,
    SmsCampaignEvent,
    SmsSettings,
    Status,
)
from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Unknown
from campaign_events.moderation import ModerationApproved, ModerationEvent, ModerationRejected
from campaign_events.sender import (
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
    SenderEvent,
)

NOBODY_LEFT = "nobody left to send to"

type Fact = SmsCampaignEvent | ModerationEvent | SenderEvent | Unknown
"""What a history may hold. A sender's id names no campaign; its facts change nothing here."""


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no campaign: not yet, or not any more."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What deciding needs to know. `decided`: a moderator has spoken."""

    status: Status
    settings: SmsSettings
    audience: str | None = None
    accepted: int = 0
    decided: bool = False

    @property
    def awaits_review(self) -> bool:
        """Tell whether it is `new` and ready for a moderator."""
        return self.status == "new" and (self.accepted > 0 or self.settings.mode == "trigger")


type State = Absent | Campaign


def decide(state: State, command: CampaignCommand) -> Sequence[Fact]:
    """Return what follows from the command; `review` is filled in from what the event changes.

    Raises:
        Refused: `illegal_transition`, `invalid` (settings), `not_found` or `refused`.

    """
    return [_reviewed(state, event) for event in _follows(state, command)]


def evolve(state: State, event: Fact) -> State:  # noqa: PLR0911 - one return per kind of fact
    """Return the state after an event; takes anything that a history may hold."""
    match event:
        case CampaignCreated():
            return Campaign("new", event.settings)
        case CampaignDeleted():
            return Absent()
        case _ if isinstance(state, Absent):
            return state
        case CampaignEdited():
            return replace(state, settings=event.settings)
        case ContactsUploaded():
            return replace(state, audience=event.audience, accepted=event.accepted)
        case ModerationApproved() | ModerationRejected():
            return replace(state, decided=True)
        case (
            CampaignApproved()
            | CampaignRejected()
            | CampaignBuilt()
            | CampaignStarted()
            | CampaignPaused()
            | CampaignResumed()
            | CampaignStopped()
            | CampaignCompleted()
            | CampaignFailed()
            | CampaignExpired()
        ):
            return replace(state, status=event.becomes)
        case (
            CampaignArchived()
            | CampaignRestored()
            | SenderCreated()
            | RevisionSubmitted()
            | RevisionApproved()
            | RevisionRejected()
            | SenderArchived()
            | Unknown()
        ):
            return state
        case _:
            assert_never(event)


def _reviewed(state: State, event: SmsCampaignEvent) -> SmsCampaignEvent:
    change = _awaits_review(evolve(state, event)) - _awaits_review(state)
    return event.model_copy(update={"review": change}) if change else event


def _awaits_review(state: State) -> int:
    return int(isinstance(state, Campaign) and state.awaits_review)


def _follows(state: State, command: CampaignCommand) -> Sequence[SmsCampaignEvent]:
    if isinstance(command, Create):
        return _create(state, command)
    if isinstance(state, Absent):
        raise Refused("there is no such campaign", code="not_found")
    match command:
        case Edit() | AcceptContacts() | Delete():
            return _prepare(state, command)
        case Approve() | Reject() | MarkBuilt() | MarkBuildFailed() | Complete() | Fail():
            return _follow(state, command)
        case StartDue() | ExpireWaiting():
            return _in_time(state, command)
        case Start() | Pause() | Resume() | Stop():
            return _act(state, command)
        case _:
            assert_never(command)


def _create(state: State, command: Create) -> Sequence[SmsCampaignEvent]:
    if not isinstance(state, Absent):
        raise Refused("there is a campaign with this id already", code="conflict")
    _must_be_sound(command.settings, command)
    return [CampaignCreated(settings=command.settings, author=command.by)]


def _prepare(
    campaign: Campaign, command: Edit | AcceptContacts | Delete
) -> Sequence[SmsCampaignEvent]:
    """Decide what only a campaign that nobody has decided about allows."""
    action = {Edit: "edited", AcceptContacts: "given contacts", Delete: "deleted"}[type(command)]
    if campaign.status != "new":
        raise _illegal(campaign, action)
    if campaign.decided:
        raise Refused(
            f"a moderator has decided about this campaign: it can not be {action} any more",
            code="illegal_transition",
        )
    match command:
        case Edit():
            settings = SmsSettings.model_validate(
                campaign.settings.model_dump() | dict(command.changes)
            )
            if settings == campaign.settings:
                return []
            _must_be_sound(settings, command)
            return [CampaignEdited(settings=settings, by=command.by)]
        case AcceptContacts():
            return [
                ContactsUploaded(
                    audience=command.audience,
                    accepted=command.accepted,
                    invalid=command.invalid,
                    duplicate=command.duplicate,
                    suppressed=command.suppressed,
                    by=command.by,
                )
            ]
        case Delete():
            return [CampaignDeleted(was=campaign.status, by=command.by)]
        case _:
            assert_never(command)


def _follow(  # noqa: PLR0911 - one return per move
    campaign: Campaign,
    command: Approve | Reject | MarkBuilt | MarkBuildFailed | Complete | Fail,
) -> Sequence[SmsCampaignEvent]:
    """Follow what another service found; it may come twice, or too late to matter."""
    was = campaign.status
    match command:
        case Approve() if was == "new":
            return [CampaignApproved(was=was, by=command.by, note=command.note)]
        case Reject() if was == "new":
            return [CampaignRejected(was=was, by=command.by, note=command.note)]
        case MarkBuilt(queued=0) if was == "building":
            return [CampaignFailed(was=was, reason=NOBODY_LEFT)]
        case MarkBuilt() if was == "building":
            return [
                CampaignBuilt(
                    was=was,
                    queued=command.queued,
                    skipped=command.skipped,
                    segments=command.segments,
                )
            ]
        case MarkBuildFailed() if was == "building":
            return [CampaignFailed(was=was, reason=command.reason)]
        case Complete() if was in {"sending", "paused"}:
            return [CampaignCompleted(was=was)]
        case Fail() if was in {"building", "pending", "sending", "paused"}:
            return [CampaignFailed(was=was, reason=command.reason)]
        case Approve() | Reject() | MarkBuilt() | MarkBuildFailed() | Complete() | Fail():
            return []
        case _:
            assert_never(command)


def _in_time(campaign: Campaign, command: StartDue | ExpireWaiting) -> Sequence[SmsCampaignEvent]:
    """Decide what the clock alone brings about; not yet, or not any more, is no mistake."""
    settings, was = campaign.settings, campaign.status
    if was != "pending":
        return []
    over = settings.ends_at is not None and settings.ends_at <= command.at
    match command:
        case ExpireWaiting():
            return [CampaignExpired(was=was)] if over else []
        case StartDue():
            due = settings.starts_at is None or settings.starts_at <= command.at
            return [CampaignStarted(was=was)] if due and settings.auto_start and not over else []
        case _:
            assert_never(command)


def _act(campaign: Campaign, command: Start | Pause | Resume | Stop) -> Sequence[SmsCampaignEvent]:
    """Decide what a person wishes: what is already so is a mistake, and said."""
    was = campaign.status
    match command:
        case Start():
            if was != "pending":
                raise _illegal(campaign, "started")
            _must_not_be_over(campaign, command)
            return [CampaignStarted(was=was, by=command.by)]
        case Pause():
            if was != "sending":
                raise _illegal(campaign, "paused")
            return [CampaignPaused(was=was, by=command.by)]
        case Resume():
            if was != "paused":
                raise _illegal(campaign, "resumed")
            _must_not_be_over(campaign, command)
            return [CampaignResumed(was=was, by=command.by)]
        case Stop():
            if was in FINAL:
                raise _illegal(campaign, "stopped")
            return [CampaignStopped(was=was, by=command.by)]
        case _:
            assert_never(command)


def _illegal(campaign: Campaign, action: str) -> Refused:
    return Refused(
        f"a campaign that is {campaign.status} can not be {action}", code="illegal_transition"
    )


def _must_not_be_over(campaign: Campaign, command: Start | Resume) -> None:
    if campaign.settings.ends_at is not None and campaign.settings.ends_at <= command.at:
        raise Refused("ends_at of this campaign has passed")


def _must_be_sound(settings: SmsSettings, command: Create | Edit) -> None:
    reasons = broken(settings, command.at)
    if reasons:
        raise Refused(*reasons, code="invalid")


campaign_decider: Decider[CampaignCommand, Fact, State] = Decider(Absent(), decide, evolve)
