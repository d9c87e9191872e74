"""What a service finds out about itself every two seconds: lag of views, of reactions, its loop."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import nats.errors
import nats.js.errors
import structlog
from prometheus_client import Gauge

from campaign_events.eventlog import EventLog, Unavailable
from campaign_events.projector import Projector
from campaign_events.topology import Reader

BUILD = Gauge(
    "carillon_build_info", "Which service this is, and its version", ["service", "version"]
)
LOOP_LAG = Gauge("carillon_loop_lag_seconds", "How late a timer of the event loop was, at worst")
VIEW_LAG = Gauge(
    "carillon_projection_lag_entries",
    "How far a view is behind the last entry that concerns it",
    ["projection"],
)
VIEW_LAG_S = Gauge(
    "carillon_projection_lag_seconds",
    "For how long the oldest entry that it is known to lack has been there",
    ["projection"],
)
REACTION_LAG = Gauge(
    "carillon_reaction_lag_entries", "Entries that a reaction has not acknowledged", ["reaction"]
)

LOOK_S = 2.0
TICK_S = 0.1
MOST_SEEN = 1_000

log = structlog.get_logger(__name__)


def version_of_platform() -> str:
    """Return the version that all parts of the platform have in common."""
    return version("carillon-campaign-events")


@dataclass(slots=True)
class Age:
    """For how long a view has lacked something, from ends of the log as they were seen."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def at(self, now: float, end: int, seq: int) -> float:
        """Return it for a view at `seq`, of a log that ends at `end` now."""
        seen = self._seen
        if len(seen) < MOST_SEEN and (not seen or seen[-1][1] < end):
            seen.append((now, end))
        while seen and seen[0][1] <= seq:
            seen.popleft()
        return now - seen[0][0] if seen else 0.0


@dataclass(slots=True)
class Vitals:
    """Keeps those gauges true, also while a view or a reaction stands still."""

    name: str
    event_log: EventLog
    projectors: Sequence[Projector]
    reactions: Sequence[Reader]
    _ages: dict[str, Age] = field(default_factory=dict)

    def work(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return what must run for as long as the service does, by name."""
        BUILD.labels(self.name, version_of_platform()).set(1)
        return {"lags": self._look(), "loop lag": _tick()}

    async def _look(self) -> None:
        while True:
            try:
                await asyncio.gather(
                    *(self._view(one) for one in self.projectors),
                    *(self._reaction(one) for one in self.reactions),
                )
            except (Unavailable, nats.errors.Error, nats.js.errors.Error) as error:
                log.info("lags are not known", why=repr(error))
            await asyncio.sleep(LOOK_S)

    async def _view(self, projector: Projector) -> None:
        projection = projector.projection
        end = await self.event_log.last_seq(projection.stream, projection.subject)
        age = self._ages.setdefault(projection.name, Age())
        now = asyncio.get_running_loop().time()
        VIEW_LAG.labels(projection.name).set(max(end - projector.seq, 0))
        VIEW_LAG_S.labels(projection.name).set(age.at(now, end, projector.seq))

    async def _reaction(self, reader: Reader) -> None:
        left = await self.event_log.unacknowledged(reader.stream, reader.durable)
        REACTION_LAG.labels(reader.durable).set(left)


async def _tick() -> None:
    """Find out how late the loop wakes up who wants to be woken."""
    loop = asyncio.get_running_loop()
    worst, told = 0.0, loop.time()
    while True:
        due = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        now = loop.time()
        worst = max(worst, now - due)
        if now - told >= LOOK_S:
            LOOP_LAG.set(worst)
            worst, told = 0.0, now
