"""`POST /campaigns/{id}/contacts` and `/exclusions`: contacts that come, and that go."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from campaign.adding import Addition, Additions
from campaign.door import Author, CampaignId, Door, origin_of, problem_of
from campaign.exclusions import Exclusion, Exclusions
from campaign.requests import no_zero
from campaign_events.answers import UploadReport, answers
from campaign_events.audit import audited, note
from campaign_events.decider import Refused
from campaign_events.envelope import Address
from campaign_events.positions import tell
from campaign_events.strict_body import Body
from campaign_events.uploads.reading import Report

type VariableName = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(no_zero)
]
type VariableValue = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(no_zero)]


class ContactBody(Body):
    """One contact; a bad phone is counted, it spoils no others."""

    phone: str
    variables: Annotated[
        dict[VariableName, VariableValue], Field(max_length=200, default_factory=dict)
    ]


class ContactsBody(Body):
    """Contacts to be called."""

    contacts: Annotated[list[ContactBody], Field(min_length=1)]


class ExclusionsBody(Body):
    """Phones of contacts that are not to be reached."""

    phones: Annotated[list[str], Field(min_length=1)]


def contact_routes(door: Door, additions: Additions, exclusions: Exclusions) -> APIRouter:
    """Return what changes an audience contact by contact."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])

    @routes.post(
        "/{campaign_id}/contacts",
        openapi_extra=audited("campaign.contacts_uploaded", "campaign"),
        responses=answers(UploadReport),
    )
    async def add(
        campaign_id: CampaignId,
        body: ContactsBody,
        caller: Author,
        request: Request,
        response: Response,
    ) -> dict[str, Any]:
        """Add contacts to a voice campaign that is always_on, while it runs."""
        address = Address(caller.workspace, campaign_id)
        region = await door.region_of(await door.known(address), caller.workspace)
        contacts = [(contact.phone, contact.variables) for contact in body.contacts]
        origin = origin_of(request)
        try:
            report, position = await additions.take(
                Addition(address, contacts, region, caller.actor, origin)
            )
        except Refused as refusal:
            raise problem_of(refusal) from refusal
        tell(response, position)
        return _told(report)

    @routes.post(
        "/{campaign_id}/exclusions",
        openapi_extra=audited("campaign.contacts_excluded", "campaign"),
        responses=answers(UploadReport),
    )
    async def exclude(
        campaign_id: CampaignId,
        body: ExclusionsBody,
        caller: Author,
        request: Request,
        response: Response,
    ) -> dict[str, Any]:
        """Keep a campaign from contacts: for voice at any time, for SMS while it is new."""
        address = Address(caller.workspace, campaign_id)
        region = await door.region_of(await door.known(address), caller.workspace)
        exclusion = Exclusion(address, body.phones, region, caller.actor, origin_of(request))
        try:
            report, position = await exclusions.take(exclusion)
        except Refused as refusal:
            raise problem_of(refusal) from refusal
        tell(response, position)
        return _told(report)

    return routes


def _told(report: Report) -> dict[str, Any]:
    shown = report.shown()
    note(after={name: count for name, count in shown.items() if name != "bad_rows"})
    return shown
