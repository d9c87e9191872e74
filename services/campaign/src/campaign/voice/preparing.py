"""How a voice campaign is made ready: edited, given contacts, deleted.

A draft may be edited in everything. While it is paused, its destination is locked, since live calls
may be attached to it. Contacts are locked from the first start on, in every later run too, except
that an `always_on` campaign takes new ones while it runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from campaign.commands import AcceptContacts, AddContacts, Delete, Edit
from campaign.voice.acting import illegal, must_be
from campaign.voice.rules import flawed
from campaign.voice.state import VoiceCampaign
from campaign_events.campaign import CampaignDeleted, ContactsUploaded
from campaign_events.decider import Refused
from campaign_events.voice import ContactsAdded, VoiceCampaignEdited, VoiceSettings

type VoicePreparation = Edit | AcceptContacts | AddContacts | Delete
type PreparationFact = VoiceCampaignEdited | ContactsUploaded | ContactsAdded | CampaignDeleted


def prepare(campaign: VoiceCampaign, command: VoicePreparation) -> Sequence[PreparationFact]:
    """Decide whether the campaign may still, or already, be changed like this."""
    match command:
        case Edit():
            return _edit(campaign, command)
        case AcceptContacts():
            return [_accept(campaign, command)]
        case AddContacts():
            return [_add(campaign, command)]
        case Delete():
            must_be(campaign, ("draft",), "deleted")
            if campaign.was_started:
                raise illegal("only a draft of a first run can be deleted")
            return [CampaignDeleted(was="draft", by=command.by)]
        case _:
            assert_never(command)


def _edit(campaign: VoiceCampaign, command: Edit) -> Sequence[VoiceCampaignEdited]:
    must_be(campaign, ("draft", "paused"), "edited")
    wanted = _merged(campaign.settings.model_dump(), command.changes)
    settings = VoiceSettings.model_validate(wanted)
    if settings == campaign.settings:
        return []
    if campaign.status == "paused" and settings.destination != campaign.settings.destination:
        raise illegal("the destination of a paused campaign is locked: live calls may be there")
    if reasons := flawed(settings):
        raise Refused(*reasons, code="invalid")
    return [VoiceCampaignEdited(settings=settings, by=command.by)]


def _merged(known: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings with changes; within a group only what is named changes."""
    return {**known} | {
        name: _merged(known[name], value)
        if isinstance(value, Mapping) and isinstance(known.get(name), Mapping)
        else value
        for name, value in changes.items()
    }


def _accept(campaign: VoiceCampaign, command: AcceptContacts) -> ContactsUploaded:
    if campaign.was_started:
        raise illegal("the contacts of a voice campaign are locked after its first start")
    return ContactsUploaded(
        audience=command.audience,
        accepted=command.accepted,
        invalid=command.invalid,
        duplicate=command.duplicate,
        suppressed=command.suppressed,
        by=command.by,
    )


def _add(campaign: VoiceCampaign, command: AddContacts) -> ContactsAdded:
    must_be(campaign, ("running",), "given more contacts")
    if not campaign.settings.always_on:
        raise illegal("only a campaign that is always_on takes contacts while it runs")
    if command.first != campaign.stored + 1 or campaign.audience not in (None, command.audience):
        raise Refused("somebody else added contacts at this moment", code="conflict")
    return ContactsAdded(
        audience=command.audience, first=command.first, last=command.last, by=command.by
    )
