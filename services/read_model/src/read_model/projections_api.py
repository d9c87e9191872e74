"""`/ops/projections`: how the views of all services stand, and growing them anew.

Their owners keep them and work on them; this door asks them and puts their answers together.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from nats.aio.client import Client
from pydantic import Field

from campaign_events import ops
from campaign_events.answers import answers
from campaign_events.audit import audited, note
from campaign_events.problems import Problem, not_found
from campaign_events.strict_body import Body, Flag, Whole
from read_model.ops_door import Admin, Nats, Reader
from read_model.projection_answers import (
    DroppedGeneration,
    KeptProjection,
    KeptProjections,
    Verified,
)

DROP_S = 15.0

router = APIRouter(prefix="/api/v1/ops/projections", tags=["ops"])


class Wish(Body):
    """A command without further details."""


class RebuildWish(Wish):
    """Whether readers see the new generation as soon as it has caught up."""

    switch: Flag = True


class GenerationWish(Wish):
    """Which generation; without one the service chooses, or says which there are."""

    generation: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None


@router.get("", response_model=None, responses=answers(KeptProjections))
async def projections(_: Reader, nc: Nats) -> dict[str, Any]:
    """Return every projection of every service; `unanswered` are services that do not say."""
    said = await _asked(nc, "projections")
    return {
        "items": [item for items in said.values() for item in items or ()],
        "next_cursor": None,
        "unanswered": [service for service, items in said.items() if items is None],
    }


@router.get("/{name}", response_model=None, responses=answers(KeptProjection))
async def projection(_: Reader, nc: Nats, name: str) -> dict[str, Any]:
    """Return how one projection stands."""
    return await _put(nc, name, "projection")


@router.post(
    "/{name}/rebuild",
    status_code=202,
    response_model=None,
    responses=answers(KeptProjection, 202),
    openapi_extra=audited("ops.projection_rebuilt", "ops"),
)
async def rebuild(_: Admin, nc: Nats, name: str, wish: RebuildWish | None = None) -> dict[str, Any]:
    """Grow a new generation from the beginning of the log; the live one answers all the while."""
    return await _wished(nc, name, "rebuild", (wish or RebuildWish()).model_dump())


@router.post(
    "/{name}/switch",
    status_code=202,
    response_model=None,
    responses=answers(KeptProjection, 202),
    openapi_extra=audited("ops.projection_switched", "ops"),
)
async def switch(
    _: Admin, nc: Nats, name: str, wish: GenerationWish | None = None
) -> dict[str, Any]:
    """Have readers see another generation, the newest by default, once it has caught up."""
    return await _wished(nc, name, "switch", (wish or GenerationWish()).model_dump())


@router.post(
    "/{name}/rollback",
    status_code=202,
    response_model=None,
    responses=answers(KeptProjection, 202),
    openapi_extra=audited("ops.projection_rolled_back", "ops"),
)
async def rollback(_: Admin, nc: Nats, name: str, wish: Wish | None = None) -> dict[str, Any]:
    """Have readers see the generation from before the last switch, once it has caught up."""
    return await _wished(nc, name, "rollback", (wish or Wish()).model_dump())


@router.post(
    "/{name}/drop",
    response_model=None,
    responses=answers(DroppedGeneration),
    openapi_extra=audited("ops.projection_dropped", "ops"),
)
async def drop(_: Admin, nc: Nats, name: str, wish: GenerationWish | None = None) -> dict[str, Any]:
    """Remove a generation that is not live; an unfinished one is given up."""
    said = await _put(nc, name, "drop", (wish or GenerationWish()).model_dump(), DROP_S)
    _note(said, {"dropped": said["dropped"]})
    return said


@router.post(
    "/{name}/verify",
    status_code=202,
    response_model=None,
    responses=answers(KeptProjection, 202),
    openapi_extra=audited("ops.projection_verified", "ops"),
)
async def verify(_: Admin, nc: Nats, name: str, wish: Wish | None = None) -> dict[str, Any]:
    """Compare the live generation with a fold of the whole log; read the verification then."""
    return await _wished(nc, name, "verify", (wish or Wish()).model_dump())


@router.get("/{name}/verification", response_model=None, responses=answers(Verified))
async def verification(caller: Admin, nc: Nats, name: str) -> dict[str, Any]:
    """Return what the last comparison has found."""
    found = await _put(nc, name, "verification")
    return found if "super_admin" in caller.roles else found | {"differences": []}


async def _wished(nc: Client, name: str, wish: str, details: Mapping[str, Any]) -> dict[str, Any]:
    said = await _put(nc, name, wish, details)
    job = said["job"] or {}
    _note(said, {key: job.get(key) for key in ("id", "kind", "generation")})
    return said


def _note(said: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    note(resource=said["projection"], after={"service": said["service"], **after})


async def _put(
    nc: Client,
    name: str,
    question: str,
    details: Mapping[str, Any] | None = None,
    within_s: float = ops.ANSWER_S,
) -> dict[str, Any]:
    """Put a question to the service that keeps a projection."""
    service, local = await _owner(nc, name)
    body = {**(details or {}), "name": local}
    said: dict[str, Any] = await ops.ask(nc, service, question, body, within_s)
    return said


async def _owner(nc: Client, name: str) -> tuple[str, str]:
    """Return the service and its own name for a projection; the short name will do if one has it.

    Raises:
        Problem: 404 when there is none, 422 when several services keep one of this name.

    """
    service, dot, local = name.partition(".")
    if dot:
        if service not in ops.OWNERS:
            raise not_found("projection")
        return service, local
    said = await _asked(nc, "places")
    owners = [
        owner for owner, items in said.items() for item in items or () if item["name"] == name
    ]
    if len(owners) > 1:
        which = " or ".join(f"{owner}.{name}" for owner in owners)
        raise Problem(422, "invalid", f"Several services keep a projection {name}: say {which}.")
    if not owners:
        raise not_found("projection")
    return owners[0], name


async def _asked(nc: Client, question: str) -> dict[str, Sequence[Any] | None]:
    """Ask every service; None is what one says that does not answer."""
    services = sorted(ops.OWNERS)
    said = await asyncio.gather(*(_answer(nc, service, question) for service in services))
    return dict(zip(services, said, strict=True))


async def _answer(nc: Client, service: str, question: str) -> Sequence[Any] | None:
    try:
        answer: Sequence[Any] = await ops.ask(nc, service, question)
    except Problem:
        return None
    return answer
