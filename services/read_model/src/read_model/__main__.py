"""The read model: views of the log, and every page that is read from them."""

import uvloop
from fastapi import FastAPI

from campaign_events.service import Resources, Settings, api, connected, run
from read_model import schema
from read_model.api import router
from read_model.reading import Reading


def door(resources: Resources, reading: Reading) -> FastAPI:
    """Return the HTTP app over these views."""
    app = api("read model", resources)
    app.state.reading = reading
    app.state.projectors = reading.projectors
    app.include_router(router)
    return app


async def main() -> None:
    """Serve until told to stop."""
    async with connected("read_model", Settings()) as resources:
        await schema.state(resources.db)
        reading = Reading.of(resources.nc, resources.db, resources.log)
        await run(door(resources, reading), resources, reading.work())


if __name__ == "__main__":
    uvloop.run(main())
