"""`PUT /campaigns/{id}/contacts`: the HTTP side of uploads."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from campaign.audience import UploadLost
from campaign.campaign import campaign_decider
from campaign.commands import AcceptContacts
from campaign.door import Author, CampaignId, Door, origin_of, problem_of
from campaign.files import UploadedFile, uploaded_file
from campaign.rows import Unreadable
from campaign.uploads import Report, Upload, Uploads
from campaign_events.access import Caller
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Origin
from campaign_events.positions import tell
from campaign_events.problems import Problem

_CONTENT = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "text/plain": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


def upload_routes(door: Door, uploads: Uploads, limit: int) -> APIRouter:
    """Return the upload of an audience; `limit` is in bytes of the body."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])

    @routes.put("/{campaign_id}/contacts", openapi_extra=_CONTENT)
    async def put_contacts(
        campaign_id: CampaignId, caller: Author, request: Request, response: Response
    ) -> dict[str, Any]:
        """Make a file of numbers the campaign's audience, in place of any earlier one."""
        address = Address(caller.workspace, campaign_id)
        origin = origin_of(request)
        campaign = await door.known(address)
        campaign_decider.decide(campaign, _nobody_yet(origin, caller))
        region = campaign.settings.default_region
        try:
            upload = Upload(address, _file(request, limit), region, caller.actor, origin)
            report, position = await uploads.take(upload, _body(request, limit))
        except Unreadable as error:
            raise Problem(422, "invalid", f"The upload is refused: {error}.") from error
        except Refused as refusal:
            raise problem_of(refusal) from refusal
        except UploadLost as error:
            raise Problem(503, "unavailable", "The upload stood still for too long.") from error
        except ClientDisconnect as error:
            raise Problem(422, "invalid", "The upload was cut off.") from error
        tell(response, position)
        return _shown(report)

    return routes


def _nobody_yet(origin: Origin, caller: Caller) -> AcceptContacts:
    """Return what is decided before the first byte is read, to refuse in time."""
    return AcceptContacts(origin.command_id, 0, 0, 0, 0, caller.actor)


def _file(request: Request, limit: int) -> UploadedFile:
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    file = uploaded_file(request.headers.get("Content-Type", ""))
    if file is None:
        raise Problem(415, "invalid", "Send text/csv, text/plain or multipart/form-data.")
    return file


async def _body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes, up to the limit."""
    taken = 0
    async for data in request.stream():
        taken += len(data)
        if taken > limit:
            raise _too_large(limit)
        yield data


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The upload is over {limit} bytes.")


def _shown(report: Report) -> dict[str, Any]:
    return {
        "accepted": report.accepted,
        "invalid": report.invalid,
        "duplicate": report.duplicate,
        "suppressed": report.suppressed,
        "bad_rows": [row._asdict() for row in report.bad_rows],
    }
