"""What became of a campaign's calls: a list in pages, each call's attempts, a report as a file."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from campaign_events import csv_file
from campaign_events.answers import Items, answers
from campaign_events.call import CallState
from campaign_events.envelope import rfc3339
from campaign_events.masking import sees_phones, shown
from campaign_events.paging import Paged
from campaign_events.positions import up_to_date
from campaign_events.problems import not_found
from campaign_events.projection import Document
from dialler.answers import Attempt, Call
from dialler.attempt_report import tables
from dialler.door import Limit, Reader, campaign_of
from dialler.listing import Listing
from dialler.names import CallId, call_name, parse_call_id
from dialler.reading import Views

MOST_CONTACTS = 10**9
MOST_RUNS = 10**5


def call_routes(views: Views) -> APIRouter:
    """Return the resources that show calls."""
    routes = APIRouter(prefix="/api/v1/campaigns", tags=["calls"])

    @routes.get(
        "/{campaign_id}/calls",
        dependencies=[Depends(up_to_date)],
        responses=answers(Items[Call]),
    )
    async def calls(  # noqa: PLR0913, PLR0917 - one per query parameter
        campaign_id: str,
        caller: Reader,
        status: CallState | None = None,
        callback: bool | None = None,  # noqa: FBT001 - a query parameter
        run: Annotated[int | None, Query(ge=1, lt=MOST_RUNS)] = None,
        limit: Limit = 50,
        cursor: Annotated[int | None, Query(ge=0, le=MOST_CONTACTS)] = None,
    ) -> dict[str, Any]:
        """Return calls in row order, of the current run if none is named.

        `callback=true` leaves those with a wish to be called again. Phones are masked for viewers.
        """
        campaign = await campaign_of(views, caller, campaign_id)
        number = _run_of(campaign, run)
        listing = Listing(views, campaign, number)
        rows, after = await listing.page(status, cursor or 0, limit, callback=callback)
        clear = sees_phones(caller)
        return {
            "items": [_call(campaign_id, number, row, clear=clear) for row in rows],
            "next_cursor": None if after is None else str(after),
        }

    @routes.get(
        "/{campaign_id}/calls/{call_id}/attempts",
        dependencies=[Depends(up_to_date)],
        responses=answers(Items[Attempt]),
    )
    async def attempts(
        campaign_id: str, call_id: str, caller: Reader, page: Paged
    ) -> dict[str, Any]:
        """Return every attempt of one call, the first one first."""
        campaign = await campaign_of(views, caller, campaign_id)
        call = parse_call_id(call_id)
        if call is None or call.campaign != campaign_id or call.run > campaign["run"]:
            raise not_found("call")
        within = call_name(call.campaign, call.run, call.number)
        found = views.attempts.find({"_id": {"$gt": f"{within}/", "$lt": f"{within}/:"}})
        rows = await found.sort("_id").to_list()
        if not rows and not await _is_there(views, campaign, call):
            raise not_found("call")
        return page.of([_attempt(row) for row in rows])

    @routes.get(
        "/{campaign_id}/attempt-report.csv",
        dependencies=[Depends(up_to_date)],
        response_class=StreamingResponse,
    )
    async def attempt_report(
        campaign_id: str,
        caller: Reader,
        run: Annotated[int | None, Query(ge=1, lt=MOST_RUNS)] = None,
    ) -> StreamingResponse:
        """Return every attempt of all runs, or of one, as CSV; phones are masked for viewers.

        Cells that a spreadsheet could take for a formula begin with an apostrophe.
        A report that can not be finished ends with a broken connection.
        """
        campaign = await campaign_of(views, caller, campaign_id)
        number = None if run is None else _run_of(campaign, run)
        pieces = tables(views, campaign, number, clear=sees_phones(caller))
        return await csv_file.answer(f"attempt-report-{campaign_id}.csv", pieces)

    return routes


def _run_of(campaign: Document, asked: int | None) -> int:
    """Return the run that is asked for.

    Raises:
        Problem: 404 when there is none.

    """
    current: int = campaign["run"]
    if asked is not None and asked > current:
        raise not_found("run")
    return asked or current


async def _is_there(views: Views, campaign: Document, call: CallId) -> bool:
    """Tell whether there is a contact by this number that belongs to the run."""
    rows, _ = await Listing(views, campaign, call.run).page(None, call.number - 1, 1)
    return any(row["number"] == call.number for row in rows)


def _call(campaign: str, run: int, row: Document, *, clear: bool) -> dict[str, Any]:
    phone, callback = row["phone"], row.get("callback")
    return {
        "id": str(CallId(campaign, run, row["number"])),
        "phone": shown(phone, clear=clear),
        "variables": row["variables"],
        "status": row["status"],
        "attempts": row.get("attempts", 0),
        "outcome": row.get("outcome"),
        "disposition": row.get("disposition"),
        "next_attempt_at": _time(row.get("due_at")),
        "callback": None
        if callback is None
        else {"due_at": _time(callback["due_at"]), "reason": callback.get("reason")},
    }


def _attempt(row: Document) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "kind": row["kind"],
        "caller_id": row["caller_id"],
        "started_at": _time(row["started_at"]),
        "ringing_at": _time(row.get("ringing_at")),
        "answered_at": _time(row.get("answered_at")),
        "ended_at": _time(row.get("ended_at")),
        "outcome": row.get("outcome"),
        "amd": row.get("amd"),
        "disposition": row.get("disposition"),
        "hangup_cause": row.get("hangup_cause"),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
