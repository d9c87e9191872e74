"""Is the core there? The dispatcher answers `core.health`."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import nats.errors
import orjson
from nats.aio.client import Client

from campaign_events.seen import Seen

SUBJECT = "core.health"
PATIENCE_S = 0.5


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
    _health: Seen[Health] = field(init=False)

    def __post_init__(self) -> None:
        self._health = Seen(self._ask, Health("down", None))

    async def health(self) -> Health:
        """Return what the core said within the last two seconds."""
        return await self._health.get()

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
