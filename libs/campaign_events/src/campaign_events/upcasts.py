"""Entries of earlier days, read as events of today.

The log is never rewritten. Fields may be added to an event, with a default; any other change is a
new type, or the same type in another shape, and one line here that turns the old data into the
new. The old entry stays among the recorded ones of `tests/contracts`, so it can be read for ever.
Its subject keeps the old type: who only looks at headings (`entries.Heading.type`) sees that one.
"""

from collections.abc import Callable, Mapping
from typing import Any

type Data = Mapping[str, Any]
type Upcast = Callable[[Data], tuple[str, Data]]
"""From the data of an old type, or of an old shape, to a type and its data one step newer."""

UPCASTS: Mapping[str, Upcast] = {}
"""By the type that the entry states. Data of today's shape comes back as it is."""


def upcast(name: str, data: Data, upcasts: Mapping[str, Upcast] = UPCASTS) -> tuple[str, Data]:
    """Return type and data as this version knows them, however many steps that takes."""
    while (step := upcasts.get(name)) is not None:
        newer, data = step(data)
        if newer == name:
            break
        name = newer
    return name, data
