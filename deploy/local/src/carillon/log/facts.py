"""How many facts an entry of the log holds: one, or as many contacts as it speaks about."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

type Data = Mapping[str, Any]

LISTS: Final[Mapping[str, Sequence[str]]] = {
    "message.skipped": ("skipped",),
    "message.submitted": ("messages",),
    "message.refused": ("failures",),
    "message.deferred": ("deferrals",),
    "message.reported": ("delivered", "failed", "parts"),
    "message.undecided": ("numbers",),
    "message.recovered": ("delivered", "failed"),
    "message.unmatched": ("reports",),
    "suppression.added": ("hashes",),
    "suppression.removed": ("hashes",),
    "campaign.contacts_excluded": ("numbers",),
    "call.dialled": ("dials",),
    "call.ended": ("ends",),
}
COUNTS: Final[Mapping[str, Callable[[Data], int]]] = {
    "message.planned": lambda data: int(data["last"]) - int(data["first"]) + 1,
    "message.taken": lambda data: int(data["count"]),
    "call.added": lambda data: int(data["last"]) - int(data["first"]) + 1,
    "call.closed": lambda data: (
        sum(last - first + 1 for first, last in data.get("pending", ()))
        + len(data.get("retries", ()))
        + len(data.get("callbacks", ()))
    ),
}


def facts_in(event_type: str, data: Data) -> int:
    """Return how many facts an event states; 1 where nobody knows."""
    try:
        if lists := LISTS.get(event_type):
            return sum(len(data.get(name, ())) for name in lists)
        count = COUNTS.get(event_type)
        return 1 if count is None else count(data)
    except (KeyError, TypeError, ValueError):
        return 1
