"""`delivery-report.csv`: every message of a campaign in row order, a span at a time.

Cells are safe to open in a spreadsheet (`campaign_events.cells`). Phones are plain E.164, as others
expect them: taken for a formula, one is a number that is its own value.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from campaign_events import csv_file, masking
from campaign_events.cells import safe
from campaign_events.projection import Document
from dispatcher.listing import Listing, carrier_ids, written

SPAN = 2000
COLUMNS = (
    "number",
    "phone",
    "status",
    "reason",
    "segments",
    "carrier_ids",
    "submitted_at",
    "reported_at",
)


def line(row: Document, *, clear: bool) -> tuple[object, ...]:
    """Return the cells of one message. Several carrier ids have a space between them."""
    phone, reason, ids = row["phone"], row.get("reason"), carrier_ids(row)
    submitted_at, reported_at = row.get("submitted_at"), row.get("reported_at")
    return (
        row["number"],
        masking.cell(phone, clear=clear),
        row["status"],
        safe(reason) if reason else "",
        row["segments"],
        safe(ids[0] if len(ids) == 1 else " ".join(filter(None, ids))) if ids else "",
        written(submitted_at) if submitted_at else "",
        written(reported_at) if reported_at else "",
    )


async def tables(listing: Listing, *, clear: bool) -> AsyncGenerator[bytes]:
    """Yield the whole report, piece by piece, reading one span ahead of the reader."""
    yield csv_file.lines([COLUMNS])
    async with aclosing(_spans(listing)) as spans:
        async for rows in spans:
            yield csv_file.lines([line(row, clear=clear) for row in rows])


async def _spans(listing: Listing) -> AsyncGenerator[list[Document]]:
    first = 1
    ahead = asyncio.create_task(listing.span(first, first + SPAN - 1))
    try:
        while rows := await ahead:
            first += SPAN
            ahead = asyncio.create_task(listing.span(first, first + SPAN - 1))
            yield rows
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
