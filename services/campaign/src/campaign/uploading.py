"""`PUT /campaigns/{id}/contacts`: the HTTP side of uploads."""

from typing import Any

from fastapi import APIRouter, Request, Response

from campaign.audience import UploadLost
from campaign.campaign import campaign_decider
from campaign.commands import AcceptContacts
from campaign.door import Author, CampaignId, Door, origin_of, problem_of
from campaign.uploads import Upload, Uploads
from campaign_events.access import Caller
from campaign_events.answers import UploadReport, answers
from campaign_events.audit import audited, note
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Origin
from campaign_events.positions import tell
from campaign_events.problems import Problem
from campaign_events.uploads.door import CONTENT, body_of, file_of, refusals


def upload_routes(door: Door, uploads: Uploads, limit: int) -> APIRouter:
    """Return the upload of an audience; `limit` is in bytes of the body."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])

    @routes.put(
        "/{campaign_id}/contacts",
        openapi_extra=CONTENT | audited("campaign.contacts_uploaded", "campaign"),
        responses=answers(UploadReport),
    )
    async def put_contacts(
        campaign_id: CampaignId, caller: Author, request: Request, response: Response
    ) -> dict[str, Any]:
        """Make a file of numbers the campaign's audience, in place of any earlier one."""
        address = Address(caller.workspace, campaign_id)
        origin = origin_of(request)
        campaign = await door.known(address)
        campaign_decider.decide(campaign, _nobody_yet(origin, caller))
        region = await door.region_of(campaign, caller.workspace)
        try:
            with refusals():
                upload = Upload(address, file_of(request, limit), region, caller.actor, origin)
                report, position = await uploads.take(upload, body_of(request, limit))
        except Refused as refusal:
            raise problem_of(refusal) from refusal
        except UploadLost as error:
            raise Problem(503, "unavailable", "The upload stood still for too long.") from error
        tell(response, position)
        shown = report.shown()
        counts = {name: count for name, count in shown.items() if name != "bad_rows"}
        note(before={"accepted": campaign.accepted}, after=counts)
        return shown

    return routes


def _nobody_yet(origin: Origin, caller: Caller) -> AcceptContacts:
    """Return what is decided before the first byte is read, to refuse in time."""
    return AcceptContacts(origin.command_id, 0, 0, 0, 0, caller.actor)
