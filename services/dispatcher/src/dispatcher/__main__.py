"""The dispatcher: reading order is start order, and stop order in reverse."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import uvloop

from campaign_events.entries import Heading
from campaign_events.erasing import Erasing
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.message import MessagesPlanned
from campaign_events.service import api, connected, run
from campaign_events.settings import Settings
from campaign_events.shared_projection import SharedProjector
from campaign_events.shares import Shares
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

PLANNED = MessagesPlanned.model_fields["type"].default


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
        nc, db, owner = resources.nc, resources.db, resources.owner
        listed = SharedProjector(SUPPRESSED, nc, db, owner=owner)
        suppressions = Suppressions(resources.log, db, secret, listed)
        await suppressions.prepare()
        files = SuppressionFiles(suppressions, resources.db)
        await files.prepare()

        async def told(headings: Sequence[Heading]) -> None:
            things = {heading.address.thing for heading in headings}
            under_way.heard(things)
            for owner in owners:
                owner.heard(things)

        async def planned(headings: Sequence[Heading]) -> None:
            things = {one.address.thing for one in headings if one.type == PLANNED}
            for owner in owners:
                owner.heard_plans(things)

        def campaigns_moved() -> None:
            under_way.forget()
            for one in owners:
                one.look_soon()

        def messages_moved() -> None:
            for one in owners:
                one.look_at_plans()

        campaigns = SharedProjector(CAMPAIGNS, nc, db, told, owner=owner, moved=campaigns_moved)
        messages = SharedProjector(MESSAGES, nc, db, planned, owner=owner, moved=messages_moved)
        addressed = SharedProjector(ADDRESSEES, nc, db, owner=owner)
        views = Views(campaigns.view, messages.view, resources.mongo["campaign"])
        under_way = UnderWay(views, resources.log, campaigns)
        addressees = Addressees(addressed.view)
        pushes = Pushes(Stores(resources.log, views, messages, suppressions))
        await pushes.prepare()
        shares = Shares(
            nc, "dispatcher", owner, lambda: [one.settings.id for one in owners if one.holds]
        )
        owners = [
            LinkOwner(
                resources=resources,
                settings=link,
                views=views,
                projectors=(campaigns, messages, addressed, listed),
                shares=shares,
                suppressions=suppressions,
                opt_outs=OptOuts(suppressions, addressees),
                pushes=pushes,
                secret=secret,
                owner=owner,
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
                "opt-outs": suppressions.run(),
                "shares": shares.run(),
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
