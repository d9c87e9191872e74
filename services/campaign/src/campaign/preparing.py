"""What happens to a campaign before a moderator has decided: made, edited, filled, deleted."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import AcceptContacts, Create, Delete, Edit, Preparation
from campaign.rules import broken, flawed
from campaign.state import Absent, Campaign, State
from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    ContactsUploaded,
    SmsCampaignEvent,
    SmsSettings,
)
from campaign_events.decider import Refused


def create(state: State, command: Create) -> Sequence[SmsCampaignEvent]:
    """Decide whether there can be such a campaign."""
    if not isinstance(state, Absent):
        raise Refused("there is a campaign with this id already", code="conflict")
    judge = broken if command.cloned_from is None else flawed
    _must_be_sound(judge(command.settings, command.at))
    created = CampaignCreated(
        settings=command.settings, author=command.by, cloned_from=command.cloned_from
    )
    return [created]


def prepare(campaign: Campaign, command: Preparation) -> Sequence[SmsCampaignEvent]:
    """Decide what only a campaign that nobody has decided about allows."""
    _must_be_open(campaign, command)
    match command:
        case Edit():
            return _edit(campaign, command)
        case AcceptContacts():
            return _accept(campaign, command)
        case Delete():
            return [CampaignDeleted(was=campaign.status, by=command.by)]
        case _:
            assert_never(command)


def _must_be_open(campaign: Campaign, command: Preparation) -> None:
    action = {Edit: "edited", AcceptContacts: "given contacts", Delete: "deleted"}[type(command)]
    if campaign.status != "new":
        raise Refused(
            f"a campaign that is {campaign.status} can not be {action}", code="illegal_transition"
        )
    if campaign.decided:
        raise Refused(
            f"a moderator has decided about this campaign: it can not be {action} any more",
            code="illegal_transition",
        )


def _edit(campaign: Campaign, command: Edit) -> Sequence[SmsCampaignEvent]:
    settings = SmsSettings.model_validate(campaign.settings.model_dump() | dict(command.changes))
    if settings == campaign.settings:
        return []
    _must_be_sound(broken(settings, command.at))
    if settings.mode == "trigger" and campaign.audience is not None:
        raise Refused("this campaign has contacts already: mode trigger takes no upload")
    return [CampaignEdited(settings=settings, by=command.by)]


def _accept(campaign: Campaign, command: AcceptContacts) -> Sequence[SmsCampaignEvent]:
    if campaign.settings.mode == "trigger":
        raise Refused("mode trigger takes no upload: push contacts one by one while it is sending")
    uploaded = ContactsUploaded(
        audience=command.audience,
        accepted=command.accepted,
        invalid=command.invalid,
        duplicate=command.duplicate,
        suppressed=command.suppressed,
        by=command.by,
    )
    return [uploaded]


def _must_be_sound(reasons: Sequence[str]) -> None:
    if reasons:
        raise Refused(*reasons, code="invalid")
