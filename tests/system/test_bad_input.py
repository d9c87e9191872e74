"""Whatever people send by mistake: a clear problem comes back, and nothing has changed."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from log_ends import log_ends
from problem_documents import problem
from stack_campaigns import Crew, body_of, csv_of
from stacks import Platform, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

type Numbers = Callable[[int], list[str]]
TWO_MB = "x" * 2 * 1024 * 1024
CSV = {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"text": ""}, "text"),
        ({"text": "x" * 1531}, None),  # a rule on what is rendered: it comes with reasons
        ({"text": None}, "text"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"mode": "sometimes"}, "mode"),
        ({"channel": "pigeon"}, "channel"),
        ({"sender_id": "../../etc"}, "sender_id"),
        ({"sender_id": "a.b.>"}, "sender_id"),
        ({"link_id": "nowhere"}, "link_id"),
        ({"mode": "on_time"}, None),
        ({"mode": "on_time", "starts_at": "tomorrow"}, "starts_at"),
        ({"mode": "on_time", "starts_at": "2031-01-01T00:00:00"}, "starts_at"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, None),
        ({"default_region": "XX"}, "default_region"),
        ({"auto_start": "perhaps"}, "auto_start"),
        ({"daily_window": {"start": "25:00", "end": "9", "timezone": "Moon"}}, "daily_window"),
    ],
)
async def test_a_campaign_that_makes_no_sense_is_refused_by_its_field(
    up: Platform, crew: Crew, change: dict[str, Any], field: str | None
) -> None:
    body = body_of(await crew.sender()) | change
    before = await log_ends(up)
    found = problem(await crew.author.post("/campaigns", json=body), 422, "invalid")
    if field is not None:
        fields = [entry["field"] for entry in found["errors"]]
        assert any(name.split(".")[0] == field for name in fields), found
    assert await log_ends(up) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/campaigns"),
        ("POST", "/senders"),
        ("POST", "/messages/preview"),
        ("POST", "/suppressions"),
        ("POST", "/moderation/campaigns/x/approve"),
    ],
)
async def test_two_megabytes_of_text_are_too_much(
    up: Platform, crew: Crew, method: str, path: str
) -> None:
    before = await log_ends(up)
    async with up.client(crew.workspace, "super_admin") as client:
        answer = await client.request(method, path, json={"text": TWO_MB})
        problem(answer, 413, "too_large")
        for body in (b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"text": 1e999999}', b"null"):
            if body in (b"", b"null") and path.endswith("approve"):
                continue  # a note is optional, and so is the body
            headers = {"Content-Type": "application/json"}
            answer = await client.request(method, path, content=body, headers=headers)
            problem(answer, 422, "invalid", f"{body!r}")
    assert await log_ends(up) == before


NO_AUDIENCES = {
    "an empty table": ("text/csv", b""),
    "an empty list": ("text/plain", b""),
    "blank lines": ("text/csv", b"\r\n\r\n"),
    "a byte order mark": ("text/csv", b"\xef\xbb\xbf"),
    "a header": ("text/csv", b"phone,name\n"),
    "columns of one name": ("text/csv", b"phone,phone\n+4915112000000,x\n"),
    "an open quote": ("text/csv", b'phone,name\n+4915112000000,"never ends\n'),
    "another encoding": ("text/csv", b"phone\n\xff\xfe\x00+\n"),
    "a workbook": ("text/csv", b"PK\x03\x04\x00\x00\x00\x00"),
    "one endless line": ("text/csv", TWO_MB.encode()),
    "one endless number": ("text/plain", TWO_MB.encode()),
    "no form": ("multipart/form-data", b"no boundary"),
}


@pytest.mark.parametrize("what", NO_AUDIENCES)
async def test_a_file_that_is_no_audience_leaves_the_earlier_one(
    up: Platform, crew: Crew, numbers: Numbers, what: str
) -> None:
    kind, content = NO_AUDIENCES[what]
    made = (await crew.campaign(await crew.sender()))["id"]
    await crew.uploaded(made, csv_of(numbers(2)))
    before = await log_ends(up)
    answer = await crew.author.put(
        f"/campaigns/{made}/contacts", content=content, headers={"Content-Type": kind}
    )
    problem(answer, 415 if what == "no form" else 422, "invalid")
    assert await log_ends(up) == before
    assert (await crew.seen(f"/campaigns/{made}"))["stats"]["total"] == 2


async def test_the_same_upload_twice_counts_once(crew: Crew, numbers: Numbers) -> None:
    made = (await crew.campaign(await crew.sender()))["id"]
    file = csv_of(numbers(20))
    assert await crew.uploaded(made, file) == await crew.uploaded(made, file)
    await crew.approve(made)
    row = await crew.until_status(made, "done")
    assert row["stats"]["total"] == 20


async def test_one_idempotency_key_makes_one_campaign(up: Platform, crew: Crew) -> None:
    body, headers = body_of(await crew.sender()), {"Idempotency-Key": uuid.uuid4().hex}
    first = await asyncio.gather(
        *(crew.author.post("/campaigns", json=body, headers=headers) for _ in range(8))
    )
    before = await log_ends(up)
    later = await crew.author.post("/campaigns", json=body, headers=headers)
    answers = {
        (one.status_code, one.text, one.headers["Event-Position"]) for one in (*first, later)
    }
    assert len(answers) == 1
    assert later.status_code == 201
    other = await crew.author.post("/campaigns", json=body | {"name": "y"}, headers=headers)
    problem(other, 422, "invalid")
    problem(
        await crew.author.post("/campaigns", json=body, headers={"Idempotency-Key": "x" * 201}),
        422,
        "invalid",
    )
    assert await log_ends(up) == before
    headers = {"Min-Event-Position": later.headers["Event-Position"]}
    assert (await crew.author.get("/overview/kpi", headers=headers)).json()["total"] == 1


async def test_the_same_key_of_somebody_else_is_another_key(up: Platform, crew: Crew) -> None:
    body, headers = body_of(await crew.sender()), {"Idempotency-Key": "same"}
    async with up.client(crew.workspace, "author", sub="bob") as bob:
        ours, theirs = await asyncio.gather(
            crew.author.post("/campaigns", json=body, headers=headers),
            bob.post("/campaigns", json=body, headers=headers),
        )
    assert ours.json()["id"] != theirs.json()["id"]


async def refused(client: httpx.AsyncClient, campaign: str, *actions: str) -> None:
    for action in actions:
        answer = await client.post(f"/campaigns/{campaign}/{action}")
        found = problem(answer, 409, "illegal_transition", action)
        assert "can not be" in found["detail"]


async def test_an_illegal_transition_is_refused_with_its_reason(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    author, sender = crew.author, await crew.sender()
    made = (await crew.campaign(sender))["id"]
    before = await log_ends(up)
    await refused(author, made, "start", "pause", "resume")
    path = f"/moderation/campaigns/{made}/approve"
    found = problem(await crew.moderator.post(path, json={}), 409, "refused")
    assert found["reasons"] == ["the campaign has no contacts yet"]
    assert await log_ends(up) == before

    await crew.uploaded(made, csv_of(numbers(3)))
    await crew.approve(made)
    await crew.until_status(made, "done")
    before = await log_ends(up)
    await refused(author, made, "start", "pause", "resume", "stop")
    problem(await crew.moderator.post(path, json={}), 409, "illegal_transition")
    reject = path.replace("approve", "reject")
    problem(await crew.moderator.post(reject, json={"note": "no"}), 409, "illegal_transition")
    edit = await author.patch(f"/campaigns/{made}", json={"text": "another"})
    problem(edit, 409, "illegal_transition")
    upload = await author.put(f"/campaigns/{made}/contacts", content="phone\n1\n", headers=CSV)
    problem(upload, 409, "illegal_transition")
    async with up.client(crew.workspace, "super_admin") as owner:
        problem(await owner.delete(f"/campaigns/{made}"), 409, "illegal_transition")
    assert await log_ends(up) == before


async def test_nobody_approves_their_own(up: Platform, crew: Crew, numbers: Numbers) -> None:
    async with up.client(crew.workspace, "author", "moderator", "admin", sub="ann") as ann:
        made = (await crew.campaign(await crew.sender()))["id"]
        await crew.uploaded(made, csv_of(numbers(1)))
        before = await log_ends(up)
        answer = await ann.post(f"/moderation/campaigns/{made}/approve", json={})
        found = problem(answer, 409, "refused")
        assert found["reasons"] == ["nobody approves a campaign that they created themselves"]
        assert await log_ends(up) == before
        sender = await ask(ann, "POST", "/senders", json={"name": "Mine", "saddr": "Mine"})
        path = f"/moderation/senders/{sender['id']}/revisions/1/approve"
        problem(await ann.post(path, json={}), 409, "refused")
        assert (await crew.seen(f"/campaigns/{made}"))["status"] == "new"


async def test_a_rejection_needs_a_note_and_cancels(crew: Crew, numbers: Numbers) -> None:
    made = (await crew.campaign(await crew.sender()))["id"]
    await crew.uploaded(made, csv_of(numbers(1)))
    path = f"/moderation/campaigns/{made}/reject"
    for body in ({}, {"note": ""}, {"note": "  "}, {"note": "no", "really": True}):
        problem(await crew.moderator.post(path, json=body), 422, "invalid")
    await ask(crew.moderator, "POST", path, json={"note": "too loud"})
    row = await crew.until_status(made, "cancelled")
    assert row["reason"] == "too loud"


async def test_a_campaign_with_nobody_left_to_write_to_fails(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    [phone] = numbers(1)
    campaign = await crew.launched([phone], text="Hello {{nickname}}")
    row = await crew.until_status(campaign, "failed")
    assert row["reason"]
    assert row["stats"]["skipped"] == 1
    assert up.accepted([phone]) == []
    assert (await crew.seen("/overview/kpi"))["failed"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/campaigns/x",
        "/campaigns/a.b.>",
        "/campaigns/%00",
        "/campaigns/..%2F..%2Fetc",
        "/campaigns/" + "x" * 2000,
        "/campaigns/x/messages",
        "/campaigns/x/stream",
    ],
)
async def test_what_is_not_there_is_not_found(crew: Crew, path: str) -> None:
    problem(await crew.author.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns?limit=0",
        "/campaigns?limit=1001",
        "/campaigns?cursor=nonsense",
        "/campaigns?status=lost",
        "/overview/pulse?interval_s=0",
        "/overview/top-authors?days=-1",
        "/overview/kpi?workspace=a.b",
        "/senders?limit=many",
        "/suppressions?limit=1e9",
    ],
)
async def test_a_query_that_makes_no_sense_is_invalid(crew: Crew, path: str) -> None:
    problem(await crew.author.get(path), 422, "invalid")


async def test_what_is_outside_of_the_api_is_a_problem_too(up: Platform) -> None:
    async with httpx.AsyncClient(base_url=up.url) as client:
        for path in ("/metrics", "/readyz", "/livez", "/api/v2/campaigns", "/api"):
            problem(await client.get(path), 404, "not_found")
