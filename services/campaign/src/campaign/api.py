"""HTTP in, commands out: creating campaigns and moving them through their lives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from campaign.audience import Audiences
from campaign.commands import (
    CampaignCommand,
    Create,
    Delete,
    Edit,
    Pause,
    Resume,
    Start,
    Stop,
)
from campaign.door import Author, CampaignId, Deleter, Door, origin_of
from campaign.requests import CampaignChanges, SmsCampaignBody
from campaign_events.envelope import Actor, Address

type Shown = dict[str, Any]


def campaign_routes(door: Door, audiences: Audiences) -> APIRouter:
    """Return the writes on campaigns, without the uploads."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])
    _add_settings(routes, door, audiences)
    for action in _ACTIONS:
        _add_action(routes, door, action)
    return routes


def _add_settings(routes: APIRouter, door: Door, audiences: Audiences) -> None:
    @routes.post("", status_code=201)
    async def create(
        body: SmsCampaignBody, caller: Author, request: Request, response: Response
    ) -> Shown:
        """Make a campaign; it waits for contacts and for a moderator."""
        await door.must_be_usable(caller.workspace, body.sender_id, body.link_id)
        origin = origin_of(request)
        address = Address(caller.workspace, origin.command_id)
        command = Create(body.settings(), caller.actor, origin.at)
        await door.carry_out(command, address, origin, response)
        response.headers["Location"] = f"{routes.prefix}/{address.thing}"
        return await door.show(address, caller)

    @routes.patch("/{campaign_id}")
    async def edit(
        campaign_id: CampaignId,
        body: CampaignChanges,
        caller: Author,
        request: Request,
        response: Response,
    ) -> Shown:
        """Change some settings of a campaign that nobody has decided about."""
        address, origin = Address(caller.workspace, campaign_id), origin_of(request)
        given = body.given()
        await door.known(address)
        sender = body.sender_id if "sender_id" in given else None
        link = body.link_id if "link_id" in given else None
        await door.must_be_usable(caller.workspace, sender, link)
        await door.carry_out(Edit(given, caller.actor, origin.at), address, origin, response)
        return await door.show(address, caller)

    @routes.delete("/{campaign_id}", status_code=204)
    async def delete(
        campaign_id: CampaignId, caller: Deleter, request: Request, response: Response
    ) -> None:
        """Remove a campaign that nobody has decided about, and its contacts."""
        address = Address(caller.workspace, campaign_id)
        await audiences.expect_change(campaign_id)
        await door.carry_out(Delete(caller.actor), address, origin_of(request), response)
        await audiences.doubt_all(campaign_id)


@dataclass(frozen=True, slots=True)
class _Action:
    """A wish that needs no body: the last part of its path, and the command it becomes."""

    name: str
    summary: str
    command: Callable[[Actor, datetime], CampaignCommand]
    needs_core: bool = False


_ACTIONS = (
    _Action("start", "Let messages go out now.", Start, needs_core=True),
    _Action("pause", "Let nothing new go out.", lambda by, _: Pause(by)),
    _Action("resume", "Let messages go out again.", Resume, needs_core=True),
    _Action("stop", "End the campaign for good.", lambda by, _: Stop(by)),
)


def _add_action(routes: APIRouter, door: Door, action: _Action) -> None:
    @routes.post(f"/{{campaign_id}}/{action.name}", name=action.name, summary=action.summary)
    async def act(
        campaign_id: CampaignId, caller: Author, request: Request, response: Response
    ) -> Shown:
        address, origin = Address(caller.workspace, campaign_id), origin_of(request)
        if action.needs_core:
            await door.known(address)
            await door.must_reach_core()
        command = action.command(caller.actor, origin.at)
        await door.carry_out(command, address, origin, response)
        return await door.show(address, caller)
