"""Whether core is there: the dispatcher and its links, and for voice the dialler too."""

import asyncio
import time

import nats.errors
import orjson
from nats.aio.client import Client
from prometheus_client import Gauge
from pydantic import BaseModel, ValidationError

UP = Gauge("carillon_core_up", "1 while the dispatcher, or the dialler, answers", ["core"])

DISPATCHER = "core.health"
DIALLER = "core.health.voice"
TIMEOUT_S = 0.5
FRESH_S = 1.0
WATCH_S = 1.0
BUSY_SHARE = 0.25
BUSY_S = 5.0
"""So long after a link was seen busy more is taken to follow."""


class Named(BaseModel):
    """A carrier link or a telephony side, as its owner knows it; more fields may come."""

    id: str


class CarrierLink(Named):
    """A carrier link; `window_used` is how many submits have no answer yet, of `window` at most."""

    window: int = 0
    window_used: int = 0

    @property
    def is_busy(self) -> bool:
        """Whether it sends as fast as it can: a link that waits for its own rate uses less."""
        return self.window_used > self.window * BUSY_SHARE


class Health(BaseModel):
    """How a service says that it is."""

    status: str


class CoreHealth(Health):
    """The dispatcher's own answer."""

    links: list[CarrierLink] = []


class VoiceHealth(Health):
    """The dialler's own answer."""

    telephony: list[Named] = []


class _Asked[T: Health]:
    """Asks one service at most once a second."""

    def __init__(self, nc: Client, subject: str, answer: type[T], core: str) -> None:
        self._nc = nc
        self._subject = subject
        self._answer = answer
        self._core = core
        self._asked = float("-inf")
        self._health: T | None = None

    async def health(self) -> T | None:
        now = time.monotonic()
        if now - self._asked >= FRESH_S:
            self._health = await self._ask()
            self._asked = now
            UP.labels(self._core).set(self._health is not None)
        return self._health

    async def _ask(self) -> T | None:
        try:
            reply = await self._nc.request(self._subject, b"", timeout=TIMEOUT_S)
            health = self._answer.model_validate(orjson.loads(reply.data))
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError, ValidationError):
            return None
        return health if health.status == "ok" else None


class Core:
    """What nothing can be started without."""

    def __init__(self, nc: Client) -> None:
        self._dispatcher = _Asked(nc, DISPATCHER, CoreHealth, "sms")
        self._dialler = _Asked(nc, DIALLER, VoiceHealth, "voice")
        self._busy_until = float("-inf")

    async def health(self) -> CoreHealth | None:
        """Return the dispatcher's health, or None when it is down."""
        health = await self._dispatcher.health()
        if health is not None and any(link.is_busy for link in health.links):
            self._busy_until = time.monotonic() + BUSY_S
        return health

    def is_sending(self) -> bool:
        """Tell whether messages go out as fast as they can, as far as `watch` has seen."""
        return time.monotonic() < self._busy_until

    async def voice(self) -> VoiceHealth | None:
        """Return the dialler's health, or None when it is down."""
        return await self._dialler.health()

    async def watch(self) -> None:
        """Have the metrics true also while nobody wants to know, for ever."""
        while True:
            await asyncio.gather(self.health(), self.voice())
            await asyncio.sleep(WATCH_S)
