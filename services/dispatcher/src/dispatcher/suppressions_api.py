"""The HTTP door of the opt-out list."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from campaign_events.answers import Items, UploadReport, answers
from campaign_events.audit import audited, note
from campaign_events.envelope import Position, rfc3339
from campaign_events.masking import sees_phones, shown
from campaign_events.positions import tell, up_to_date
from campaign_events.problems import Problem, not_found
from campaign_events.projection import Document
from campaign_events.strict_body import Body
from campaign_events.uploads.door import CONTENT, body_of, file_of, refusals
from campaign_events.uploads.phones import PhoneReader, Unusable
from dispatcher.addressees import Addressees
from dispatcher.answers import Suppression
from dispatcher.door import Administrator, Limit, Reader
from dispatcher.suppression_files import SuppressionFile, SuppressionFiles
from dispatcher.suppressions import Place, Suppressions


class NewSuppression(Body):
    """A phone that must not be written to."""

    phone: Annotated[str, Field(max_length=40)]
    reason: Annotated[str, Field(max_length=200)] | None = None


def suppression_routes(
    suppressions: Suppressions, files: SuppressionFiles, addressees: Addressees, limit: int
) -> APIRouter:
    """Return the resources of the list; `limit` is in bytes of an uploaded file."""
    routes = APIRouter(prefix="/api/v1/suppressions", tags=["suppressions"])

    @routes.get("", dependencies=[Depends(up_to_date)], responses=answers(Items[Suppression]))
    async def listing(
        caller: Reader,
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(max_length=64)] = None,
    ) -> dict[str, Any]:
        """Return the list, the newest first; phones are masked for viewers."""
        place = None if cursor is None else _place(cursor)
        rows = await suppressions.page(caller.workspace, limit + 1, place)
        page = rows[:limit]
        clear = sees_phones(caller)
        return {
            "items": [_entry(row, clear=clear) for row in page],
            "next_cursor": str(Place.of(page[-1])) if len(rows) > limit else None,
        }

    @routes.post(
        "",
        status_code=201,
        openapi_extra=audited("suppression.added", "suppression"),
        responses=answers(Suppression, 201),
    )
    async def add(
        wanted: NewSuppression, caller: Administrator, response: Response
    ) -> dict[str, Any]:
        """Put a phone on the list; one that is on it already keeps its entry."""
        region = (await addressees.settings(caller.workspace)).default_region
        try:
            phone = PhoneReader(region).read(wanted.phone)
        except Unusable as error:
            raise Problem(422, "invalid", f"phone: {error}.") from error
        entry, seq = await suppressions.add(caller.workspace, phone, reason=wanted.reason)
        tell(response, Position.of("MESSAGES", seq))
        note(resource=entry["_id"], after={"source": entry["source"]})
        return _entry(entry, clear=True)

    @routes.put(
        "",
        openapi_extra=CONTENT | audited("suppression.added", "suppression"),
        responses=answers(UploadReport),
    )
    async def put_file(
        caller: Administrator, request: Request, response: Response
    ) -> dict[str, Any]:
        """Add the numbers of a file to the list; what is on it stays."""
        region = (await addressees.settings(caller.workspace)).default_region
        with refusals():
            upload = SuppressionFile(caller.workspace, file_of(request, limit), region)
            report, seq = await files.take(upload, body_of(request, limit))
        tell(response, Position.of("MESSAGES", seq))
        note(after={"added": report.accepted})
        return report.shown()

    @routes.delete(
        "/{entry_id}",
        status_code=204,
        openapi_extra=audited("suppression.removed", "suppression"),
    )
    async def remove(entry_id: str, caller: Administrator, response: Response) -> None:
        """Take an entry off the list."""
        seq = await suppressions.remove(caller.workspace, entry_id)
        if seq is None:
            raise not_found("suppression")
        note(before={"id": entry_id})
        tell(response, Position.of("MESSAGES", seq))

    return routes


def _place(cursor: str) -> Place:
    try:
        return Place.parse(cursor)
    except ValueError as error:
        raise Problem(422, "invalid", "This cursor is not one that a list has given.") from error


def _entry(row: Document, *, clear: bool) -> dict[str, Any]:
    phone = row["phone"]
    return {
        "id": row["_id"],
        "phone": shown(phone, clear=clear),
        "reason": row["reason"],
        "source": row["source"],
        "created_at": rfc3339(row["created_at"]),
    }
