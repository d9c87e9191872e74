"""Is everything all right? Answers also while MongoDB or NATS are away."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from campaign_events.projection import Database
from read_model.audit_waiting import Waiting
from read_model.core import Core, Health
from read_model.places import Places
from read_model.schemas import Schemas

DEFAULT_DAYS = 90
PATIENCE_S = 0.5
HOLDS_S = 1.0


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
    _seen: dict[str, Any] = field(default_factory=dict)
    _core: Health = field(default_factory=lambda: Health("down", None))
    _looked_at: float = float("-inf")
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def shown(self, workspace: str, *, details: bool = False) -> dict[str, Any]:
        """Return the state of the platform as it was within the last second.

        `details` are what administrators may know besides.
        """
        async with self._looking:
            if time.monotonic() - self._looked_at > HOLDS_S:
                self._seen = await self._look()
                self._looked_at = time.monotonic()
            kept = {"retention_days": self.retention(workspace)}
            links = self._core.shown_links(details=details)
            return self._seen | {"audit": kept | self._seen["audit"], "links": links}

    async def _look(self) -> dict[str, Any]:
        health, mongo, (views, log_answers), schemas = await asyncio.gather(
            self.core.health(), self._database(), self.places.shown(), self.schemas.shown()
        )
        self._core = health
        return {
            "core_api": health.shown,
            "db_schema": schemas,
            "audit": self.waiting.shown(),
            "projections": views,
            "nats": "ok" if log_answers else "down",
            "mongo": mongo,
        }

    async def _database(self) -> str:
        try:
            with pymongo.timeout(PATIENCE_S):
                await self.db.client.admin.command("ping")
        except PyMongoError:
            return "down"
        return "ok"
