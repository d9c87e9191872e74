"""Campaigns whose own data can not be worked on rest, longer each time; the others go on."""

import time
from dataclasses import dataclass
from types import TracebackType

import structlog
from prometheus_client import Counter
from pymongo.errors import PyMongoError

from campaign_events.eventlog import Rejected
from campaign_events.faults import said, trace
from campaign_events.parking import AWAY

FAILURES = Counter(
    "carillon_campaign_failures", "Times that a campaign's own data could not be worked on"
)

FIRST_S = 1.0
LONGEST_S = 60.0
MOST_DOUBLINGS = 6
EVERYBODYS = (PyMongoError, Rejected, *AWAY)
"""Failures of what all campaigns need, and of ownership."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Rest:
    until: float
    failures: int


class Backoff:
    """Which campaigns rest after a failure of their own; one that has done well begins anew."""

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}

    def rests(self, campaign: str) -> bool:
        """Tell whether a campaign is to be passed over for now."""
        rest = self._rests.get(campaign)
        return rest is not None and time.monotonic() < rest.until

    def rest_s(self, campaign: str) -> float:
        """Return for how long it still rests."""
        rest = self._rests.get(campaign)
        return 0.0 if rest is None else max(0.0, rest.until - time.monotonic())

    def guarding(self, campaign: str) -> "_Guard":
        """Have the campaign rest when work on it fails of its own; other failures go on."""
        return _Guard(self, campaign)

    def own(self, campaign: str, error: Exception) -> bool:
        """Tell whether a failure is a campaign's own; then it rests."""
        if isinstance(error, EVERYBODYS):
            return False
        if self.rests(campaign):
            return True
        now = time.monotonic()
        self._rests = {
            name: rest for name, rest in self._rests.items() if now - rest.until < LONGEST_S
        }
        before = self._rests.get(campaign)
        failures = 0 if before is None else before.failures + 1
        pause = min(LONGEST_S, FIRST_S * 2 ** min(failures, MOST_DOUBLINGS))
        self._rests[campaign] = _Rest(now + pause, failures)
        FAILURES.inc()
        log.error(
            "campaign passed over",
            campaign=campaign,
            why=said(error),
            trace=trace(error),
            retry_in_s=pause,
        )
        return True


class _Guard:
    """A generator would cost three times as much, and there is one for each campaign and turn."""

    __slots__ = ("_backoff", "_campaign")

    def __init__(self, backoff: Backoff, campaign: str) -> None:
        self._backoff = backoff
        self._campaign = campaign

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return isinstance(error, Exception) and self._backoff.own(self._campaign, error)
