"""Is everything all right? Answers also while MongoDB or NATS are away."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import pymongo
from nats.aio.client import Client
from pymongo.errors import PyMongoError

from campaign_events.envelope import Position
from campaign_events.eventlog import EventLog, Unavailable
from campaign_events.projection import Database
from campaign_events.projector import Projector
from read_model import schema
from read_model.audit_waiting import Waiting
from read_model.core import Core, Health

DEFAULT_DAYS = 90
PATIENCE_S = 0.5
HOLDS_S = 1.0


@dataclass(slots=True)
class Diagnostics:
    """Looks at most once a second, however many want to know."""

    core: Core
    nc: Client
    db: Database
    log: EventLog
    projectors: Sequence[Projector]
    waiting: Waiting
    retention: Callable[[str], int] = lambda _: DEFAULT_DAYS
    """For how many days a workspace's audit records are kept."""
    parked: Callable[[Projector], int] = lambda _: 0
    """How many events a view could not digest, with those that wait behind them."""
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
        health, (mongo, version), ends = await asyncio.gather(
            self.core.health(), self._database(), self._ends()
        )
        self._core = health
        return {
            "core_api": health.shown,
            "db_schema": {
                "version": version,
                "expected": schema.VERSION,
                "ok": version == schema.VERSION,
            },
            "audit": self.waiting.shown(),
            "projections": [self._projection(projector, ends) for projector in self.projectors],
            "nats": "ok" if ends else "down",
            "mongo": mongo,
        }

    async def _database(self) -> tuple[str, int | None]:
        try:
            with pymongo.timeout(PATIENCE_S):
                return "ok", await schema.version(self.db)
        except PyMongoError:
            return "down", None

    async def _ends(self) -> dict[str, int]:
        """Return the last sequence of each stream; nothing when the log does not answer."""
        streams = sorted({projector.projection.stream for projector in self.projectors})
        if not self.nc.is_connected:
            return {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                ends = await asyncio.gather(*(self.log.last_seq(stream) for stream in streams))
        except (nats.errors.Error, Unavailable, TimeoutError):
            return {}
        return dict(zip(streams, ends, strict=True))

    def _projection(self, projector: Projector, ends: dict[str, int]) -> dict[str, Any]:
        stream = projector.projection.stream
        end = ends.get(stream, projector.seq + projector.pending)
        return {
            "name": projector.projection.name,
            "position": str(Position.of(stream, projector.seq)),
            "lag": max(0, end - projector.seq),
            "parked": self.parked(projector),
        }
