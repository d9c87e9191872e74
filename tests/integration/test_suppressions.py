"""The opt-out list over HTTP, without sending."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.aio.client import Client

from campaign_events.projection import Database
from campaign_events.service import api
from dispatcher.api import add_routes
from dispatcher.health import Health
from dispatcher.owning import Views
from dispatcher.suppressions import Suppressions
from doors import Issuer, resources

SUPPRESSIONS = "/api/v1/suppressions"


@pytest.fixture
async def admin(
    nc: Client, db: Database, workspace: str, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may change the list of a new workspace."""
    issuer = Issuer.make(tmp_path)
    owned = resources("dispatcher", issuer, nc, db)
    app = api("dispatcher", owned)
    suppressions = Suppressions(owned.log, db["suppressions"], b"key")
    await suppressions.prepare()
    add_routes(app, Views(db, db), suppressions, Health(nc, []))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://dispatcher",
        headers=issuer.bearer(workspace, "admin"),
    ) as client:
        yield client


async def added(admin: httpx.AsyncClient, phone: str, reason: str = "asked") -> dict[str, Any]:
    answer = await admin.post(SUPPRESSIONS, json={"phone": phone, "reason": reason})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_is_on_the_list_already_stays_as_they_were(admin: httpx.AsyncClient) -> None:
    first = await added(admin, "+447911123456", "asked")
    again = await added(admin, "+44 7911 123456", "asked again")

    assert again == first
    assert (await admin.get(SUPPRESSIONS)).json() == {"items": [first], "next_cursor": None}


async def test_entries_of_one_moment_come_on_pages_without_gaps(
    admin: httpx.AsyncClient, db: Database
) -> None:
    made = {(await added(admin, f"+4479111234{number}"))["id"] for number in range(10, 30)}
    await db["suppressions"].update_many({}, {"$set": {"created_at": datetime.now(UTC)}})

    seen: list[str] = []
    asked = {"limit": "7"}
    while True:
        page = (await admin.get(SUPPRESSIONS, params=asked)).json()
        seen += [entry["id"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]

    assert len(seen) == len(made)
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["", "0", "x-y", "-", "1-", "99999999999999999999-a", "²-a"])
async def test_a_cursor_that_no_list_gave_is_invalid(admin: httpx.AsyncClient, cursor: str) -> None:
    answer = await admin.get(SUPPRESSIONS, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
