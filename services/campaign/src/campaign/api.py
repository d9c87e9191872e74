"""HTTP in, commands out: creating campaigns and moving them through their lives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from campaign.audience import Audiences
from campaign.channels import Changes, NewCampaign
from campaign.cloning import copied
from campaign.commands import (
    Archive,
    CampaignCommand,
    CancelRestart,
    Create,
    Delete,
    Edit,
    Pause,
    Restart,
    Restore,
    Resume,
    Start,
    Stop,
)
from campaign.door import Author, CampaignId, Door, origin_of
from campaign.requests import CloneBody
from campaign.state import Campaign
from campaign_events.access import Caller, Permission
from campaign_events.answers import Written, answers
from campaign_events.audit import audited, note
from campaign_events.envelope import Actor, Address, Origin
from campaign_events.problems import Problem

PREFIX = "/api/v1/campaigns"

type Shown = dict[str, Any]


def campaign_routes(door: Door, audiences: Audiences) -> APIRouter:
    """Return the writes on campaigns, without the uploads."""
    routes = APIRouter(prefix=PREFIX, tags=["campaigns"])
    _add_creation(routes, door)
    _add_changes(routes, door, audiences)
    for action in _ACTIONS:
        _add_action(routes, door, action)
    return routes


def _add_creation(routes: APIRouter, door: Door) -> None:
    @routes.post(
        "",
        status_code=201,
        openapi_extra=audited("campaign.created", "campaign"),
        responses=answers(Written, 201),
    )
    async def create(
        body: NewCampaign, caller: Author, request: Request, response: Response
    ) -> Shown:
        """Make a campaign: one for SMS waits for a moderator, one for voice is a draft."""
        origin = origin_of(request)
        command = Create(body.settings(), caller.actor, origin.at)
        return await _created(door, command, caller, origin, response)

    @routes.post(
        "/{campaign_id}/clone",
        status_code=201,
        openapi_extra=audited("campaign.cloned", "campaign"),
        responses=answers(Written, 201),
    )
    async def clone(
        campaign_id: CampaignId,
        caller: Author,
        request: Request,
        response: Response,
        body: CloneBody | None = None,
    ) -> Shown:
        """Make a campaign with the settings of another one, without its contacts."""
        origin = origin_of(request)
        original = await door.known(Address(caller.workspace, campaign_id))
        settings = copied(original.settings, body.name if body else None, origin.at)
        command = Create(settings, caller.actor, origin.at, cloned_from=campaign_id)
        created = await _created(door, command, caller, origin, response)
        note(after={"id": created["id"], "name": created["name"]}, resource=campaign_id)
        return created


async def _created(
    door: Door, command: Create, caller: Caller, origin: Origin, response: Response
) -> Shown:
    await door.must_be_usable(caller.workspace, command.settings.model_dump())
    address = Address(caller.workspace, origin.command_id)
    await door.carry_out(command, address, origin, response)
    response.headers["Location"] = f"{PREFIX}/{address.thing}"
    return await door.show(address, caller)


def _add_changes(routes: APIRouter, door: Door, audiences: Audiences) -> None:
    @routes.patch(
        "/{campaign_id}",
        openapi_extra=audited("campaign.edited", "campaign"),
        responses=answers(Written),
    )
    async def edit(
        campaign_id: CampaignId,
        body: Changes,
        caller: Author,
        request: Request,
        response: Response,
    ) -> Shown:
        """Change some settings: for SMS while nobody has decided, for voice while nothing dials."""
        address, origin = Address(caller.workspace, campaign_id), origin_of(request)
        given = body.to(await door.known(address))
        await door.must_be_usable(caller.workspace, given)
        await door.carry_out(Edit(given, caller.actor, origin.at), address, origin, response)
        return await door.show(address, caller)

    @routes.delete(
        "/{campaign_id}",
        status_code=204,
        openapi_extra=audited("campaign.deleted", "campaign"),
    )
    async def delete(
        campaign_id: CampaignId, caller: Author, request: Request, response: Response
    ) -> None:
        """Remove a campaign that nothing has come of, and its contacts; SMS: super_admin only."""
        address, origin = Address(caller.workspace, campaign_id), origin_of(request)
        if isinstance(await door.known(address), Campaign) and not caller.may(Permission.DELETE):
            raise Problem(403, "forbidden", "To delete an SMS campaign needs the role super_admin.")
        await audiences.expect_change(campaign_id)
        await door.carry_out(Delete(caller.actor, origin.at), address, origin, response)
        await audiences.doubt_all(campaign_id)


@dataclass(frozen=True, slots=True)
class _Action:
    """A wish that needs no body: the last part of its path, and the command it becomes."""

    name: str
    audit: str
    summary: str
    command: Callable[[Actor, datetime], CampaignCommand]
    needs_core: bool = False


_ACTIONS = (
    _Action("start", "campaign.started", "Let it begin now.", Start, needs_core=True),
    _Action("pause", "campaign.paused", "Let nothing new go out.", Pause),
    _Action("resume", "campaign.resumed", "Let it go on.", Resume, needs_core=True),
    _Action("stop", "campaign.stopped", "End the campaign, or this run of it.", Stop),
    _Action(
        "restart", "campaign.restarted", "Prepare another run for who is not completed.", Restart
    ),
    _Action(
        "cancel-restart", "campaign.restart_cancelled", "Give up a prepared run.", CancelRestart
    ),
    _Action(
        "archive", "campaign.archived", "Put away a campaign that has come to its end.", Archive
    ),
    _Action("restore", "campaign.restored", "Take the campaign out of the archive.", Restore),
)


def _add_action(routes: APIRouter, door: Door, action: _Action) -> None:
    @routes.post(
        f"/{{campaign_id}}/{action.name}",
        name=action.name,
        summary=action.summary,
        openapi_extra=audited(action.audit, "campaign"),
        responses=answers(Written),
    )
    async def act(
        campaign_id: CampaignId, caller: Author, request: Request, response: Response
    ) -> Shown:
        address, origin = Address(caller.workspace, campaign_id), origin_of(request)
        if action.needs_core:
            await door.must_reach_core(await door.known(address))
        command = action.command(caller.actor, origin.at)
        await door.carry_out(command, address, origin, response)
        return await door.show(address, caller)
