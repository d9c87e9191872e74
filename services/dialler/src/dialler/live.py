"""How a campaign's dialling goes just now, for people who look at it. No I/O, no clock."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaign_events.envelope import rfc3339
from dialler.run import Run
from dialler.talking import Talking

RECENT_S = 60.0
"""What rates are taken over."""
LONG_S = 600.0
"""Conversations and ends are rarer: their rates are taken over so long."""
LATELY_S = 5.0
SMOOTHING = 0.1
HOUR_S = 3600.0

type LiveBlock = dict[str, Any]


@dataclass(slots=True)
class Recent:
    """When something happened in the last moments."""

    span_s: float
    since: float
    _times: deque[tuple[float, int]] = field(default_factory=deque)
    _count: int = 0

    def add(self, now: float, count: int) -> None:
        """Count what happens now."""
        if count:
            self._times.append((now, count))
            self._count += count

    def per_s(self, now: float) -> float:
        """Return how often it happened per second."""
        while self._times and self._times[0][0] < now - self.span_s:
            self._count -= self._times.popleft()[1]
        return self._count / max(min(self.span_s, now - self.since), 1.0)


class Pulse:
    """The rates of one run."""

    def __init__(self, now: float) -> None:
        self._dials = Recent(RECENT_S, now)
        self._connected = Recent(LONG_S, now)
        self._final = Recent(LONG_S, now)
        self._ring_s: float | None = None
        self._last_dial_at: datetime | None = None

    def dialled(self, now: datetime, count: int) -> None:
        """Calls are placed."""
        self._last_dial_at = now
        self._dials.add(now.timestamp(), count)

    def connected(self, now: float, count: int) -> None:
        """People reach a seat."""
        self._connected.add(now, count)

    def final(self, now: float, count: int) -> None:
        """Contacts have come to their end."""
        self._final.add(now, count)

    def rang(self, seconds: float) -> None:
        """A phone has rung for so long."""
        before = seconds if self._ring_s is None else self._ring_s
        self._ring_s = before + SMOOTHING * (seconds - before)

    def block(self, run: Run, talking: Talking, now: datetime) -> LiveBlock:
        """Return the `live` block of a campaign."""
        at = now.timestamp()
        done_per_s = self._final.per_s(at)
        left = run.waiting + len(talking.calls)
        return {
            "ringing": talking.count("dialling", "ringing"),
            "in_progress": talking.count("in_progress"),
            "dials_per_s": round(self._dials.per_s(at), 3),
            "connected_per_h": round(self._connected.per_s(at) * HOUR_S, 1),
            "avg_ring_s": None if self._ring_s is None else round(self._ring_s, 1),
            "last_dial_at": None if self._last_dial_at is None else rfc3339(self._last_dial_at),
            "pending": run.pending,
            "retries_queued": run.retries,
            "eta_s": round(left / done_per_s) if done_per_s else None,
            "state": self._state(run, talking, now),
        }

    def _state(self, run: Run, talking: Talking, now: datetime) -> str:
        lately = self._last_dial_at
        if talking.calls or (lately and (now - lately).total_seconds() < LATELY_S):
            return "live"
        if run.status == "running" and run.waiting and not run.open_now(now):
            return "outside_window"
        return "idle"
