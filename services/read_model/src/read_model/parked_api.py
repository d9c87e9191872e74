"""`/ops/parked`: what projections and reactions of all services could not digest.

Their owners keep it and work on it; this door asks them and puts their answers together.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from nats.aio.client import Client

from campaign_events import ops
from campaign_events.access import Caller, workspace_name
from campaign_events.answers import answers
from campaign_events.audit import audited, note
from campaign_events.paging import MAX_LIMIT
from campaign_events.problems import Problem, not_found
from read_model.answers import ParkedList, ParkedOne, Released
from read_model.ops_door import Admin, Everywhere, Nats, Reader

RELEASE_S = 15.0

router = APIRouter(prefix="/api/v1/ops/parked", tags=["ops"])


@router.get("", response_model=None, responses=answers(ParkedList))
async def parked(
    caller: Reader,
    nc: Nats,
    *,
    everywhere: Everywhere = False,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
) -> dict[str, Any]:
    """Return what is parked, service by service; `unanswered` are services that do not say."""
    asked: dict[str, Any] = {"workspace": _workspace(caller, everywhere=everywhere)}
    first, _, after = ("", "", "") if cursor is None else _place(cursor).partition(":")
    services = [service for service in sorted(ops.OWNERS) if service >= first]
    questions = (
        _listed(nc, service, {**asked, "limit": limit + 1, "after": after or None})
        if service == first
        else _listed(nc, service, {**asked, "limit": limit + 1})
        for service in services
    )
    said = dict(zip(services, await asyncio.gather(*questions), strict=True))
    found = [item for items in said.values() for item in items or ()]
    shown = found[:limit]
    return {
        "items": shown,
        "next_cursor": _cursor(shown[-1]["id"]) if len(found) > limit else None,
        "unanswered": [service for service, items in said.items() if items is None],
    }


@router.get("/{parked_id}", response_model=None, responses=answers(ParkedOne))
async def one(
    caller: Reader, nc: Nats, parked_id: str, *, everywhere: Everywhere = False
) -> dict[str, Any]:
    """Return one of them, with the way to its error."""
    service, local = _owner(parked_id)
    asked = {"id": local, "workspace": _workspace(caller, everywhere=everywhere)}
    return _named(service, await ops.ask(nc, service, "parked_one", asked))


@router.post(
    "/{parked_id}/retry",
    response_model=None,
    responses=answers(Released),
    openapi_extra=audited("ops.parked_retried", "ops"),
)
async def retry(
    request: Request, caller: Admin, parked_id: str, *, everywhere: Everywhere = False
) -> dict[str, Any]:
    """Offer it again, and then what waits behind it, in order. Ask again while any is `left`."""
    workspace = _workspace(caller, everywhere=everywhere)
    return await _released(request, parked_id, {"workspace": workspace})


@router.post(
    "/{parked_id}/drop",
    response_model=None,
    responses=answers(Released),
    openapi_extra=audited("ops.parked_dropped", "ops"),
)
async def drop(
    request: Request, caller: Admin, parked_id: str, *, everywhere: Everywhere = False
) -> dict[str, Any]:
    """Pass over the event that failed, for good, and work off what waits behind it."""
    workspace = _workspace(caller, everywhere=everywhere)
    return await _released(request, parked_id, {"workspace": workspace, "drop": True})


async def _released(request: Request, parked_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    service, local = _owner(parked_id)
    nc: Client = request.app.state.resources.nc
    said = await ops.ask(nc, service, "release", {**asked, "id": local}, within_s=RELEASE_S)
    reader, workspace, thing = local.split(":", 2)
    request.state.workspace = workspace_name(workspace)  # the trail of whom it is about
    left = said["left"]
    ended = {"done": said["done"], "failed": said["failed"], "left": left is not None}
    note(resource=thing, before={"service": service, "reader": reader}, after=ended)
    return {**said, "left": None if left is None else _named(service, left)}


async def _listed(nc: Client, service: str, asked: dict[str, Any]) -> Sequence[Any] | None:
    try:
        items = await ops.ask(nc, service, "parked", asked)
    except Problem:
        return None
    return [_named(service, item) for item in items]


def _named(service: str, item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "id": f"{service}:{item['id']}", "service": service}


def _workspace(caller: Caller, *, everywhere: bool) -> str | None:
    if everywhere and "super_admin" not in caller.roles:
        raise Problem(403, "forbidden", "Only a super admin sees all workspaces.")
    return None if everywhere else caller.workspace


def _owner(parked_id: str) -> tuple[str, str]:
    service, _, local = parked_id.partition(":")
    if service not in ops.OWNERS or local.count(":") < 2:  # noqa: PLR2004 - reader, workspace, thing
        raise not_found("parked event")
    return service, local


def _cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars="-_", validate=True).decode()
    except (binascii.Error, ValueError):
        place = ""
    if place.partition(":")[0] not in ops.OWNERS:
        raise Problem(422, "invalid", "This cursor is not one that a list has given.")
    return place
