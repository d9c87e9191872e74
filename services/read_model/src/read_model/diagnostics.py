"""Is everything all right? Answers also while MongoDB or NATS are away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from campaign_events.projection import Database
from campaign_events.seen import HOLDS_S, Seen
from read_model.audit_waiting import Waiting
from read_model.core import Core, Health
from read_model.places import Places
from read_model.schemas import Schemas

DEFAULT_DAYS = 90
PATIENCE_S = 0.5


@dataclass(slots=True)
class Diagnostics:
    """Looks at most once a second, however many want to know."""

    core: Core
    places: Places
    db: Database
    waiting: Waiting
    schemas: Schemas
    retention: Callable[[str], int] = lambda _: DEFAULT_DAYS
    """For how many days a workspace's audit records are kept."""
    _seen: Seen[tuple[dict[str, Any], Health]] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = Seen(self._look, ({}, Health("down", None)))

    async def shown(
        self, workspace: str, *, details: bool = False, within_s: float = HOLDS_S
    ) -> dict[str, Any]:
        """Return the state of the platform as it was within the last second, or `within_s`.

        `details` are what administrators may know besides.
        """
        seen, health = await self._seen.get(within_s)
        kept = {"retention_days": self.retention(workspace)}
        links = health.shown_links(details=details)
        return seen | {"audit": kept | seen["audit"], "links": links}

    async def _look(self) -> tuple[dict[str, Any], Health]:
        health, mongo, (views, log_answers), schemas = await asyncio.gather(
            self.core.health(), self._database(), self.places.shown(), self.schemas.shown()
        )
        seen = {
            "core_api": health.shown,
            "db_schema": schemas,
            "audit": self.waiting.shown(),
            "projections": views,
            "nats": "ok" if log_answers else "down",
            "mongo": mongo,
        }
        return seen, health

    async def _database(self) -> str:
        try:
            with pymongo.timeout(PATIENCE_S):
                await self.db.client.admin.command("ping")
        except PyMongoError:
            return "down"
        return "ok"
