"""The dialler: reading order is start order, and stop order in reverse."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from campaign_events.service import api, connected, run
from campaign_events.settings import Settings
from campaign_events.shared_projection import SharedProjector
from campaign_events.table_file import TableFileError
from campaign_events.upkeep import Upkeep
from dialler.calls_api import call_routes
from dialler.health import Health
from dialler.migrations import SCHEMA
from dialler.owning import Owners
from dialler.reading import Views
from dialler.switchboard import Switchboard
from dialler.telephony.file import TELEPHONY_FILE
from dialler.telephony.registry import open_telephony
from dialler.telephony.settings import TelephonySettings
from dialler.views import CALLS, CAMPAIGNS


class DiallerSettings(Settings):
    """What the dialler is told besides."""

    telephony: Path


async def main(settings: DiallerSettings, telephonies: Sequence[TelephonySettings]) -> None:
    """Call the contacts of voice campaigns until SIGTERM."""
    async with connected("dialler", settings, SCHEMA) as resources, AsyncExitStack() as open_lines:
        switchboards = {
            one.id: Switchboard(await open_lines.enter_async_context(open_telephony(one)))
            for one in telephonies
        }
        owner = resources.owner
        campaigns = SharedProjector(CAMPAIGNS, resources.nc, resources.db, owner=owner)
        calls = SharedProjector(CALLS, resources.nc, resources.db, owner=owner)
        views = Views(campaigns.view, calls.view, resources.mongo["campaign"])
        await views.prepare()
        owners = Owners(resources, views, campaigns, calls, switchboards, owner)
        campaigns.committed, campaigns.moved = owners.heard, owners.look_soon
        app = api("dialler", resources)
        app.include_router(call_routes(views))
        app.state.projectors = [campaigns, calls]
        upkeep = Upkeep(resources, [campaigns, calls])
        await upkeep.prepare()
        upkeep.serve(app)
        await run(
            app,
            resources,
            {
                "campaigns view": campaigns.run(),
                "calls view": calls.run(),
                **upkeep.work(),
                "health": Health(resources.nc, owners, switchboards).run(),
                **{f"telephony {name}": one.run() for name, one in switchboards.items()},
                "owners": owners.run(),
                "shares": owners.shares.run(),
            },
        )


def start() -> None:
    """Read the environment and run."""
    settings = DiallerSettings.model_validate({})
    try:
        telephonies = TELEPHONY_FILE.load(settings.telephony)
    except TableFileError as error:
        sys.exit(f"dialler: the telephony cannot be used:\n{error}")
    asyncio.run(main(settings, telephonies), loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    start()
