"""The campaign service: reading order is start order."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import uvloop
from fastapi import FastAPI
from pydantic import Field

from campaign.adding import Additions
from campaign.api import campaign_routes
from campaign.audience import Audiences
from campaign.contacts_api import contact_routes
from campaign.core import Core
from campaign.door import Door
from campaign.erasing import ContactErasing
from campaign.exclusions import Exclusions
from campaign.launching import DUE, Launcher
from campaign.migrations import SCHEMA
from campaign.reactions import follow_others, reactions
from campaign.settings_api import settings_routes
from campaign.suppressed import SUPPRESSED, SuppressionList
from campaign.sweeping import Sweeper
from campaign.upload_pace import UploadPace
from campaign.uploading import upload_routes
from campaign.uploads import Uploads
from campaign_events.erasing import Erasing
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.service import Resources, api, connected, run
from campaign_events.settings import Settings
from campaign_events.shared_projection import SharedProjector
from campaign_events.upkeep import Upkeep


class CampaignSettings(Settings):
    """What the campaign service is told besides."""

    upload_limit_bytes: int = 1024**3
    upload_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """How much of the time uploads may take while messages go out; 1 is all of it."""


async def compose(
    resources: Resources, secret: bytes, upload_limit: int, upload_share: float
) -> tuple[FastAPI, dict[str, Coroutine[Any, Any, None]]]:
    """Return the HTTP app and the work beside it, with everything prepared in MongoDB."""
    db, log = resources.db, resources.log
    keys, audiences = IdempotencyKeys(db), Audiences(db)
    await keys.prepare()
    await audiences.prepare()

    core = Core(resources.nc)
    due = SharedProjector(DUE, resources.nc, db, owner=resources.owner)
    launcher = Launcher(due.view, log, core)
    due.committed = launcher.look_soon
    suppressed = SharedProjector(SUPPRESSED, resources.nc, db, owner=resources.owner)

    door = Door(log, core)
    app = api("campaign", resources)
    keys.serve(app)
    app.include_router(campaign_routes(door, audiences))
    app.include_router(settings_routes(door, resources.settings.audit_retention_days))
    suppressions = SuppressionList(suppressed.view, secret)
    uploads = Uploads(log, audiences, suppressions, UploadPace(core.is_sending, upload_share))
    app.include_router(upload_routes(door, uploads, upload_limit))
    additions, exclusions = Additions(log, audiences, suppressions), Exclusions(log, audiences)
    app.include_router(contact_routes(door, additions, exclusions))
    app.state.projectors = [due, suppressed]
    erasing: Erasing = app.state.erasing
    erasing.of(ContactErasing(log, audiences))
    upkeep = Upkeep(resources, [due, suppressed])
    await upkeep.prepare()
    upkeep.serve(app)
    app.state.reactions = those = reactions(resources)
    return app, {
        "due view": due.run(),
        "suppressed view": suppressed.run(),
        **upkeep.work(),
        "core": core.watch(),
        "launching": launcher.run(),
        "sweeping": Sweeper(audiences, log).run(),
        "reactions": follow_others(resources, those),
    }


async def main(settings: CampaignSettings, secret: bytes) -> None:
    """Decide about campaigns until SIGTERM."""
    async with connected("campaign", settings, SCHEMA) as resources:
        app, work = await compose(
            resources, secret, settings.upload_limit_bytes, settings.upload_share
        )
        await run(app, resources, work)


def start() -> None:
    """Read the environment and run."""
    settings = CampaignSettings.model_validate({})
    secret = Path(settings.secret_file).read_bytes()
    asyncio.run(main(settings, secret), loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    start()
