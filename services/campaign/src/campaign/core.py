"""Whether core is there: the dispatcher and its links, and for voice the dialler too."""

import asyncio
import time

import nats.errors
import orjson
from nats.aio.client import Client
from prometheus_client import Gauge
from pydantic import BaseModel, ValidationError

from campaign_events.seen import HOLDS_S, Seen

UP = Gauge("carillon_core_up", "1 while the dispatcher, or the dialler, answers", ["core"])

DISPATCHER = "core.health"
DIALLER = "core.health.voice"
TIMEOUT_S = 0.5
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


def _asked[T: Health](nc: Client, subject: str, answer: type[T], core: str) -> Seen[T | None]:
    """Return how a service is, asked at most once a second; None while it is down."""

    async def ask() -> T | None:
        try:
            reply = await nc.request(subject, b"", timeout=TIMEOUT_S)
            told = answer.model_validate(orjson.loads(reply.data))
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError, ValidationError):
            told = None
        health = told if told is not None and told.status == "ok" else None
        UP.labels(core).set(health is not None)
        return health

    return Seen(ask, None)


class Core:
    """What nothing can be started without."""

    def __init__(self, nc: Client) -> None:
        self._dispatcher = _asked(nc, DISPATCHER, CoreHealth, "sms")
        self._dialler = _asked(nc, DIALLER, VoiceHealth, "voice")
        self._busy_until = float("-inf")

    async def health(self) -> CoreHealth | None:
        """Return the dispatcher's health, or None when it is down."""
        health = await self._dispatcher.get(HOLDS_S)
        if health is not None and any(link.is_busy for link in health.links):
            self._busy_until = time.monotonic() + BUSY_S
        return health

    def is_sending(self) -> bool:
        """Tell whether messages go out as fast as they can, as far as `watch` has seen."""
        return time.monotonic() < self._busy_until

    async def voice(self) -> VoiceHealth | None:
        """Return the dialler's health, or None when it is down."""
        return await self._dialler.get(HOLDS_S)

    async def watch(self) -> None:
        """Have the metrics true also while nobody wants to know, for ever."""
        while True:
            await asyncio.gather(self.health(), self.voice())
            await asyncio.sleep(WATCH_S)
