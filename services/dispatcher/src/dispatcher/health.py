"""`core.health`: whoever wants to start something asks whether the dispatcher is there.

A link is known to its owner only; owners tell the other dispatchers every second how it is.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import Gauge

from dispatcher.owning import LinkOwner

SUBJECT: Final = "core.health"
LINKS: Final = "core.link"
TELL_S: Final = 1.0
HOLDS_S: Final = 3.0
"""What another dispatcher said of its link counts for so long."""

UP = Gauge("carillon_link_up", "1 while a session of the link is bound", ["link"])
SESSIONS_UP = Gauge("carillon_link_sessions_up", "Bound sessions", ["link"])
SESSIONS = Gauge("carillon_link_sessions", "Sessions that should be bound", ["link"])
WINDOW_USED = Gauge("carillon_link_window_used_submits", "Submits without an answer", ["link"])
ALLOWED = Gauge(
    "carillon_link_allowed_segments_per_second", "Rate that throttling has left", ["link"]
)
THROTTLED = Gauge(
    "carillon_link_throttled_ratio", "Recent share of submits refused as too fast", ["link"]
)
RECONNECTS = Gauge("carillon_link_reconnects", "Binds after the first ones", ["link"])
UNMATCHED = Gauge("carillon_link_unmatched_reports", "Kept reports on unknown ids", ["link"])
UNDECIDED = Gauge(
    "carillon_link_undecided_messages", "Messages that the carrier may have", ["link"]
)

type LinkState = dict[str, Any]


class Health:
    """Answers `{"status": "ok", "links": [{id, name, segments_per_second, state, …}]}`."""

    def __init__(self, nc: Client, owners: Sequence[LinkOwner]) -> None:
        self._nc = nc
        self._owners = owners
        self._heard: dict[str, tuple[float, LinkState]] = {}

    def links(self) -> list[LinkState]:
        """Return every configured link and how it is, whoever owns it."""
        return [self._link(owner) for owner in self._owners]

    def _link(self, owner: LinkOwner) -> LinkState:
        own = owner.health()
        if own is not None:
            return own
        heard_at, heard = self._heard.get(owner.settings.id, (float("-inf"), {}))
        if time.monotonic() - heard_at <= HOLDS_S:
            return heard
        return {**owner.settings.shown(), "state": "down"}

    async def run(self) -> None:
        """Answer and tell until cancelled; one of several dispatchers answers each question."""
        answering = await self._nc.subscribe(SUBJECT, queue="dispatcher", cb=self._answer)
        hearing = await self._nc.subscribe(f"{LINKS}.*", cb=self._hear)
        try:
            while True:
                await self._tell()
                await asyncio.sleep(TELL_S)
        finally:
            if not self._nc.is_closed:
                await answering.unsubscribe()
                await hearing.unsubscribe()

    async def _answer(self, question: Msg) -> None:
        await question.respond(orjson.dumps({"status": "ok", "links": self.links()}))

    async def _hear(self, told: Msg) -> None:
        link = told.subject.removeprefix(f"{LINKS}.")
        self._heard[link] = time.monotonic(), orjson.loads(told.data)

    async def _tell(self) -> None:
        """Tell the others, and the metrics, how the links of this process are."""
        for owner in self._owners:
            state = owner.health()
            if state is None:
                continue
            _measure(state)
            if self._nc.is_connected:
                await self._nc.publish(f"{LINKS}.{state['id']}", orjson.dumps(state))


def _measure(state: LinkState) -> None:
    link = state["id"]
    UP.labels(link).set(state["state"] == "up")
    SESSIONS_UP.labels(link).set(state["sessions_up"])
    SESSIONS.labels(link).set(state["sessions"])
    WINDOW_USED.labels(link).set(state["window_used"])
    ALLOWED.labels(link).set(state["allowed_segments_per_second"])
    THROTTLED.labels(link).set(state["throttled_share"])
    RECONNECTS.labels(link).set(state["reconnects"])
    UNMATCHED.labels(link).set(state["unmatched_reports"])
    UNDECIDED.labels(link).set(state["undecided_messages"])
