"""Is the core there? The dispatcher answers `core.health`; its answer holds for a second."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import nats.errors
import orjson
from nats.aio.client import Client

SUBJECT = "core.health"
PATIENCE_S = 0.5
HOLDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the core said, and how long that took; no answer is `down`, and tells of no link."""

    status: Literal["ok", "down"]
    latency_ms: float | None
    links: tuple[dict[str, Any], ...] = ()

    @property
    def shown(self) -> dict[str, Any]:
        """The health as the diagnostics show it."""
        return {"status": self.status, "latency_ms": self.latency_ms}

    def shown_links(self, *, details: bool) -> list[dict[str, Any]]:
        """Return every carrier link: its id and state, or all that is known of it."""
        if details:
            return list(self.links)
        return [{"id": link.get("id"), "state": link.get("state")} for link in self.links]


@dataclass(slots=True)
class Core:
    """Asks the core at most once a second, however many want to know."""

    nc: Client
    _health: Health = Health("down", None)
    _asked_at: float = float("-inf")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def health(self) -> Health:
        """Return what the core said within the last second."""
        async with self._asking:
            if time.monotonic() - self._asked_at > HOLDS_S:
                self._health = await self._ask()
                self._asked_at = time.monotonic()
            return self._health

    async def _ask(self) -> Health:
        asked_at = time.perf_counter()
        try:
            reply = await self.nc.request(SUBJECT, b"", timeout=PATIENCE_S)
            answer = orjson.loads(reply.data)
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError):
            return Health("down", None)
        latency_ms = round((time.perf_counter() - asked_at) * 1000, 2)
        if not isinstance(answer, dict) or answer.get("status") != "ok":
            return Health("down", latency_ms)
        links = tuple(link for link in answer.get("links", ()) if isinstance(link, dict))
        return Health("ok", latency_ms, links)
