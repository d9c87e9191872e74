"""`GET /audit`: who did what, when, before and after, and from where; as a page or as a file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator

from campaign_events import csv_file
from campaign_events.access import Allowed, Caller, Permission
from campaign_events.answers import Items, answers
from campaign_events.cells import safe
from campaign_events.paging import MAX_LIMIT
from campaign_events.problems import Problem
from read_model.answers import AuditItem
from read_model.audit_search import Place, Search, Wanted, shown

Auditor = Annotated[Caller, Depends(Allowed(Permission.AUDIT))]
COLUMNS = (
    *("id", "at", "actor_id", "actor_name", "action", "resource_type", "resource_id", "outcome"),
    *("refusal", "count", "before", "after", "ip", "user_agent", "request_id", "workspace"),
)
PAGE = 50

type Text = Annotated[str, Query(max_length=200)]
type Texts = Annotated[list[Text] | None, Query(max_length=50)]

router = APIRouter(prefix="/api/v1", tags=["audit"])


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to the trail."""

    wanted: Wanted
    limit: int | None
    after: Place | None


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be a year between 1 and 9999 in UTC too") from error


async def _asked(  # noqa: PLR0913 - one parameter per filter
    caller: Auditor,
    *,
    actor: Texts = None,
    action: Texts = None,
    resource: Texts = None,
    since: Annotated[datetime | None, Query(alias="from"), AfterValidator(_utc)] = None,
    until: Annotated[datetime | None, Query(alias="to"), AfterValidator(_utc)] = None,
    limit: Annotated[int | None, Query(ge=1, le=MAX_LIMIT)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> _Asked:
    """Return the question; `from` is inclusive, `to` is not, times without a zone are UTC."""
    wanted = Wanted(
        workspace=caller.workspace,
        actors=[text for text in actor or () if text],
        actions=[text for text in action or () if text],
        resources=[text for text in resource or () if text],
        since=since,
        until=until,
    )
    try:
        return _Asked(wanted, limit, Place.parse(cursor) if cursor else None)
    except ValueError as error:
        raise Problem(422, "invalid", "This cursor is not one that a list has given.") from error


Asked = Annotated[_Asked, Depends(_asked)]


async def _search(request: Request) -> Search:
    return cast("Search", request.app.state.audit_search)


Trail = Annotated[Search, Depends(_search)]


@router.get("/audit", response_model=None, responses=answers(Items[AuditItem]))
async def audit(request: Request, asked: Asked, trail: Trail) -> Response:
    """Return records, the newest first; as CSV when that is accepted."""
    accepted = request.headers.get("Accept", "")
    if "text/csv" in accepted and "json" not in accepted:
        return await _file(trail, asked)
    limit = asked.limit or PAGE
    found = await trail.page(asked.wanted, limit + 1, asked.after)
    page = found[:limit]
    last = Place.of(page[-1]).cursor if len(found) > limit else None
    return JSONResponse({"items": [shown(record) for record in page], "next_cursor": last})


@router.get("/audit.csv", response_class=StreamingResponse)
async def audit_csv(asked: Asked, trail: Trail) -> StreamingResponse:
    """Return all records that are asked for as CSV, the newest first.

    Cells that a spreadsheet could take for a formula begin with an apostrophe. A file that can not
    be finished ends with a broken connection.
    """
    return await _file(trail, asked)


async def _file(trail: Search, asked: _Asked) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield csv_file.lines([COLUMNS])
        async for records in trail.pieces(asked.wanted, asked.limit, asked.after):
            yield csv_file.lines(map(_cells, map(shown, records)))

    return await csv_file.answer("audit.csv", pieces())


def _cells(item: dict[str, Any]) -> list[str]:
    actor, resource = item.pop("actor"), item.pop("resource")
    flat = item | {
        "actor_id": actor["id"],
        "actor_name": actor["name"],
        "resource_type": resource["type"],
        "resource_id": resource["id"],
        "before": None if item["before"] is None else orjson.dumps(item["before"]).decode(),
        "after": None if item["after"] is None else orjson.dumps(item["after"]).decode(),
    }
    return ["" if flat[name] is None else safe(str(flat[name])) for name in COLUMNS]
