"""How likely a person finds no seat, when seats free themselves and other calls are answered first.

Both sides are sums of independent trials with different probabilities. Small rooms are summed
exactly, which matters where 1 % is decided; large ones by mean, variance and skewness (Edgeworth).
"""

import math
from collections.abc import Iterable, Sequence

NEGLIGIBLE = 1e-7
FAR = -7.0


class ExactShortage:
    """P(other people ≥ seats) by convolution; `add` puts one more call before the person."""

    __slots__ = ("_each", "_lead", "_others", "_seats", "_sure")

    def __init__(
        self,
        idle: int,
        rare: Sequence[float],
        likely: Iterable[float],
        others: Iterable[float],
        each: float,
    ) -> None:
        """Seats: `idle` now (negative: people wait), `rare` and `likely` ones to come.

        The rare ones share their mean, for they are many and alike: a binomial, cut where it ends.
        """
        seats = _binomial(len(rare), sum(rare) / len(rare)) if rare else [1.0]
        for chance in likely:
            miss = 1.0 - chance
            seats = [
                miss * same + chance * less
                for same, less in zip([*seats, 0.0], [0.0, *seats], strict=True)
            ]
        self._lead = max(idle, 0)
        self._sure = sum(seats[: max(-idle, 0)])
        self._seats = seats[max(-idle, 0) :]
        self._others = [1.0]
        for chance in others:
            self._one_more(chance)
        self._each = each

    def _one_more(self, chance: float) -> None:
        """Keep P(at least k others) for every k, with one more of them."""
        tail, miss = self._others, 1.0 - chance
        self._others = [
            1.0,
            *[
                miss * more + chance * same
                for more, same in zip([*tail[1:], 0.0], tail, strict=True)
            ],
        ]

    def risk(self) -> float:
        """The probability that the next person finds no seat."""
        tail = self._others[self._lead :]
        # Many more seats than others, or the reverse, meet only in the shorter list.
        return self._sure + sum([a * b for a, b in zip(self._seats, tail, strict=False)])

    def add(self) -> None:
        """Place one more call."""
        self._one_more(self._each)


class NormalShortage:
    """The same by a normal tail at one half, corrected for skewness."""

    __slots__ = ("_each", "_mean", "_third", "_variance")

    def __init__(
        self,
        idle: int,
        rare: Sequence[float],
        likely: Sequence[float],
        others: Sequence[float],
        each: float,
    ) -> None:
        many, chance = len(rare), sum(rare) / max(len(rare), 1)
        up, up2, up3 = _moments(likely)
        up += many * chance
        up2 += many * chance**2
        up3 += many * chance**3
        down, down2, down3 = _moments(others)
        self._mean = idle + up - down
        self._variance = up - up2 + down - down2
        self._third = (up - 3 * up2 + 2 * up3) - (down - 3 * down2 + 2 * down3)
        self._each = each

    def risk(self) -> float:
        """The probability that the next person finds no seat."""
        spread = math.sqrt(max(self._variance, 1e-6))
        at = (0.5 - self._mean) / spread
        if at < FAR:
            return 0.0
        density = math.exp(-0.5 * at * at) / math.sqrt(2.0 * math.pi)
        skewness = self._third / (spread * spread * spread)
        tail = 0.5 * math.erfc(-at / math.sqrt(2.0)) - skewness / 6.0 * (at * at - 1.0) * density
        return min(max(tail, 0.0), 1.0)

    def add(self) -> None:
        """Place one more call."""
        each = self._each
        self._mean -= each
        self._variance += each * (1.0 - each)
        self._third -= each * (1.0 - each) * (1.0 - 2.0 * each)


def _moments(chances: Sequence[float]) -> tuple[float, float, float]:
    squares = [chance * chance for chance in chances]
    cubes = [square * chance for square, chance in zip(squares, chances, strict=True)]
    return sum(chances), sum(squares), sum(cubes)


def _binomial(count: int, chance: float) -> list[float]:
    chance = min(chance, 1.0 - 1e-9)
    odds, value = chance / (1.0 - chance), (1.0 - chance) ** count
    values = [value]
    for hits in range(1, count + 1):
        value *= odds * (count - hits + 1) / hits
        if value < NEGLIGIBLE and hits > count * chance:
            break
        values.append(value)
    return values
