"""What happens to a campaign before a moderator has decided: made, edited, filled, deleted."""

from collections.abc import Sequence
from typing import assert_never

from campaign.commands import AcceptContacts, Create, Delete, Edit, Exclude, Preparation
from campaign.excluding import exclude
from campaign.facts import CampaignFact
from campaign.rules import broken, flawed
from campaign.state import Campaign
from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.decider import Refused


def create_sms(command: Create, settings: SmsSettings) -> CampaignCreated:
    """Decide whether there can be such a campaign."""
    judge = broken if command.cloned_from is None else flawed
    _must_be_sound(judge(settings, command.at))
    return CampaignCreated(settings=settings, author=command.by, cloned_from=command.cloned_from)


def prepare(campaign: Campaign, command: Preparation | Exclude) -> Sequence[CampaignFact]:
    """Decide what only a campaign that nobody has decided about allows."""
    _must_be_open(campaign, command)
    match command:
        case Exclude():
            return exclude(command, campaign.audience, campaign.excluded)
        case Edit():
            return _edit(campaign, command)
        case AcceptContacts():
            return _accept(campaign, command)
        case Delete():
            return [CampaignDeleted(was=campaign.status, by=command.by)]
        case _:
            assert_never(command)


_DONE = {
    Edit: "edited",
    AcceptContacts: "given contacts",
    Exclude: "kept from contacts",
    Delete: "deleted",
}


def _must_be_open(campaign: Campaign, command: Preparation | Exclude) -> None:
    action = _DONE[type(command)]
    if campaign.status != "new":
        raise Refused(
            f"a campaign that is {campaign.status} can not be {action}", code="illegal_transition"
        )
    if campaign.decided:
        raise Refused(
            f"a moderator has decided about this campaign: it can not be {action} any more",
            code="illegal_transition",
        )


def _edit(campaign: Campaign, command: Edit) -> Sequence[CampaignFact]:
    settings = SmsSettings.model_validate(campaign.settings.model_dump() | dict(command.changes))
    if settings == campaign.settings:
        return []
    _must_be_sound(broken(settings, command.at))
    if settings.mode == "trigger" and campaign.audience is not None:
        raise Refused("this campaign has contacts already: mode trigger takes no upload")
    return [CampaignEdited(settings=settings, by=command.by)]


def _accept(campaign: Campaign, command: AcceptContacts) -> Sequence[CampaignFact]:
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
