"""`POST /ops/erase`: one person's data, out of all services."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from campaign_events.answers import answers
from campaign_events.audit import audited, note
from campaign_events.erasing import Erasure, erase_everywhere
from campaign_events.problems import Problem
from campaign_events.strict_body import Body
from campaign_events.uploads.phones import PhoneReader, Unusable, parts_of
from read_model.answers import Erased
from read_model.ops_door import Admin, Everywhere, Nats

router = APIRouter(prefix="/api/v1/ops", tags=["ops"])


class ErasureBody(Body):
    """Whose data is to go; a number without country code belongs to `region`."""

    phone: Annotated[str, Field(max_length=40)]
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


@router.post(
    "/erase",
    response_model=None,
    responses=answers(Erased),
    openapi_extra=audited("ops.erased", "person"),
)
async def erase(
    wanted: ErasureBody,
    caller: Admin,
    request: Request,
    nc: Nats,
    *,
    everywhere: Everywhere = False,
) -> dict[str, Any]:
    """Erase contacts, messages' and calls' phones, opted-out phones and stored answers.

    Who is under way in a campaign is not reached any more; numbers and statuses stay, and who opted
    out stays opted out. 503 says that a service did not answer: ask again, nothing is done twice.
    """
    if everywhere and "super_admin" not in caller.roles:
        raise Problem(403, "forbidden", "Only a super admin erases in all workspaces.")
    try:
        phone = PhoneReader(wanted.region).read(wanted.phone)
    except Unusable as error:
        raise Problem(422, "invalid", f"phone: {error}.") from error
    calling_code, national, trunk = parts_of(phone)
    erasure = Erasure(
        phone=phone,
        calling_code=calling_code,
        national=national,
        trunk=trunk,
        workspace=None if everywhere else caller.workspace,
        by=caller.actor,
        command_id=request.state.command_id,
    )
    erased = await erase_everywhere(nc, erasure)
    note(after={"everywhere": everywhere, **erased})
    return {"erased": erased}
