"""Every door writes down what people wish, also what it refuses, before its answer leaves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from nats.aio.client import Client

from auditing import Json, brief, recorded
from campaign_events.audit_routes import UNSAFE, operations, undeclared
from campaign_events.envelope import new_id
from campaign_events.eventlog import EventLog
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.service import api
from campaign_events.sizes import MAX_BODY
from campaign_team import CAMPAIGNS, Team, team_in
from dialler.calls_api import call_routes
from dispatcher.api import add_routes
from dispatcher.pushing_api import pushing_routes
from dispatcher.suppressions_api import suppression_routes
from doors import Issuer, resources
from moderation.__main__ import door as moderation_door
from moderation.projections import MODERATION
from read_model.__main__ import door as read_model_door
from read_model.reading import Reading

NOBODY = "01900000-0000-7000-8000-000000000000"
ACTIONS = {
    *(
        f"campaign.{what}"
        for what in (
            *("created", "edited", "contacts_uploaded", "approved", "rejected", "started"),
            *("paused", "resumed", "stopped", "restarted", "restart_cancelled", "cloned"),
            *("archived", "restored", "deleted"),
        )
    ),
    *(f"sender.{what}" for what in ("created", "revised", "approved", "rejected", "archived")),
    *("suppression.added", "suppression.removed", "settings.changed"),
    "campaign.contacts_excluded",  # the product names no code for exclusions
}


@pytest.fixture
async def team(
    nc: Client, db: Database, workspace: str, nats_url: str, tmp_path: Path
) -> AsyncIterator[Team]:
    async with team_in(workspace, nc, db, nats_url, tmp_path) as gathered:
        yield gathered


@pytest.fixture
async def author(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    async with team.speak("author") as client:
        yield client


@pytest.fixture
def apps(team: Team, nc: Client, db: Database, log: EventLog) -> dict[str, FastAPI]:
    """Every service's app; those that are not `team`'s are only looked at."""
    nothing = cast("Any", None)
    owned = {name: resources(name, team.issuer, nc, db) for name in ("dispatcher", "moderation")}
    dispatcher = api("dispatcher", owned["dispatcher"])
    opting_out = suppression_routes(nothing, nothing, nothing, 0)
    add_routes(dispatcher, nothing, nothing, opting_out, pushing_routes(nothing, nothing))
    reader = resources("read_model", team.issuer, nc, db)
    dialler = api("dialler", resources("dialler", team.issuer, nc, db))
    dialler.include_router(call_routes(nothing))
    return {
        "campaign": team.app,
        "dispatcher": dispatcher,
        "dialler": dialler,
        "moderation": moderation_door(owned["moderation"], Projector(MODERATION, nc, db)),
        "read_model": read_model_door(reader, Reading.of(nc, db, log)),
    }


def test_every_command_of_every_service_says_which_action_it_is(apps: dict[str, FastAPI]) -> None:
    for name, app in apps.items():
        assert undeclared(app) == [], f"{name}: say audited(…) or not_a_command() on the route"
        told = app.openapi()["paths"]
        assert {(one.method, one.path) for one in operations(app)} == {
            (method.upper(), path) for path, methods in told.items() for method in methods
        }
    found = [one for app in apps.values() for one in operations(app) if one.method in UNSAFE]
    named = {one.action for one in found if one.action is not None}
    assert {name for name in named if not name.startswith("ops.")} <= ACTIONS
    assert [one.path for one in found if one.action is None] == ["/api/v1/messages/preview"]


async def test_a_command_is_written_down_with_who_when_what_and_from_where(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    headers = {"X-Request-Id": "order-4711", "User-Agent": "shop/1.0"}
    made = await author.post(CAMPAIGNS, json=team.wish(name="Spring"), headers=headers)
    assert made.headers["X-Request-Id"] == "order-4711"
    campaign = made.json()["id"]
    await author.patch(f"{CAMPAIGNS}/{campaign}", json={"name": "Summer"})
    await author.post(f"{CAMPAIGNS}/{campaign}/stop")

    created, edited, stopped = await recorded(db, team.workspace)
    assert brief(created) == ("campaign.created", "done", None)
    assert created["actor"] == {"id": "ann", "name": "Ann"}
    assert created["resource"] == {"type": "campaign", "id": campaign}
    assert created["before"] is None
    assert (created["after"]["name"], created["after"]["status"]) == ("Spring", "new")
    assert (created["request_id"], created["user_agent"]) == ("order-4711", "shop/1.0")
    assert created["ip"] == "127.0.0.1"
    assert created["_id"] == campaign, "the command's own id"
    assert (edited["before"], edited["after"]) == ({"name": "Spring"}, {"name": "Summer"})
    assert brief(stopped) == ("campaign.stopped", "done", None)
    assert (stopped["before"], stopped["after"]) == ({"status": "new"}, {"status": "cancelled"})
    assert len(stopped["request_id"]) == 36, "one is made when none is given"


async def test_the_request_id_is_found_again_in_the_log(
    team: Team, author: httpx.AsyncClient
) -> None:
    made = await author.post(CAMPAIGNS, json=team.wish(), headers={"X-Request-Id": "order-1"})
    subject = f"campaign.{team.workspace}.{made.json()['id']}.>"
    (fact,) = await team.log.load_subject("CAMPAIGNS", subject)
    assert fact.correlation_id == "order-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "{}", "a\tb", '"'])
async def test_a_request_id_that_is_not_sane_is_replaced(
    author: httpx.AsyncClient, given: str
) -> None:
    answer = await author.get(f"{CAMPAIGNS}/x", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 36


async def test_refused_commands_are_written_down_whoever_refuses_them(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    campaign = await team.made()
    foreign = f"{CAMPAIGNS}/{NOBODY}"
    json_text = {"Content-Type": "application/json"}
    async with team.speak("viewer") as viewer:
        assert (await viewer.post(f"{CAMPAIGNS}/{campaign}/stop")).status_code == 403
    assert (await author.post(f"{foreign}/pause")).status_code == 404
    assert (await author.post(f"{CAMPAIGNS}/{campaign}/resume")).status_code in (409, 503)
    assert (await author.post(f"{CAMPAIGNS}/{campaign}/pause")).status_code == 409
    assert (await author.post(CAMPAIGNS, json={"name": ""})).status_code == 422
    assert (await author.post(CAMPAIGNS, content="{", headers=json_text)).status_code == 422
    large = await author.post(CAMPAIGNS, content=b" " * (MAX_BODY + 1), headers=json_text)
    assert large.status_code == 413
    unkeyed = await author.post(CAMPAIGNS, json={}, headers={"Idempotency-Key": "x" * 300})
    assert unkeyed.status_code == 422
    elsewhere = await author.post(f"{CAMPAIGNS}/{campaign}/stop?workspace=other")
    assert elsewhere.status_code == 403

    records = await recorded(db, team.workspace)
    assert [brief(one) for one in records if one["action"] != "campaign.resumed"] == [
        ("campaign.created", "done", None),
        ("campaign.stopped", "refused", "forbidden"),
        ("campaign.paused", "refused", "not_found"),
        ("campaign.paused", "refused", "illegal_transition"),
        ("campaign.created", "refused", "invalid"),
        ("campaign.created", "refused", "invalid"),
        ("campaign.created", "refused", "too_large"),
        ("campaign.created", "refused", "invalid"),
        ("campaign.stopped", "refused", "forbidden"),
    ]
    assert records[4]["before"] == {"status": "new", "archived": False}
    assert [one["resource"]["id"] for one in records[1:3]] == [campaign, NOBODY]
    assert all(one["after"] is None for one in records[1:])


async def test_a_repeated_command_is_one_record(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    key = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(author.post(CAMPAIGNS, json=team.wish(), headers=key) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    (record,) = await recorded(db, team.workspace)
    assert record["_id"] == answers[0].json()["id"]


async def test_questions_leave_no_record(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    await author.get("/api/v1/settings")
    await author.post("/api/v1/nothing")
    await author.delete(f"{CAMPAIGNS}/x/stop")
    assert await recorded(db, team.workspace) == []


async def until_recorded(db: Database, workspace: str, count: int) -> list[Json]:
    """Nobody waits for the record about a bad token."""
    async with asyncio.timeout(60):
        while len(found := await recorded(db, workspace)) < count:
            await asyncio.sleep(0.02)
    return found


async def test_a_bad_token_is_written_down_where_it_claims_to_belong(
    team: Team, db: Database, tmp_path: Path
) -> None:
    (tmp_path / "forger").mkdir()
    forged = Issuer.make(tmp_path / "forger").token(team.workspace, "admin", sub="eve")
    headers = {"Authorization": f"Bearer {forged}"}
    async with team.speak("author") as client:
        assert (await client.get("/api/v1/settings", headers=headers)).status_code == 401
    (record,) = await until_recorded(db, team.workspace, 1)
    assert brief(record) == ("access.denied", "refused", "unauthorized")
    assert record["actor"] == {"id": "anonymous", "name": "anonymous"}
    assert record["after"]["claimed"] == {"sub": "eve", "workspace": team.workspace}
    assert record["after"]["door"] == "GET /api/v1/settings"
    assert record["ip"] == "127.0.0.1"


async def test_knocking_all_the_time_is_counted_not_listed(
    team: Team, db: Database, tmp_path: Path
) -> None:
    (tmp_path / "forger").mkdir()
    forger = Issuer.make(tmp_path / "forger")
    async with team.speak("author") as client:
        for number in range(60):
            headers = {"Authorization": f"Bearer {forger.token(team.workspace, str(number))}"}
            answer = await client.post(CAMPAIGNS, content="{", headers=headers)
            assert answer.status_code in (401, 422)
    await until_recorded(db, team.workspace, 1)
    await team.app.state.audit.close()
    records = await recorded(db, team.workspace)
    assert sorted(one["count"] for one in records) == [1, 59]


async def test_an_upload_is_written_down_without_its_numbers(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    campaign = await team.made()
    rows = "phone,name\n+4915112000001,Ada\n+4915112000002,Bo\nnobody,No\n"
    path, headers = f"{CAMPAIGNS}/{campaign}/contacts", {"Content-Type": "text/csv"}
    assert (await author.put(path, content=rows, headers=headers)).status_code == 200
    _, uploaded = await recorded(db, team.workspace)
    assert brief(uploaded) == ("campaign.contacts_uploaded", "done", None)
    assert uploaded["before"] == {"accepted": 0}
    counts = {"accepted": 2, "invalid": 1, "duplicate": 0, "suppressed": 0}
    assert uploaded["after"] == counts
    assert "15112" not in str(uploaded)


async def test_a_number_in_a_path_stays_out_of_the_trail(
    team: Team, author: httpx.AsyncClient, db: Database
) -> None:
    for number in ("+4915112000001", "4915112000001"):
        assert (await author.post(f"{CAMPAIGNS}/{number}/pause")).status_code == 404
    records = await recorded(db, team.workspace)
    assert [one["resource"]["id"] for one in records] == [None, None]
    assert "15112" not in str(records)


async def test_settings_say_what_was_changed(team: Team, db: Database) -> None:
    async with team.speak("admin") as admin:
        changed = await admin.patch("/api/v1/settings", json={"retention_days": 30})
    assert changed.status_code == 200
    (record,) = await recorded(db, team.workspace)
    assert brief(record) == ("settings.changed", "done", None)
    assert record["resource"] == {"type": "settings", "id": team.workspace}
    assert (record["before"], record["after"]) == ({"retention_days": 90}, {"retention_days": 30})


async def test_decisions_about_senders_and_campaigns_are_written_down(
    team: Team, apps: dict[str, FastAPI], db: Database
) -> None:
    await IdempotencyKeys(db).prepare()
    transport = httpx.ASGITransport(apps["moderation"])
    campaign = await team.made()
    async with httpx.AsyncClient(transport=transport, base_url="http://m/api/v1") as client:
        ann = team.issuer.bearer(team.workspace, "author")
        mo = team.issuer.bearer(team.workspace, "moderator", sub="mo")
        made = await client.post("/senders", json={"name": "S", "saddr": "S"}, headers=ann)
        revision = f"/moderation/senders/{made.json()['id']}/revisions/1"
        assert (await client.post(f"{revision}/approve", headers=mo)).status_code == 200
        assert (await client.post(f"{revision}/approve", headers=mo)).status_code == 409
        path = f"/moderation/campaigns/{campaign}"
        refused = await client.post(f"{path}/approve", headers=mo)
        assert refused.status_code == 409, "it has no contacts"
        rejected = await client.post(f"{path}/reject", json={"note": "too loud"}, headers=mo)
        assert rejected.status_code == 202

    _, created, approved, again, no, yes = await recorded(db, team.workspace)
    assert brief(created) == ("sender.created", "done", None)
    assert created["resource"] == {"type": "sender", "id": made.json()["id"]}
    assert brief(approved) == ("sender.approved", "done", None)
    assert approved["before"]["current_revision"] is None
    assert approved["after"]["current_revision"] == 1
    assert brief(again) == ("sender.approved", "refused", "illegal_transition")
    assert brief(no) == ("campaign.approved", "refused", "refused")
    assert brief(yes) == ("campaign.rejected", "done", None)
    assert yes["actor"]["id"] == "mo"
    assert yes["resource"] == {"type": "campaign", "id": campaign}
    assert yes["before"] == {"status": "new", "decision": None}
    assert yes["after"] == {"status": "new", "decision": "rejected", "note": "too loud"}


async def test_a_super_admin_leaves_the_record_where_they_acted(team: Team, db: Database) -> None:
    other = f"w{new_id()[-12:]}"
    async with team.speak("super_admin", workspace=other) as client:
        params = {"workspace": team.workspace}
        answer = await client.post(f"{CAMPAIGNS}/{NOBODY}/pause", params=params)
        assert answer.status_code == 404
    assert [brief(one) for one in await recorded(db, team.workspace)] == [
        ("campaign.paused", "refused", "not_found")
    ]
    assert await recorded(db, other) == []
