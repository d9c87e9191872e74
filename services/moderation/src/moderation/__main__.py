"""Moderation: the queue, decisions about campaigns, and senders."""

import uvloop
from fastapi import FastAPI

from campaign_events.erasing import Erasing
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.projector import Projector
from campaign_events.service import Resources, api, connected, run
from campaign_events.settings import Settings
from campaign_events.shared_projection import SharedProjector
from campaign_events.upkeep import Upkeep
from moderation import campaigns_api, senders_api
from moderation.desk import Desk
from moderation.estimates import Estimates
from moderation.migrations import SCHEMA
from moderation.projections import MODERATION, Views

AUDIENCE_OWNER = "campaign"


def door(
    resources: Resources, projector: Projector, audience_owner: str = AUDIENCE_OWNER
) -> FastAPI:
    """Return the HTTP app over this projection."""
    app = api("moderation", resources)
    app.state.projectors = [projector]
    estimates = Estimates(resources.mongo[audience_owner].contacts)
    app.state.desk = Desk(log=resources.log, views=Views(projector.view), estimates=estimates)
    erasing: Erasing = app.state.erasing
    erasing.of(estimates)
    IdempotencyKeys(resources.db).serve(app)
    app.include_router(campaigns_api.router)
    app.include_router(senders_api.router)
    return app


async def main() -> None:
    """Serve until told to stop."""
    async with connected("moderation", Settings(), SCHEMA) as resources:
        await IdempotencyKeys(resources.db).prepare()
        projector = SharedProjector(MODERATION, resources.nc, resources.db, owner=resources.owner)
        upkeep = Upkeep(resources, [projector])
        await upkeep.prepare()
        app = door(resources, projector)
        upkeep.serve(app)
        work = {f"projection {MODERATION.name}": projector.run(), **upkeep.work()}
        await run(app, resources, work)


if __name__ == "__main__":
    uvloop.run(main())
