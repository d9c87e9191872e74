"""Lists in pages: `?limit=` and an opaque `?cursor=`, answered as `{items, next_cursor}`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query

from campaign_events.problems import Problem

MAX_LIMIT = 1000
_MAX_PLACE = 2**53


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: at most `limit` items behind the place `after`."""

    limit: int
    after: int | None

    def answer[T](
        self, found: Sequence[T], place: Callable[[T], int], show: Callable[[T], Any]
    ) -> dict[str, Any]:
        """Return the page. `found` holds one item more than `limit` when there is a next page."""
        items = found[: self.limit]
        more = len(found) > self.limit
        return {
            "items": [show(item) for item in items],
            "next_cursor": _cursor(place(items[-1])) if more else None,
        }

    def of(self, items: Sequence[Any]) -> dict[str, Any]:
        """Return the page of a list that is at hand from its first item to its last."""
        first = self.after or 0
        end = first + self.limit
        return {
            "items": list(items[first:end]),
            "next_cursor": _cursor(end) if end < len(items) else None,
        }


def whole(items: Sequence[Any]) -> dict[str, Any]:
    """Return a list that always fits on one page."""
    return {"items": list(items), "next_cursor": None}


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Page:
    return Page(limit, None if cursor is None else _place(cursor))


Paged = Annotated[Page, Depends(_page)]
"""A parameter that holds the page asked for; a bad limit or cursor is answered with 422."""


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"p{place}".encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        place = int(text[1:]) if text[:1] == b"p" and text[1:].isdigit() else -1
    except (binascii.Error, ValueError):
        place = -1
    if not 0 <= place < _MAX_PLACE:
        raise Problem(422, "invalid", "This cursor is not one that a list has given.")
    return place
