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

UP = Gauge(
    "carillon_link_up", "1 while the link is owned here and a session of it is bound", ["link"]
)
GAUGES: Final = {
    "sessions_up": Gauge("carillon_link_bound_sessions", "Sessions that are bound", ["link"]),
    "sessions": Gauge("carillon_link_sessions", "Sessions that should be bound", ["link"]),
    "window": Gauge(
        "carillon_link_window_submits", "Submits that may be unanswered at once", ["link"]
    ),
    "window_used": Gauge(
        "carillon_link_window_used_submits", "Submits without an answer", ["link"]
    ),
    "segments_per_second": Gauge(
        "carillon_link_limit_segments_per_second", "Configured rate", ["link"]
    ),
    "allowed_segments_per_second": Gauge(
        "carillon_link_allowed_segments_per_second", "Rate that throttling has left", ["link"]
    ),
    "unmatched_reports": Gauge(
        "carillon_link_stray_reports", "Reports that wait for their message", ["link"]
    ),
    "undecided_messages": Gauge(
        "carillon_link_undecided_messages", "Messages that the carrier may have", ["link"]
    ),
}
"""By what the owner of a link says of it."""

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
            _measure(owner.settings.id, state)
            if state is not None and self._nc.is_connected:
                await self._nc.publish(f"{LINKS}.{state['id']}", orjson.dumps(state))


def _measure(link: str, state: LinkState | None) -> None:
    """Show how a link is; of one that is owned elsewhere only that it is not up here."""
    UP.labels(link).set(state is not None and state["state"] == "up")
    for name, gauge in GAUGES.items():
        if state is not None:
            gauge.labels(link).set(state[name])
        else:
            gauge.remove(link)
