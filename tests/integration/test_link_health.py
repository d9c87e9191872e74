"""How links are, as dispatchers tell each other."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from nats.aio.client import Client

from dispatcher.health import Health
from dispatcher.links.settings import LinkSettings
from dispatcher.owning import LinkOwner

KNOWN = {
    "sessions_up": 1,
    "sessions": 1,
    "window": 10,
    "window_used": 0,
    "allowed_segments_per_second": 100,
    "throttled_share": 0,
    "reconnects": 0,
    "unmatched_reports": 0,
    "undecided_messages": 0,
}


@dataclass
class Candidate:
    """An owner of a link, or one that waits to be."""

    settings: LinkSettings
    owns: bool

    def health(self) -> dict[str, Any] | None:
        return {**self.settings.shown(), "state": "up", **KNOWN} if self.owns else None


def dispatcher(nc: Client, link: str, *, owns: bool) -> Health:
    login = {"host": "127.0.0.1", "port": 1, "system_id": "c", "password": "p"}
    settings = LinkSettings.model_validate({"id": link, **login})
    return Health(nc, [cast("LinkOwner", Candidate(settings, owns))])


async def test_a_dispatcher_knows_of_a_link_what_its_owner_tells(
    nc: Client, workspace: str
) -> None:
    waiting = dispatcher(nc, workspace, owns=False)
    listening = asyncio.create_task(waiting.run())
    assert [link["state"] for link in waiting.links()] == ["down"]
    await asyncio.sleep(0)

    telling = asyncio.create_task(dispatcher(nc, workspace, owns=True).run())
    while waiting.links()[0]["state"] == "down":
        await asyncio.sleep(0.05)

    assert waiting.links()[0]["sessions_up"] == 1
    for task in (listening, telling):
        task.cancel()
    await asyncio.gather(listening, telling, return_exceptions=True)
