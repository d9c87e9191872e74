"""`core.health`: whoever wants to start something asks whether the dispatcher is there."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from dispatcher.owning import LinkOwner

SUBJECT = "core.health"


class Health:
    """Answers `{"status": "ok", "links": [{id, name, segments_per_second, state}]}`."""

    def __init__(self, nc: Client, owners: Sequence[LinkOwner]) -> None:
        self._nc = nc
        self._owners = owners

    def links(self) -> list[dict[str, Any]]:
        """Return every configured link and whether it is bound."""
        return [
            {
                "id": owner.settings.id,
                "name": owner.settings.title,
                "segments_per_second": owner.settings.segments_per_second,
                "state": owner.state,
            }
            for owner in self._owners
        ]

    async def run(self) -> None:
        """Answer until cancelled; one of several dispatchers answers each question."""
        subscription = await self._nc.subscribe(SUBJECT, queue="dispatcher", cb=self._answer)
        try:
            await asyncio.Event().wait()
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def _answer(self, question: Msg) -> None:
        await question.respond(orjson.dumps({"status": "ok", "links": self.links()}))
