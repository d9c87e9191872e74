"""Whether what boards and alerts ask for is in docs/metrics.md."""

import re

from carillon.servers.prometheus import mentioned
from metrics_table import DOCUMENT, documented

FROM_PROMETHEUS = {"up"}
OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def undocumented(expression: str) -> set[str]:
    """The metrics in an expression that no table has."""
    names = {*documented(DOCUMENT.read_text()), *FROM_PROMETHEUS}
    return {it for it in mentioned(expression) if not {it, OF_A_HISTOGRAM.sub("", it)} & names}
