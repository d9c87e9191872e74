"""How fast a link may go: a token bucket in segments, which slows down when the carrier asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.links.link import Answer

BURST_S = 0.25
SLOWEST = 0.05
RECOVERY_PER_S = 0.15
SLOWDOWN = 0.5
SLOWDOWN_AT_MOST_EVERY_S = 1.0
REMEMBERED_S = 10.0
FORGOTTEN = 0.5


@dataclass(slots=True)
class Rate:
    """Segments per second with a short burst. The clock comes in with each question.

    Throttling halves the rate at most once a second; without it, the rate climbs back by 15 % of
    the full rate each second, so a link that was slowed to the ground is at full speed within 7 s.
    """

    full_per_s: float
    tokens: float = 0.0
    share: float = 1.0
    _refilled_at: float | None = None
    _slowed_at: float = float("-inf")

    def room(self, now: float) -> int:
        """Return how many segments may go out now."""
        if self._refilled_at is None:
            self._refilled_at = now
        passed = now - self._refilled_at
        self._refilled_at = now
        if now - self._slowed_at > SLOWDOWN_AT_MOST_EVERY_S:
            self.share = min(1.0, self.share + passed * RECOVERY_PER_S)
        per_s = self.full_per_s * self.share
        self.tokens = min(self.tokens + passed * per_s, max(1.0, per_s * BURST_S))
        return int(self.tokens)

    def spend(self, segments: int) -> None:
        """Take what went out; a long message may go into debt that the next seconds pay."""
        self.tokens -= segments

    def throttled(self, now: float) -> None:
        """Slow down: the carrier said that it is too much."""
        if now - self._slowed_at > SLOWDOWN_AT_MOST_EVERY_S:
            self._slowed_at = now
            self.share = max(SLOWEST, self.share * SLOWDOWN)

    def wait_s(self) -> float:
        """Return how long until the next segment may go."""
        return max(0.0, (1 - self.tokens) / (self.full_per_s * self.share))


@dataclass(slots=True)
class Throttling:
    """Which share of the answers of about the last ten seconds said that it is too much."""

    _answers: float = 0.0
    _throttled: float = 0.0
    _at: float = 0.0

    def heard(self, answers: Sequence[Answer], now: float) -> None:
        """Count answers that have come now."""
        self._fade(now)
        self._answers += len(answers)
        self._throttled += sum(answer.verdict == "throttled" for answer in answers)

    def share(self, now: float) -> float:
        """Return the share; 0 when there was nothing to answer for long."""
        self._fade(now)
        return self._throttled / self._answers if self._answers >= FORGOTTEN else 0.0

    def _fade(self, now: float) -> None:
        faded = 0.5 ** ((now - self._at) / REMEMBERED_S)
        self._at = now
        self._answers *= faded
        self._throttled *= faded
