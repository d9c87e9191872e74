"""Too fast, or a bad moment: the refusals that are about time and not about the message."""

from random import Random

from smpp.status import Status, status_number
from smsc.config import Throttle


class Gate:
    """Says of each submit whether it comes too fast; one rate per system_id."""

    def __init__(self, throttle: Throttle, seed: int, started: float) -> None:
        self._throttle = throttle
        self._started = started
        self._chance = Random(seed)  # noqa: S311 - weather, not secrets
        self._burst = throttle.burst or max(1.0, throttle.per_second)
        self._buckets: dict[str, tuple[float, float]] = {}

    def refuses(self, system_id: str, now: float) -> int:
        """The status to refuse with, 0 to let it pass."""
        for storm in self._throttle.storms:
            if storm.rages(now - self._started) and self._chance.random() < storm.share:
                return status_number(storm.status)
        rate = self._throttle.per_second
        if not rate:
            return 0
        tokens, since = self._buckets.get(system_id, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * rate)
        if tokens < 1:
            self._buckets[system_id] = tokens, now
            return Status.ESME_RTHROTTLED
        self._buckets[system_id] = tokens - 1, now
        return 0
