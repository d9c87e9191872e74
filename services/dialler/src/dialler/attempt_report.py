"""`attempt-report.csv`: every attempt of a campaign, a piece at a time.

Cells are safe to open in a spreadsheet (`campaign_events.cells`). Phones are plain E.164, as others
expect them: taken for a formula, one is a number that is its own value.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import datetime

from campaign_events import csv_file, masking
from campaign_events.cells import safe
from campaign_events.envelope import rfc3339
from campaign_events.projection import Document
from dialler.names import AFTER_ALL, CallId, run_name
from dialler.reading import Views

PIECE = 2000
COLUMNS = (
    "call_id",
    "phone",
    "sequence",
    "kind",
    "caller_id",
    "started_at",
    "ringing_at",
    "answered_at",
    "ended_at",
    "outcome",
    "amd",
    "disposition",
    "hangup_cause",
)


def line(row: Document, phone: str, *, clear: bool) -> tuple[object, ...]:
    """Return the cells of one attempt."""
    return (
        str(CallId(row["campaign"], row["run"], row["number"])),
        masking.cell(phone, clear=clear),
        row["sequence"],
        row["kind"],
        row["caller_id"],
        _time(row["started_at"]),
        _time(row.get("ringing_at")),
        _time(row.get("answered_at")),
        _time(row.get("ended_at")),
        row.get("outcome") or "",
        row.get("amd") or "",
        safe(row.get("disposition") or ""),
        safe(row.get("hangup_cause") or ""),
    )


def _lines(
    rows: Sequence[Document], phones: Mapping[int, Document], *, clear: bool
) -> Iterator[tuple[object, ...]]:
    for row in rows:
        contact = phones.get(row["number"])
        yield line(row, contact.get("phone", "") if contact else "", clear=clear)


async def tables(
    views: Views, campaign: Document, run: int | None, *, clear: bool
) -> AsyncGenerator[bytes]:
    """Yield the whole report, piece by piece, reading one piece ahead of the reader."""
    yield csv_file.lines([COLUMNS])
    begins = f"{campaign['_id']}/" if run is None else f"{run_name(campaign['_id'], run)}/"
    ahead = asyncio.create_task(_piece(views, begins, begins))
    try:
        while rows := await ahead:
            ahead = asyncio.create_task(_piece(views, begins, rows[-1]["_id"]))
            numbers = list({row["number"] for row in rows})
            audience = campaign.get("audience", "")
            phones = await views.contacts_numbered(audience, numbers, ("phone",))
            yield csv_file.lines(_lines(rows, phones, clear=clear))
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


async def _piece(views: Views, begins: str, after: str) -> list[Document]:
    wanted = {"_id": {"$gt": after, "$lt": f"{begins}{AFTER_ALL}"}}
    found = views.attempts.find(wanted, batch_size=PIECE + 1).sort("_id")
    return await found.limit(PIECE).to_list()


def _time(moment: datetime | None) -> str:
    return "" if moment is None else rfc3339(moment)
