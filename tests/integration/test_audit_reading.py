"""`GET /audit`: who may look, what they find, page by page, and as a file for a spreadsheet."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from nats.aio.client import Client

from campaign_events import audit_store
from campaign_events.audit import ANYBODY, Record, Resource, document
from campaign_events.audit_trail import STATE
from campaign_events.campaign import SETTINGS, SettingsChanged, WorkspaceSettings
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.projection import Database
from doors import Issuer, at_work, resources
from read_model.__main__ import door
from read_model.audit_api import COLUMNS
from read_model.audit_search import Place, Wanted
from read_model.reading import Reading

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ANN, BO = Actor(id="ann", name="Ann"), Actor(id="bo", name="=HYPERLINK(1)")
AUDIT = "/api/v1/audit"


@dataclass
class World:
    """A workspace's trail, and the door in front of it."""

    app: Any
    issuer: Issuer
    workspace: str
    db: Database

    def speak(self, *roles: str, workspace: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://read",
            headers=self.issuer.bearer(workspace or self.workspace, *roles),
        )

    async def write(self, minute: float, **changed: Any) -> str:
        """Write a record of a minute after noon; return its id."""
        known: dict[str, Any] = {
            "id": new_id(),
            "at": NOON + timedelta(minutes=minute),
            "workspace": self.workspace,
            "actor": ANN,
            "action": "campaign.paused",
            "resource": Resource("campaign", "c1"),
            "outcome": "done",
        }
        record = Record(**(known | changed))
        records = self.db.client[audit_store.DATABASE][audit_store.RECORDS]
        await records.insert_one(document(record.line(90 * 365)))
        return record.id


@pytest.fixture
async def world(nc: Client, db: Database, log: EventLog, workspace: str, tmp_path: Path) -> World:
    issuer = Issuer.make(tmp_path)
    await audit_store.ensure(db.client[audit_store.DATABASE])
    app = door(resources("read_model", issuer, nc, db), Reading.of(nc, db, log))
    return World(app, issuer, workspace, db)


@pytest.fixture
async def admin(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.speak("admin") as client:
        yield client


async def ids(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get(AUDIT, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_an_item_says_who_when_what_and_from_where(
    world: World, admin: httpx.AsyncClient
) -> None:
    written = await world.write(
        0,
        before={"status": "sending"},
        after={"status": "paused"},
        ip="192.0.2.1",
        user_agent="curl",
        request_id="r1",
    )
    answer = (await admin.get(AUDIT)).json()
    assert answer["next_cursor"] is None
    assert answer["items"] == [
        {
            "id": written,
            "at": "2026-11-22T12:00:00.000Z",
            "actor": {"id": "ann", "name": "Ann"},
            "action": "campaign.paused",
            "resource": {"type": "campaign", "id": "c1"},
            "before": {"status": "sending"},
            "after": {"status": "paused"},
            "ip": "192.0.2.1",
            "user_agent": "curl",
            "request_id": "r1",
            "outcome": "done",
            "refusal": None,
            "count": 1,
            "workspace": world.workspace,
        }
    ]


async def test_pages_hold_every_record_once_the_newest_first_also_within_a_millisecond(
    world: World, admin: httpx.AsyncClient
) -> None:
    written = [await world.write(minute // 3) for minute in range(10)]
    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": 3}
    while True:
        answer = (await admin.get(AUDIT, params=parameters)).json()
        seen += [item["id"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        parameters["cursor"] = answer["next_cursor"]
        await world.write(60)  # what is new does not shift the pages
    assert seen == written[::-1]


async def test_filters_can_be_combined(world: World, admin: httpx.AsyncClient) -> None:
    paused = await world.write(0)
    stopped = await world.write(1, action="campaign.stopped", actor=BO)
    other = await world.write(2, resource=Resource("campaign", "c2"))
    sender = await world.write(3, action="sender.created", resource=Resource("sender", "s1"))

    erased = await world.write(-1, action="ops.erased", resource=Resource("person", None))

    assert await ids(admin, actor="bo") == [stopped]
    assert await ids(admin, resource="person") == [erased]
    assert await ids(admin, action="campaign.paused") == [other, paused]
    assert await ids(admin, action=["sender.created", "campaign.stopped"]) == [sender, stopped]
    assert await ids(admin, resource="c1") == [stopped, paused]
    assert await ids(admin, resource="sender") == [sender]
    assert await ids(admin, resource="campaign:c2") == [other]
    assert await ids(admin, resource="campaign/c2") == [other]
    assert await ids(admin, resource=["c2", "sender"]) == [sender, other]
    assert await ids(admin, actor="ann", resource="c1") == [paused]
    assert await ids(admin, actor="nobody") == []
    assert await ids(admin, actor="", action="", resource="") == [
        sender,
        other,
        stopped,
        paused,
        erased,
    ]


async def test_time_is_bounded_from_a_moment_on_and_before_another(
    world: World, admin: httpx.AsyncClient
) -> None:
    written = [await world.write(minute) for minute in range(5)]
    since, until = "2026-11-22T12:01:00Z", "2026-11-22T12:03:00Z"
    assert await ids(admin, **{"from": since, "to": until}) == [written[2], written[1]]
    assert await ids(admin, **{"from": "2026-11-22T14:03:00+02:00"}) == [written[4], written[3]]
    assert await ids(admin, to="2026-11-22T12:01:00") == [written[0]]
    assert await ids(admin, to="2026-11-22") == []
    answer = (await admin.get(AUDIT, params={"from": since, "limit": 1})).json()
    cursor = answer["next_cursor"]
    assert await ids(admin, **{"from": since, "cursor": cursor}) == written[3:0:-1]


@pytest.mark.parametrize(
    "parameters",
    [
        {"cursor": "x"},
        {"cursor": "cC0x"},
        {"limit": 0},
        {"limit": 1001},
        {"from": "soon"},
        {"from": "9999-12-31T23:59:59-12:00"},
        {"to": "0001-01-01T00:00:00+12:00"},
    ],
)
async def test_a_question_that_makes_no_sense_is_422(
    admin: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    answer = await admin.get(AUDIT, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("role", ["viewer", "author", "moderator"])
async def test_only_administrators_look_into_the_trail(world: World, role: str) -> None:
    async with world.speak(role) as client:
        for path in (AUDIT, f"{AUDIT}.csv"):
            assert (await client.get(path)).status_code == 403


async def test_no_workspace_sees_another_except_for_super_admins(world: World) -> None:
    written = await world.write(0)
    async with world.speak("admin", workspace="other") as client:
        assert written not in await ids(client)
        answer = await client.get(AUDIT, params={"workspace": world.workspace})
        assert answer.status_code == 403
    async with world.speak("super_admin", workspace="other") as client:
        assert await ids(client, workspace=world.workspace) == [written]


async def test_a_bad_token_that_names_no_workspace_is_shown_to_admins_who_ask_for_such(
    world: World, admin: httpx.AsyncClient
) -> None:
    agent = new_id()
    headers = {"Authorization": "Bearer nonsense", "User-Agent": agent}
    async with world.speak("admin") as client:
        assert (await client.get(AUDIT, headers=headers)).status_code == 401
    await world.app.state.audit.close()
    found = (await admin.get(AUDIT, params={"action": "access.denied"})).json()["items"]
    (item,) = [one for one in found if one["user_agent"] == agent]
    assert (item["workspace"], item["outcome"], item["count"]) == (ANYBODY, "refused", 1)
    assert await ids(admin) == []


async def test_the_file_holds_all_and_nothing_in_it_is_a_formula(
    world: World, admin: httpx.AsyncClient
) -> None:
    await world.write(0, user_agent="@SUM(A1)", actor=Actor(id="-1", name="+1"))
    await world.write(1, actor=BO, before={"name": "=1"}, after={"name": 'a "b", c\n'})
    for path, headers in ((f"{AUDIT}.csv", {}), (AUDIT, {"Accept": "text/csv"})):
        answer = await admin.get(path, headers=headers)
        assert answer.headers["Content-Type"].startswith("text/csv")
        first, second = csv.DictReader(io.StringIO(answer.text))
        assert tuple(first) == COLUMNS
        assert first["actor_name"] == "'=HYPERLINK(1)"
        assert first["after"] == '{"name":"a \\"b\\", c\\n"}'
        assert (second["actor_id"], second["actor_name"]) == ("'-1", "'+1")
        assert second["user_agent"] == "'@SUM(A1)"
        assert second["before"] == ""


async def test_the_file_takes_the_filters_and_is_as_long_as_it_must_be(
    world: World, admin: httpx.AsyncClient
) -> None:
    records = world.db.client[audit_store.DATABASE][audit_store.RECORDS]
    many = [
        Record(
            id=new_id(),
            at=NOON + timedelta(milliseconds=number // 3),
            workspace=world.workspace,
            actor=ANN,
            action="campaign.paused",
            resource=Resource("campaign", "c1"),
            outcome="done",
        )
        for number in range(2500)
    ]
    await records.insert_many([document(record.line(36_500)) for record in many])
    await world.write(1, actor=BO)
    answer = await admin.get(f"{AUDIT}.csv", params={"actor": "ann"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    wanted = sorted(many, key=lambda one: (one.at, one.id), reverse=True)
    assert [row["id"] for row in rows] == [record.id for record in wanted]
    answer = await admin.get(f"{AUDIT}.csv", params={"limit": "3"})
    assert len(answer.text.splitlines()) == 4


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"actor": "ann"},
        {"action": "campaign.paused"},
        {"resource": "c1"},
        {"resource": "sender"},
    ],
)
async def test_every_question_is_answered_by_an_index_without_sorting(
    world: World, admin: httpx.AsyncClient, parameters: dict[str, str]
) -> None:
    for minute in range(3):
        await world.write(minute)
    page = (await admin.get(AUDIT, params={**parameters, "limit": 1})).json()
    records = world.app.state.audit_search.records
    wanted = Wanted(
        world.workspace,
        actors=[parameters["actor"]] if "actor" in parameters else [],
        actions=[parameters["action"]] if "action" in parameters else [],
        resources=[parameters["resource"]] if "resource" in parameters else [],
    )
    after = Place.parse(page["next_cursor"]) if page["next_cursor"] else None
    for place in (None, after):
        plan = await records.find(wanted.filter(place)).sort([("at", -1), ("_id", -1)]).explain()
        text = str(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in text
        assert "'SORT'" not in text


async def test_the_diagnostics_add_up_what_waits_and_tell_how_long_records_are_kept(
    world: World, nc: Client, log: EventLog
) -> None:
    settings = SettingsChanged(settings=WorkspaceSettings(retention_days=7), by=ANN)
    fact = Fact(settings, Address(world.workspace, SETTINGS), new_id())
    await log.append_fact(fact, Origin(fact.id, NOON, "test"))
    reading: Reading = world.app.state.reading

    async def tell(service: str, size: int, lines: int) -> None:
        told = {"place": f"{service}@{world.workspace}", "bytes": size, "lines": lines}
        await nc.publish(STATE, orjson.dumps(told))

    async def until(client: httpx.AsyncClient, wanted: Any, *sizes: tuple[str, int, int]) -> None:
        shown = None
        while shown != wanted:
            for service, size, lines in sizes:
                await tell(service, size, lines)
            await asyncio.sleep(0.05)
            shown = (await client.get("/api/v1/diagnostics")).json()["audit"]

    work = world.app.state.audit.work(nc, "test") | reading.work()
    async with at_work(work), world.speak("admin") as client, asyncio.timeout(60):
        full = {"fallback_bytes": 11, "fallback_lines": 3, "fallback": "buffering"}
        await until(client, {"retention_days": 7} | full, ("campaign", 10, 2), ("moderation", 1, 1))
        none = {"fallback_bytes": 0, "fallback_lines": 0, "fallback": "empty"}
        await until(client, {"retention_days": 7} | none, ("campaign", 0, 0), ("moderation", 0, 0))
