"""A campaign's messages over HTTP, as a list and as a file, from facts in the log."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from nats.aio.client import Client

import servers
from campaign_events.campaign import (
    CampaignApproved,
    CampaignCreated,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.message import (
    Deferral,
    Failure,
    MessagesDeferred,
    MessagesPlanned,
    MessagesRefused,
    MessagesReported,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesTaken,
    MessagesUndecided,
    Skipped,
    Submission,
)
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.service import api
from dispatcher import delivery_report
from dispatcher.blocks import block_id
from dispatcher.listing import Listing
from dispatcher.messages_api import message_routes
from dispatcher.reading import Views
from dispatcher.views import CAMPAIGNS, MESSAGES
from doors import Issuer, at_work, resources

BY = Actor(id="ada", name="Ada")
PEOPLE = 230
TAKEN = 180


def phone(number: int) -> str:
    return f"+4915112{number:06d}"


@dataclass
class Stage:
    """A campaign with messages of every status, and who may look at it."""

    app: Any
    issuer: Issuer
    workspace: str
    log: EventLog
    db: Database
    campaign: str = field(default_factory=new_id)
    expected: dict[int, str] = field(default_factory=dict)

    def speak(self, *roles: str, workspace: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://dispatcher",
            headers=self.issuer.bearer(workspace or self.workspace, *roles),
        )

    def path(self, what: str) -> str:
        return f"/api/v1/campaigns/{self.campaign}/{what}"

    async def say(self, *events: Event) -> int:
        seq = 0
        for event in events:
            fact = Fact(event, Address(self.workspace, self.campaign), new_id())
            seq = await self.log.append_fact(fact, Origin(fact.id, datetime.now(UTC), "test"))
        return seq

    async def listed(self, client: httpx.AsyncClient, limit: int, **asked: str) -> list[Any]:
        """All pages of the list."""
        rows: list[Any] = []
        query: dict[str, str] = {**asked, "limit": str(limit)}
        while True:
            answer = await client.get(self.path("messages"), params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["items"]) <= limit
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            assert len(page["items"]) == limit
            query["cursor"] = page["next_cursor"]


def fates(stage: Stage) -> Sequence[Event]:
    """Facts that leave messages in every status: of ten neighbours, each in another."""

    def taken(*ends: int) -> list[int]:
        return [n for n in range(1, TAKEN + 1) if n % 10 in ends]

    for number in range(1, PEOPLE + 1):
        fate = {0: "skipped", 3: "failed", 4: "failed", 5: "failed", 6: "queued"}.get(number % 10)
        later = "submitting" if number % 10 == 7 else "submitted" if number % 10 == 8 else None
        if number > TAKEN:
            fate, later = ("skipped" if number % 10 == 0 else "queued"), None
        stage.expected[number] = fate or later or "delivered"
    submitted = taken(1, 2, 3, 8, 9)
    skipped = [n for n in range(1, PEOPLE + 1) if n % 10 == 0]
    planned = [n for n in skipped if n % 20 == 0]
    return (
        MessagesPlanned(
            audience="a",
            first=1,
            last=PEOPLE,
            parts=((1, PEOPLE - len(planned)),),
            skipped=tuple(Skipped(number=n, reason="suppressed") for n in planned),
        ),
        MessagesSkipped(
            skipped=tuple(
                Skipped(number=n, reason="suppressed") for n in skipped if n not in planned
            )
        ),
        MessagesTaken(
            link="l", epoch=1, spans=tuple((n, n + 8) for n in range(1, TAKEN, 10)), count=162
        ),
        MessagesSubmitted(
            link="l",
            messages=tuple(
                Submission(n, (f"{n}a",) if n % 10 != 2 else (f"{n}a", f"{n}b")) for n in submitted
            ),
        ),
        MessagesReported(
            link="l",
            delivered=tuple(taken(1, 2, 9)),
            failed=tuple(Failure(number=n, error="=1+1") for n in taken(3)),
        ),
        MessagesRefused(
            link="l", failures=tuple(Failure(number=n, error="0x0000000b") for n in taken(4))
        ),
        MessagesUndecided(link="l", numbers=tuple(taken(5))),
        MessagesDeferred(
            link="l",
            deferrals=tuple(Deferral(number=n, error="busy", after_s=60) for n in taken(6)),
        ),
    )


@pytest.fixture
async def stage(nc: Client, db: Database, workspace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    issuer = Issuer.make(tmp_path)
    owned = resources("dispatcher", issuer, nc, db)
    app = api("dispatcher", owned)
    keys = IdempotencyKeys(db)
    await keys.prepare()
    keys.serve(app)
    projectors = [Projector(CAMPAIGNS, nc, db), Projector(MESSAGES, nc, db)]
    app.include_router(message_routes(Views(projectors[0].view, projectors[1].view, db)))
    app.state.projectors = projectors
    made = Stage(app, issuer, workspace, owned.log, db)
    await db["contacts"].insert_many(
        {
            "_id": f"a/{phone(number)}",
            "audience": "a",
            "number": number,
            "phone": phone(number),
            "variables": {"name": "x" * 150 if number % 10 == 4 else "Bo"},
        }
        for number in range(1, PEOPLE + 1)
    )
    await db["contacts"].create_index([("audience", 1), ("number", 1)])
    settings = SmsSettings(name="c", text="Hello {{name}}, all", sender_id="s", link_id="l")
    decided = await made.say(
        CampaignCreated(settings=settings, author=BY),
        ContactsUploaded(
            audience="a", accepted=PEOPLE, invalid=0, duplicate=0, suppressed=0, by=BY
        ),
        CampaignApproved(was="new", by=BY),
    )
    done = await made.say(*fates(made))
    async with at_work({each.projection.name: each.run() for each in projectors}):
        assert await projectors[0].reached(decided, 20)
        assert await projectors[1].reached(done, 20)
        yield made


@pytest.mark.parametrize("limit", [7, 1000])
async def test_all_messages_come_in_row_order(stage: Stage, limit: int) -> None:
    async with stage.speak("author") as author:
        rows = await stage.listed(author, limit)
    assert {row["number"]: row["status"] for row in rows} == stage.expected
    assert [row["number"] for row in rows] == list(range(1, PEOPLE + 1))
    assert all(row["phone"] == phone(row["number"]) for row in rows)


@pytest.mark.parametrize("limit", [7, 1000])
@pytest.mark.parametrize(
    "status", ["queued", "submitting", "submitted", "delivered", "failed", "skipped"]
)
async def test_messages_of_one_status_come_in_row_order(
    stage: Stage, status: str, limit: int
) -> None:
    async with stage.speak("author") as author:
        rows = await stage.listed(author, limit, status=status)
    wanted = [number for number, fate in stage.expected.items() if fate == status]
    assert [row["number"] for row in rows] == wanted
    assert {row["status"] for row in rows} == {status}


async def test_a_message_tells_what_became_of_it(stage: Stage) -> None:
    async with stage.speak("author") as author:
        rows = {row["number"]: row for row in await stage.listed(author, 1000)}
    delivered = rows[12]
    assert delivered.pop("submitted_at") <= delivered.pop("reported_at")
    assert delivered == {
        "number": 12,
        "phone": phone(12),
        "status": "delivered",
        "reason": None,
        "segments": 2,
        "parts": 2,
        "carrier_ids": ["12a", "12b"],
    }
    assert [rows[n]["segments"] for n in (10, 14, 16, 17, 200, 201)] == [0, 2, 1, 1, 0, 1]
    assert (rows[14]["reason"], rows[15]["reason"]) == ("0x0000000b", "outcome_unknown")
    assert (rows[14]["submitted_at"], rows[16]["reported_at"]) == (None, None)


async def test_viewers_see_masked_phones(stage: Stage) -> None:
    async with stage.speak("viewer") as viewer:
        rows = await stage.listed(viewer, 1000)
        report = await viewer.get(stage.path("delivery-report.csv"))
    assert rows[0]["phone"] == "+49*********01"
    assert cells(report)[0]["phone"] == "'+49*********01"
    assert "+4915" not in report.text


@pytest.mark.parametrize("what", ["messages", "delivery-report.csv"])
async def test_another_workspaces_campaign_is_not_found(stage: Stage, what: str) -> None:
    async with stage.speak("admin", workspace="elsewhere") as foreigner:
        answer = await foreigner.get(stage.path(what))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def cells(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


@pytest.mark.parametrize("span", [1, 7, 2000])
async def test_the_report_says_what_the_list_says(
    stage: Stage, span: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_report, "SPAN", span)
    async with stage.speak("author") as author:
        listed = await stage.listed(author, 1000)
        answer = await author.get(stage.path("delivery-report.csv"))

    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="delivery-report-{stage.campaign}.csv"'
    )
    assert answer.text.partition("\r\n")[0] == (
        "number,phone,status,reason,segments,carrier_ids,submitted_at,reported_at"
    )
    read = [{name: cell.removeprefix("'") for name, cell in row.items()} for row in cells(answer)]
    assert read == [
        {
            "number": str(row["number"]),
            "phone": row["phone"],
            "status": row["status"],
            "reason": row["reason"] or "",
            "segments": str(row["segments"]),
            "carrier_ids": " ".join(row["carrier_ids"]),
            "submitted_at": row["submitted_at"] or "",
            "reported_at": row["reported_at"] or "",
        }
        for row in listed
    ]


async def test_no_cell_of_the_report_but_a_plain_phone_begins_like_a_formula(stage: Stage) -> None:
    odd = {
        1: "=cmd|' /C calc'!A0",
        2: "@SUM(1)",
        8: "-2",
        9: "+3",
        11: "\tx",
        12: "\rx",
        18: "'quoted",
        19: 'a,b\n"c"',
        21: "\uff1d1",
    }
    view = stage.db[MESSAGES.collection("blocks")]
    for number, text in odd.items():
        message = f"messages.{number}"
        change = {"$set": {f"{message}.carrier_ids": [text], f"{message}.reason": text}}
        await view.update_one({"_id": block_id(stage.campaign, number)}, change)
    async with stage.speak("author") as author:
        rows = cells(await author.get(stage.path("delivery-report.csv")))

    risky = tuple("=+-@\t\r\n\uff1d")
    for row in rows:
        assert re.fullmatch(r"(\+[0-9]{7,15})?", row.pop("phone"))
        assert not [cell for cell in row.values() if cell.startswith(risky)]
    for number, text in odd.items():
        row = rows[number - 1]
        assert row["reason"].removeprefix("'") == row["carrier_ids"].removeprefix("'") == text


async def test_who_was_erased_has_a_line_without_a_phone(stage: Stage) -> None:
    await stage.db["contacts"].delete_many({"number": {"$in": [1, 10, 14, 230]}})
    async with stage.speak("author") as author:
        listed = await stage.listed(author, 100)
        rows = cells(await author.get(stage.path("delivery-report.csv")))
    assert len(rows) == len(listed) == PEOPLE
    assert [rows[n - 1]["phone"] for n in (1, 10, 14, 230)] == [""] * 4
    assert listed[0]["phone"] is None
    assert (rows[0]["status"], rows[0]["carrier_ids"]) == ("delivered", "1a")


async def test_a_campaign_without_messages_has_a_report_with_its_header_only(
    stage: Stage,
) -> None:
    stage.campaign = new_id()
    settings = SmsSettings(name="c", text="Hi", sender_id="s", link_id="l")
    seq = await stage.say(CampaignCreated(settings=settings, author=BY))
    async with stage.speak("author") as author:
        headers = {"Min-Event-Position": f"c{seq}"}
        answer = await author.get(stage.path("delivery-report.csv"), headers=headers)
        assert cells(answer) == []
        assert answer.text.count("\r\n") == 1
        assert await stage.listed(author, 10) == []


async def test_a_report_can_be_fetched_only(stage: Stage) -> None:
    async with stage.speak("author") as author:
        answer = await author.post(stage.path("delivery-report.csv"))
    assert (answer.status_code, answer.json()["code"]) == (405, "invalid")


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The app behind a real socket, and an author in front of it."""
    port = servers.free_port()
    server = uvicorn.Server(uvicorn.Config(stage.app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    url, headers = f"http://127.0.0.1:{port}", stage.issuer.bearer(stage.workspace, "author")
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.01)
        try:
            yield client
        finally:
            server.should_exit = True
            await serving


async def test_a_report_that_fails_half_way_does_not_look_whole(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_report, "SPAN", 50)
    whole = Listing.span

    async def failing(listing: Listing, first: int, last: int) -> list[dict[str, Any]]:
        if first > 100:
            raise ConnectionError("the database is gone")
        return await whole(listing, first, last)

    monkeypatch.setattr(Listing, "span", failing)
    async with served(stage) as author:
        with pytest.raises(httpx.RemoteProtocolError):
            await author.get(stage.path("delivery-report.csv"))


async def test_a_report_that_can_not_begin_is_an_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_listing: Listing, _first: int, _last: int) -> list[dict[str, Any]]:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr(Listing, "span", failing)
    async with served(stage) as author:
        answer = await author.get(stage.path("delivery-report.csv"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


async def test_nothing_more_is_read_for_a_client_that_went_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def endless(_listing: Listing, first: int, last: int) -> list[dict[str, Any]]:
        nonlocal reads
        reads += 1
        return [
            {"number": number, "phone": phone(1), "status": "queued", "segments": 1}
            for number in range(first, last + 1)
        ]

    monkeypatch.setattr(Listing, "span", endless)
    async with served(stage) as author:
        async with author.stream("GET", stage.path("delivery-report.csv")) as answer:
            async for _ in answer.aiter_bytes():
                break
        async with asyncio.timeout(60):
            before = -1
            while before != reads:
                before = reads
                await asyncio.sleep(0.3)
    assert reads < 1000
