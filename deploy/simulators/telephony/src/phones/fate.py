"""What becomes of a call: decided by the seed, its phone and the how-manieth call of it this is.

The same file and seed give every phone the same fates in every run, whatever the timing, the order,
the connections and the restarts. All durations are already divided by the time scale.
"""

from collections.abc import Iterable
from math import exp, log, sqrt
from random import Random
from typing import Final, Literal, NamedTuple

from phones.config import Behaviour

type Answer = Literal["human", "machine"]
type Failure = Literal["busy", "rejected", "unallocated", "congested", "unreachable"]
type Verdict = Literal["human", "machine", "unknown"]

_SILENT: Final = ("busy", "unallocated", "congested", "unreachable")
"""Failures before anything rings."""
_MACHINE_CV: Final = 0.1
_PATIENCE_CV: Final = 0.5


class Fate(NamedTuple):
    """Everything about one call that is left to chance; durations in seconds.

    Without an `answer` it ends as `failure`, or rings in vain when there is none either.
    `disposition` and what follows are about a conversation, if it comes to one.
    """

    answer: Answer | None
    failure: Failure | None
    rings: bool
    post_dial_s: float
    ring_s: float
    screen_s: float
    verdict: Verdict
    patience_s: float
    talk_s: float
    wrap_s: float
    disposition: str
    callback_s: float | None
    callback_reason: str


class Fates:
    """The book of fates for one network."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._calls: dict[str, int] = {}

    def count(self, phone: str) -> int:
        """The how-manieth call of this phone the next one is, counting it."""
        nth = self._calls.get(phone, 0) + 1
        self._calls[phone] = nth
        return nth

    def of(self, phone: str, nth: int) -> Fate:
        """What becomes of the nth call of a phone."""
        by = self._behaviour
        chance = Random(f"{by.seed}|{phone}|{nth}")  # noqa: S311 - chance that can be repeated
        answer = _answer(by, chance)
        failure = None if answer else _failure(by, chance)
        disposition = _pick(by.dispositions.items(), chance.random()) or "completed"
        untimed = chance.random() < by.callback_untimed
        callback_s = chance.uniform(*by.callback_s)
        scale = by.time_scale
        return Fate(
            answer=answer,
            failure=failure,
            rings=failure not in _SILENT,
            post_dial_s=chance.uniform(*by.post_dial_s) / scale,
            ring_s=_ring_s(by, answer, chance) / scale,
            screen_s=chance.uniform(*by.amd_s) / scale,
            verdict=_verdict(by, answer, chance),
            patience_s=_gamma(by.patience_s, _PATIENCE_CV, chance) / scale,
            talk_s=_talk_s(by, answer, chance) / scale,
            wrap_s=_gamma(by.wrap_s, by.wrap_cv, chance) / scale,
            disposition=disposition if answer != "machine" else "machine",
            callback_s=None if untimed else callback_s / scale,
            callback_reason=chance.choice(by.callback_reasons),
        )


def _answer(by: Behaviour, chance: Random) -> Answer | None:
    answered, machine = chance.random() < by.answer, chance.random() < by.machine
    if not answered:
        return None
    return "machine" if machine else "human"


def _failure(by: Behaviour, chance: Random) -> Failure | None:
    """A failure among the dials that nobody answers."""
    shares: list[tuple[Failure, float]] = [
        ("busy", by.busy),
        ("rejected", by.rejected),
        ("unallocated", by.unallocated),
        ("congested", by.congested),
        ("unreachable", by.unreachable),
    ]
    return _pick(shares, chance.random() * (1 - by.answer))


def _ring_s(by: Behaviour, answer: Answer | None, chance: Random) -> float:
    at_once = chance.random() < by.machine_at_once
    if answer != "machine":
        return _gamma(by.ring_s, by.ring_cv, chance)
    return 0.0 if at_once else _gamma(by.machine_ring_s, _MACHINE_CV, chance)


def _verdict(by: Behaviour, answer: Answer | None, chance: Random) -> Verdict:
    draw = chance.random()
    if draw < by.amd_unknown:
        return "unknown"
    mistaken = draw < by.amd_unknown + by.amd_errors
    return "machine" if (answer == "machine") != mistaken else "human"


def _talk_s(by: Behaviour, answer: Answer | None, chance: Random) -> float:
    if answer == "machine":
        return _gamma(by.machine_talk_s, by.wrap_cv, chance)
    spread = log(1 + by.talk_cv**2)
    return exp(chance.normalvariate(log(by.talk_mean_s) - spread / 2, sqrt(spread)))


def _gamma(mean: float, cv: float, chance: Random) -> float:
    shape = cv**-2
    return chance.gammavariate(shape, mean / shape) if mean else 0.0


def _pick[T](shares: Iterable[tuple[T, float]], draw: float) -> T | None:
    """The one in whose share a draw from [0, 1) falls; the rest of the whole belongs to nobody."""
    for one, share in shares:
        if draw < share:
            return one
        draw -= share
    return None
