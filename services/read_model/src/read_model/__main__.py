"""The read model: views of the log, and every page that is read from them."""

import uvloop
from fastapi import FastAPI
from pymongo.errors import OperationFailure

from campaign_events import audit_store
from campaign_events.audit_trail import Trail
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.parked_desk import ParkedDesk
from campaign_events.service import Resources, api, connected, run
from campaign_events.settings import Settings
from campaign_events.upkeep import Upkeep
from read_model.api import router
from read_model.audit_api import router as audit_router
from read_model.audit_search import Search
from read_model.erasing_api import router as erasing_router
from read_model.fullness import watch_fullness
from read_model.migrations import SCHEMA
from read_model.parked_api import router as parked_router
from read_model.projections_api import router as projections_router
from read_model.reading import Reading

UNAUTHORIZED = 13


def door(resources: Resources, reading: Reading) -> FastAPI:
    """Return the HTTP app over these views."""
    app = api("read model", resources)
    app.state.reading = reading
    app.state.projectors = reading.projectors
    app.state.audit_search = Search(resources.mongo[audit_store.DATABASE][audit_store.RECORDS])
    trail: Trail = app.state.audit
    reading.overview.diagnostics.retention = trail.retention.days
    parked: ParkedDesk = app.state.parked
    reading.overview.diagnostics.places.parked = parked.of_view
    reading.overview.diagnostics.schemas.own = app.state.gate
    IdempotencyKeys(resources.db).serve(app)
    app.include_router(router)
    app.include_router(audit_router)
    app.include_router(parked_router)
    app.include_router(erasing_router)
    app.include_router(projections_router)
    return app


async def _prepare_audit(resources: Resources) -> None:
    """Make the trail's indexes where nobody else has; who may not, is on a prepared server."""
    try:
        await audit_store.ensure(resources.mongo[audit_store.DATABASE])
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise


async def main() -> None:
    """Serve until told to stop."""
    async with connected("read_model", Settings(), SCHEMA) as resources:
        await _prepare_audit(resources)
        await IdempotencyKeys(resources.db).prepare()
        reading = Reading.of(resources.nc, resources.db, resources.log, resources.owner)
        upkeep = Upkeep(resources, reading.projectors)
        await upkeep.prepare()
        app = door(resources, reading)
        upkeep.serve(app)
        streams = {"fullness": watch_fullness(resources.log)}
        await run(app, resources, reading.work() | upkeep.work() | streams)


if __name__ == "__main__":
    uvloop.run(main())
