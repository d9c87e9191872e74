"""The dispatcher's HTTP door: messages, links, previews, and the opt-out list."""

from datetime import datetime
from typing import Annotated, Any

import phonenumbers
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.envelope import Position, rfc3339
from campaign_events.positions import tell, up_to_date
from campaign_events.problems import Problem, not_found
from campaign_events.projection import Document
from campaign_events.text import offending, render, segmentation, variables
from dispatcher.health import Health
from dispatcher.listing import Listing, Status
from dispatcher.owning import Views
from dispatcher.suppressions import Place, Suppressions

type Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
type Administrator = Annotated[Caller, Depends(Allowed(Permission.ADMINISTER))]
type Limit = Annotated[int, Query(ge=1, le=1000)]

TEXT_LIMIT = 20_000
MOST_CONTACTS = 10**9
FOR_ADMINISTRATORS = frozenset({"last_error", "last_error_at"})
"""What carriers say may name what is not everybody's business."""


class Preview(BaseModel):
    """A text to look at before it is sent."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
    variables: dict[str, str] = {}


class NewSuppression(BaseModel):
    """A phone that must not be written to, in international form."""

    model_config = ConfigDict(extra="forbid")

    phone: Annotated[str, Field(max_length=40)]
    reason: Annotated[str, Field(max_length=200)] | None = None


def add_routes(app: FastAPI, views: Views, suppressions: Suppressions, health: Health) -> None:
    """Add the dispatcher's resources to its app."""
    router = APIRouter(prefix="/api/v1")
    _add_messages(router, views)
    _add_suppressions(router, suppressions)

    @router.get("/links")
    async def links(caller: Reader) -> dict[str, Any]:
        shown = health.links()
        if not caller.may(Permission.ADMINISTER):
            shown = [
                {name: value for name, value in link.items() if name not in FOR_ADMINISTRATORS}
                for link in shown
            ]
        return {"items": shown, "next_cursor": None}

    @router.post("/messages/preview")
    async def preview(wanted: Preview, _caller: Reader) -> dict[str, Any]:
        missing = sorted(variables(wanted.text) - wanted.variables.keys())
        shown = {name: f"{{{{{name}}}}}" for name in missing} | wanted.variables
        rendered = render(wanted.text, shown)
        found = segmentation(rendered)
        return {
            "encoding": found.encoding,
            "length": found.length,
            "segments": found.segments,
            "offending": [
                {"character": character, "index": index} for character, index in offending(rendered)
            ],
            "rendered": rendered,
            "missing": missing,
        }

    app.include_router(router)


def _add_messages(router: APIRouter, views: Views) -> None:
    @router.get("/campaigns/{campaign_id}/messages", dependencies=[Depends(up_to_date)])
    async def messages(
        campaign_id: str,
        caller: Reader,
        status: Status | None = None,
        limit: Limit = 50,
        cursor: Annotated[int | None, Query(ge=0, le=MOST_CONTACTS)] = None,
    ) -> dict[str, Any]:
        campaign = await views.campaigns.find_one(
            {"_id": campaign_id, "workspace": caller.workspace}
        )
        if campaign is None:
            raise not_found("campaign")
        rows = await Listing(views, campaign).page(status, cursor or 0, limit + 1)
        page = rows[:limit]
        masked = caller.roles <= {"viewer"}
        return {
            "items": [_message(row, masked=masked) for row in page],
            "next_cursor": str(page[-1]["number"]) if len(rows) > limit else None,
        }


def _message(row: Document, *, masked: bool) -> dict[str, Any]:
    phone = row.get("phone")
    if phone is not None and masked:
        phone = f"{phone[:3]}{'*' * (len(phone) - 5)}{phone[-2:]}"
    return {
        "number": row["number"],
        "phone": phone,
        "status": row["status"],
        "reason": row.get("reason"),
        "segments": row["segments"],
        "parts": row["segments"],
        "carrier_ids": row.get("carrier_ids", []),
        "submitted_at": _time(row.get("submitted_at")),
        "reported_at": _time(row.get("reported_at")),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _add_suppressions(router: APIRouter, suppressions: Suppressions) -> None:
    @router.get("/suppressions")
    async def listing(
        caller: Reader,
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(max_length=64)] = None,
    ) -> dict[str, Any]:
        place = None if cursor is None else _place(cursor)
        rows = await suppressions.page(caller.workspace, limit + 1, place)
        page = rows[:limit]
        return {
            "items": [_entry(row) for row in page],
            "next_cursor": str(Place.of(page[-1])) if len(rows) > limit else None,
        }

    @router.post("/suppressions", status_code=201)
    async def add(
        wanted: NewSuppression, caller: Administrator, response: Response
    ) -> dict[str, Any]:
        phone = _e164(wanted.phone)
        entries, seq = await suppressions.add(
            caller.workspace, [phone], reason=wanted.reason, source="api"
        )
        tell(response, Position.of("MESSAGES", seq))
        return _entry(entries[0])

    @router.delete("/suppressions/{entry_id}", status_code=204)
    async def remove(entry_id: str, caller: Administrator, response: Response) -> None:
        seq = await suppressions.remove(caller.workspace, entry_id)
        if seq is None:
            raise not_found("suppression")
        tell(response, Position.of("MESSAGES", seq))


def _place(cursor: str) -> Place:
    try:
        return Place.parse(cursor)
    except ValueError as error:
        raise Problem(422, "invalid", "This cursor is not one that a list has given.") from error


def _e164(text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise Problem(422, "invalid", f"phone: not an international number: {error}") from error
    if not phonenumbers.is_valid_number(number):
        raise Problem(422, "invalid", "phone: there is no such number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _entry(row: Document) -> dict[str, Any]:
    return {
        "id": row["_id"],
        "phone": row["phone"],
        "reason": row["reason"],
        "source": row["source"],
        "created_at": rfc3339(row["created_at"]),
    }
