"""The HTTP door of `trigger` campaigns: contacts pushed one by one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.answers import answers
from campaign_events.audit import audited
from campaign_events.decider import Refused
from campaign_events.envelope import Position, derived_id
from campaign_events.positions import tell, up_to_date
from campaign_events.problems import Problem, not_found
from campaign_events.projection import Document
from campaign_events.strict_body import Body
from campaign_events.text import MAX_CHARACTERS, render, variables
from campaign_events.uploads.phones import PhoneReader, Unusable
from dispatcher.answers import Pushed
from dispatcher.pushes import Pushes
from dispatcher.pushing import Push
from dispatcher.under_way import UnderWay

type Author = Annotated[Caller, Depends(Allowed(Permission.AUTHOR))]
type VariableName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
type VariableValue = Annotated[str, Field(max_length=20_000)]

TAKES = ("sending", "paused")
"""What is pushed into a paused campaign waits until it is resumed."""


class NewMessage(Body):
    """One contact to write to. The same `key` in the same campaign is the same message."""

    phone: Annotated[str, Field(min_length=1, max_length=60)]
    variables: dict[VariableName, VariableValue] = Field(default={}, max_length=200)
    key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


def pushing_routes(pushes: Pushes, campaigns: UnderWay) -> APIRouter:
    """Return the resource that takes messages."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["messages"])

    @routes.post(
        "/{campaign_id}/messages",
        status_code=202,
        dependencies=[Depends(up_to_date)],
        openapi_extra=audited("campaign.contacts_uploaded", "campaign", summed=True),
        responses=answers(Pushed, 202),
    )
    async def push(
        campaign_id: str, wanted: NewMessage, caller: Author, request: Request, response: Response
    ) -> dict[str, Any]:
        """Send one message in a `trigger` campaign; it goes out at once.

        It is planned when the answer comes, `skipped` if the phone is on the opt-out list. While
        the campaign is paused it is taken too, and waits.
        """
        campaign = await campaigns.get(caller.workspace, campaign_id)
        if campaign is None:
            raise not_found("campaign")
        _must_take(campaign, datetime.now(UTC))
        phone = _phone(wanted.phone, campaign["settings"]["default_region"])
        _must_be_sendable(campaign["settings"]["text"], wanted.variables)
        same = ("command", request.state.command_id) if wanted.key is None else ("key", wanted.key)
        name = f"{campaign_id}/{derived_id(*same)}"
        pushed = await pushes.push(campaign, Push(name, phone, wanted.variables))
        tell(response, Position.of("MESSAGES", pushed.seq))
        return {"number": pushed.number, "status": pushed.status, "reason": pushed.reason}

    return routes


def _must_take(campaign: Document, now: datetime) -> None:
    settings, status = campaign["settings"], campaign["status"]
    if settings["mode"] != "trigger":
        raise Refused(f"a campaign in mode {settings['mode']} takes no single messages")
    if status not in TAKES:
        raise Refused(f"a campaign that is {status} takes no messages", code="illegal_transition")
    if settings["ends_at"] is not None and settings["ends_at"] <= now:
        raise Refused("ends_at of this campaign has passed")


def _phone(text: str, region: str | None) -> str:
    try:
        return _reader(region).read(text)
    except Unusable as error:
        raise _invalid("phone", str(error)) from error


@lru_cache(maxsize=300)
def _reader(region: str | None) -> PhoneReader:
    return PhoneReader(region)


def _must_be_sendable(text: str, values: Mapping[str, str]) -> None:
    missing = sorted(variables(text) - values.keys())
    if missing:
        raise _invalid("variables", f"{', '.join(missing)} missing")
    length = len(render(text, values))
    if not 1 <= length <= MAX_CHARACTERS:
        raise _invalid("variables", f"the text has {length} characters, 1 to {MAX_CHARACTERS} fit")


def _invalid(field: str, reason: str) -> Problem:
    errors = [{"field": field, "reason": reason}]
    return Problem(422, "invalid", f"The request is not valid: {field}: {reason}", errors=errors)
