"""What becomes of a message: decided by the seed, its destination and its how-manieth try.

The same file and seed give every number the same fate in every run, whatever the timing, the
order, the sessions and the restarts. Throttling alone is about time, so it is outside of this
promise; a throttled submit does not count as a try. Tries are counted for the last
`memory.destinations` destinations.
"""

from collections import OrderedDict
from hashlib import blake2b
from math import log
from struct import Struct
from typing import NamedTuple

from smpp.status import status_number
from smsc.config import Config

_DRAWS = Struct(">8I")
_WHOLE = 2.0**32
_DELIVERED = "DELIVRD", "000"


class Fate(NamedTuple):
    """Everything about one submit that is left to chance; `refused` leaves the rest unused."""

    refused: int
    answered: bool
    latency: float
    stat: str
    error: str
    delay: float
    receipts: int
    early: bool
    reply: str | None


class Fates:
    """The book of fates for one configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seed = str(config.seed)
        self._tries: OrderedDict[str, int] = OrderedDict()
        self._answers = config.answers
        self._receipts = config.receipts
        self._replies = config.replies
        refused = config.answers.refused.items()
        self._refusals = [(status_number(name), share) for name, share in refused]
        self._states = [((one.stat, one.error), one.share) for one in config.receipts.states]

    def count(self, destination: str) -> int:
        """The how-manieth try of this destination the next one is, counting it."""
        tries = self._tries.pop(destination, 0) + 1
        self._tries[destination] = tries
        if len(self._tries) > self._config.memory.destinations:
            self._tries.popitem(last=False)
        return tries

    def next(self, destination: str) -> Fate:
        """What becomes of the next submit to this destination."""
        return self.of(destination, self.count(destination))

    def of(self, destination: str, nth: int) -> Fate:
        """What becomes of the nth submit to this destination."""
        digest = blake2b(f"{self._seed}|{destination}|{nth}".encode(), digest_size=_DRAWS.size)
        refusal, answer, jitter, state, wait, manner, reply, _ = _DRAWS.unpack(digest.digest())
        answers, receipts, replies = self._answers, self._receipts, self._replies
        jittered = answers.latency_ms + answers.jitter_ms * (jitter / _WHOLE * 2 - 1)
        stat, error = _pick(self._states, state / _WHOLE) or _DELIVERED
        lingers = -log(1 - wait / _WHOLE) * receipts.mean_s
        odd = manner / _WHOLE
        early = odd < receipts.early
        duplicate = not early and odd < receipts.early + receipts.duplicate
        missing = odd >= 1 - receipts.missing
        return Fate(
            _pick(self._refusals, refusal / _WHOLE) or 0,
            answer / _WHOLE >= answers.unanswered,
            max(0.0, jittered) / 1000,
            stat,
            error,
            0.0 if early else min(receipts.min_s + lingers, receipts.max_s),
            0 if missing else 2 if duplicate else 1,
            early,
            replies.text if reply / _WHOLE < replies.share else None,
        )


def _pick[T](table: list[tuple[T, float]], draw: float) -> T | None:
    """The row in whose share a draw from [0, 1) falls; the rest of the whole belongs to nobody."""
    for row, share in table:
        if draw < share:
            return row
        draw -= share
    return None
