"""What became of a campaign's messages: a list in pages, and a report as a file."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from campaign_events import csv_file
from campaign_events.answers import Items, answers
from campaign_events.masking import sees_phones, shown
from campaign_events.positions import up_to_date
from campaign_events.projection import Document
from dispatcher.answers import Message
from dispatcher.delivery_report import tables
from dispatcher.door import Limit, Reader, campaign_of
from dispatcher.listing import Listing, Status, carrier_ids, written
from dispatcher.reading import Views

MOST_CONTACTS = 10**9


def message_routes(views: Views) -> APIRouter:
    """Return the resources that show messages."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["messages"])

    @routes.get(
        "/{campaign_id}/messages",
        dependencies=[Depends(up_to_date)],
        responses=answers(Items[Message]),
    )
    async def messages(
        campaign_id: str,
        caller: Reader,
        status: Status | None = None,
        limit: Limit = 50,
        cursor: Annotated[int | None, Query(ge=0, le=MOST_CONTACTS)] = None,
    ) -> dict[str, Any]:
        """Return messages in row order; phones are masked for viewers."""
        campaign = await campaign_of(views, caller, campaign_id)
        rows = await Listing(views, campaign).page(status, cursor or 0, limit + 1)
        page = rows[:limit]
        clear = sees_phones(caller)
        return {
            "items": [_message(row, clear=clear) for row in page],
            "next_cursor": str(page[-1]["number"]) if len(rows) > limit else None,
        }

    @routes.get(
        "/{campaign_id}/delivery-report.csv",
        dependencies=[Depends(up_to_date)],
        response_class=StreamingResponse,
    )
    async def delivery_report(campaign_id: str, caller: Reader) -> StreamingResponse:
        """Return all messages in row order as CSV; phones are masked for viewers.

        Cells that a spreadsheet could take for a formula begin with an apostrophe; phones do not.
        A report that can not be finished ends with a broken connection.
        """
        campaign = await campaign_of(views, caller, campaign_id)
        pieces = tables(Listing(views, campaign), clear=sees_phones(caller))
        return await csv_file.answer(f"delivery-report-{campaign_id}.csv", pieces)

    return routes


def _message(row: Document, *, clear: bool) -> dict[str, Any]:
    phone = row["phone"]
    return {
        "number": row["number"],
        "phone": shown(phone, clear=clear),
        "status": row["status"],
        "reason": row.get("reason"),
        "segments": row["segments"],
        "parts": row["segments"],
        "carrier_ids": list(carrier_ids(row)),
        "submitted_at": _time(row.get("submitted_at")),
        "reported_at": _time(row.get("reported_at")),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)
