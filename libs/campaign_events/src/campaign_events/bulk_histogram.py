"""A histogram that is filled a batch at a time: on hot paths a call per value would be felt."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


def spread(values: Iterable[float], bounds: Sequence[float], counts: list[int]) -> float:
    """Add to `counts` how many values lie in each bucket, the last is for the rest; return the sum.

    A bucket holds what is at most its bound.
    """
    total = 0.0
    for value in values:
        counts[bisect_left(bounds, value)] += 1
        total += value
    return total


class BulkHistogram(Collector):
    """A histogram with one label."""

    def __init__(
        self,
        name: str,
        documentation: str,
        label: str,
        bounds: Sequence[float],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._name, self._documentation = name, documentation
        self._labelnames = (label,)
        self._bounds = tuple(bounds)
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        registry.register(self)

    def fill(self, label: str, values: Iterable[float]) -> None:
        """Take these values in."""
        counts = self._counts.setdefault(label, [0] * (len(self._bounds) + 1))
        added = spread(values, self._bounds, counts)
        self._sums[label] = self._sums.get(label, 0.0) + added

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """Tell the name, so that nobody else takes it."""
        return [self._family()]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Tell the buckets, each with all that is below it."""
        family = self._family()
        names = [*(f"{float(bound)}" for bound in self._bounds), "+Inf"]
        for label, counts in self._counts.items():
            buckets = list(zip(names, accumulate(counts), strict=True))
            family.add_metric([label], buckets, self._sums[label])
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=self._labelnames)
