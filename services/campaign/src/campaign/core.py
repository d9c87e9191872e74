"""Whether core (the dispatcher) is there, and which links it knows."""

import time

import nats.errors
import orjson
from nats.aio.client import Client
from pydantic import BaseModel, ValidationError

SUBJECT = "core.health"
TIMEOUT_S = 0.5
FRESH_S = 1.0


class CoreLink(BaseModel):
    """A carrier link as core knows it; more fields may come."""

    id: str


class CoreHealth(BaseModel):
    """Core's own answer."""

    status: str
    links: list[CoreLink] = []


class Core:
    """Asks core at most once a second."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._asked = float("-inf")
        self._health: CoreHealth | None = None

    async def health(self) -> CoreHealth | None:
        """Return core's health, or None when it is down."""
        now = time.monotonic()
        if now - self._asked >= FRESH_S:
            self._health = await self._ask()
            self._asked = now
        return self._health

    async def _ask(self) -> CoreHealth | None:
        try:
            reply = await self._nc.request(SUBJECT, b"", timeout=TIMEOUT_S)
            health = CoreHealth.model_validate(orjson.loads(reply.data))
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError, ValidationError):
            return None
        return health if health.status == "ok" else None
