"""The dispatcher: reading order is start order, and stop order in reverse."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import uvloop

from campaign_events.envelope import Batch, new_id
from campaign_events.erasing import Erasing
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.projector import Projector
from campaign_events.service import api, connected, run
from campaign_events.settings import Settings
from campaign_events.table_file import TableFileError
from campaign_events.upkeep import Upkeep
from dispatcher.addressees import ADDRESSEES, Addressees
from dispatcher.api import add_routes
from dispatcher.erasing import DispatcherErasing
from dispatcher.health import Health
from dispatcher.inbound import OptOuts
from dispatcher.links.file import LINKS_FILE
from dispatcher.links.settings import LinkSettings
from dispatcher.migrations import SCHEMA
from dispatcher.owning import LinkOwner
from dispatcher.pushes import Pushes
from dispatcher.pushing import Stores
from dispatcher.pushing_api import pushing_routes
from dispatcher.reading import Views
from dispatcher.suppressed import SUPPRESSED
from dispatcher.suppression_files import SuppressionFiles
from dispatcher.suppressions import Suppressions
from dispatcher.suppressions_api import suppression_routes
from dispatcher.under_way import UnderWay
from dispatcher.views import CAMPAIGNS, MESSAGES


class DispatcherSettings(Settings):
    """What the dispatcher is told besides."""

    links: Path
    delivery_wait_s: float = 3600
    undecided_wait_s: float = 20
    """How long a report may take to tell about a message whose submit was not answered."""
    upload_limit_bytes: int = 1024**3
    """How large a file for the opt-out list may be."""


async def main(settings: DispatcherSettings, links: Sequence[LinkSettings], secret: bytes) -> None:
    """Plan and send SMS until SIGTERM."""
    async with connected("dispatcher", settings, SCHEMA) as resources:
        keys = IdempotencyKeys(resources.db)
        await keys.prepare()
        listed = Projector(SUPPRESSED, resources.nc, resources.db)
        suppressions = Suppressions(resources.log, resources.db, secret, listed)
        listed.committed = suppressions.heard
        files = SuppressionFiles(suppressions, resources.db)
        await files.prepare()

        async def told(batch: Batch) -> None:
            under_way.heard(batch)
            for owner in owners:
                owner.heard(batch)

        async def planned(batch: Batch) -> None:
            for owner in owners:
                owner.heard_plans(batch)

        campaigns = Projector(CAMPAIGNS, resources.nc, resources.db, told)
        messages = Projector(MESSAGES, resources.nc, resources.db, planned)
        addressed = Projector(ADDRESSEES, resources.nc, resources.db)
        views = Views(campaigns.view, messages.view, resources.mongo["campaign"])
        under_way = UnderWay(views, resources.log, campaigns)
        addressees = Addressees(addressed.view)
        pushes = Pushes(Stores(resources.log, views, messages, suppressions))
        await pushes.prepare()
        owners = [
            LinkOwner(
                resources=resources,
                settings=link,
                views=views,
                projectors=(campaigns, messages, addressed),
                suppressions=suppressions,
                opt_outs=OptOuts(suppressions, addressees),
                pushes=pushes,
                secret=secret,
                owner=new_id(),
                delivery_wait=timedelta(seconds=settings.delivery_wait_s),
                undecided_wait_s=settings.undecided_wait_s,
            )
            for link in links
        ]
        app = api("dispatcher", resources)
        keys.serve(app)
        health = Health(resources.nc, owners)
        opting_out = suppression_routes(
            suppressions, files, addressees, settings.upload_limit_bytes
        )
        add_routes(app, views, health, opting_out, pushing_routes(pushes, under_way))
        app.state.projectors = [campaigns, messages, addressed]
        erasing: Erasing = app.state.erasing
        erasing.of(DispatcherErasing(resources.db, views, owners))
        upkeep = Upkeep(resources, [campaigns, messages, addressed, listed])
        await upkeep.prepare()
        upkeep.serve(app)
        await run(
            app,
            resources,
            {
                "campaigns view": campaigns.run(),
                "messages view": messages.run(),
                "addressees view": addressed.run(),
                "suppressed view": listed.run(),
                **upkeep.work(),
                "health": health.run(),
                "pushes": pushes.run(),
                **{f"link {owner.settings.id}": owner.run() for owner in owners},
            },
        )


def start() -> None:
    """Read the environment and run."""
    settings = DispatcherSettings.model_validate({})
    try:
        links = LINKS_FILE.load(settings.links)
    except TableFileError as error:
        sys.exit(f"dispatcher: the links cannot be used:\n{error}")
    secret = Path(settings.secret_file).read_bytes()
    asyncio.run(main(settings, links, secret), loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    start()
