"""What several boards say in the same words."""

from typing import Final

SERVICES: Final = "campaign|moderation|dispatcher|dialler|read_model"
"""The jobs that Prometheus scrapes."""
UP: Final = {0.0: "down", 1.0: "up"}


def per_second(counter: str, by: str) -> str:
    """How fast a counter grows, summed by labels."""
    return f"sum by ({by}) (rate({counter}[$__rate_interval]))"


def share(part: str, whole: str, by: str = "") -> str:
    """Of all that a counter counted lately, the part that also has these labels.

    The part is 0 as long as nothing of it was ever counted.
    """
    grouping = f" by ({by})" if by else ""
    counted = f"sum{grouping} (rate({whole}[$__rate_interval]))"
    return f"(sum{grouping} (rate({part}[$__rate_interval])) or {counted} * 0) / {counted}"


def quantile(of: float, histogram: str, by: str) -> str:
    """The value below which this part of what a histogram saw lately lies."""
    name, brace, labels = histogram.partition("{")
    buckets = f"sum by (le, {by}) (rate({name}_bucket{brace}{labels}[$__rate_interval]))"
    return f"histogram_quantile({of}, {buckets})"


def mean(histogram: str, by: str) -> str:
    """The mean of what a histogram saw lately."""
    name, brace, labels = histogram.partition("{")
    rates = [
        f"sum by ({by}) (rate({name}_{it}{brace}{labels}[$__rate_interval]))"
        for it in ("sum", "count")
    ]
    return " / ".join(rates)
