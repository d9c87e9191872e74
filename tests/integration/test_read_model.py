"""The read model over real servers: from facts in the log to answers over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from pymongo import AsyncMongoClient

import servers
from campaign_events.campaign import (
    CampaignApproved,
    CampaignArchived,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignPaused,
    CampaignRestored,
    CampaignStarted,
    ContactsUploaded,
    SettingsChanged,
    SmsSettings,
    WorkspaceSettings,
)
from campaign_events.envelope import Actor, Event, new_id
from campaign_events.eventlog import EventLog
from campaign_events.message import (
    Failure,
    MessagesPlanned,
    MessagesReported,
    MessagesSubmitted,
    MessagesTaken,
    Skipped,
    Submission,
)
from campaign_events.projection import Database
from doors import Issuer, resources
from read_model.__main__ import door
from read_model.reading import Reading
from reading_world import World, world_in

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.make(tmp_path)


@pytest.fixture
async def world(
    nc: Client, log: EventLog, db: Database, workspace: str, issuer: Issuer
) -> AsyncIterator[World]:
    async with world_in(nc, log, db, workspace, issuer) as world:
        yield world


def created(name: str, author: Actor = ANN) -> CampaignCreated:
    settings = SmsSettings(name=name, text="Hello {{name}}", sender_id="s", link_id="sim")
    return CampaignCreated(settings=settings, author=author)


def uploaded(accepted: int) -> ContactsUploaded:
    return ContactsUploaded(
        review=1, audience="a", accepted=accepted, invalid=1, duplicate=2, suppressed=3, by=ANN
    )


def lifecycle(until: int = 4) -> Sequence[Event]:
    """From the moderator's yes to the end; the first `until` of it."""
    return (
        CampaignApproved(was="new", by=BOB, review=-1),
        CampaignBuilt(was="building", queued=10, skipped=3, segments=20),
        CampaignStarted(was="pending"),
        CampaignCompleted(was="sending"),
    )[:until]


PLANNED = MessagesPlanned(audience="a", first=1, last=13, parts=((2, 10),), skipped=())
TAKEN = MessagesTaken(link="sim", epoch=1, spans=((1, 10),), count=10)


def submitted(*numbers: int) -> MessagesSubmitted:
    messages = tuple(Submission(number=number, carrier_ids=("x",)) for number in numbers)
    return MessagesSubmitted(link="sim", messages=messages)


async def test_a_workspace_that_nobody_has_used_is_all_zeros(world: World) -> None:
    answer = await world.client.get("/api/v1/overview")
    overview = answer.json()

    assert overview["kpi"] == {"total": 0, "active": 0, "completed": 0, "failed": 0}
    assert overview["delivery"] == {
        "delivered": 0,
        "in_flight": 0,
        "errors": 0,
        "state": "ready",
    }
    assert len(overview["activity"]["items"]) == 24
    assert overview["recent"] == {"items": [], "next_cursor": None}
    assert overview["top_authors"] == {"items": [], "next_cursor": None}
    assert overview["funnel"]["voice"] == {
        "draft": 0,
        "running": 0,
        "paused": 0,
        "completed": 0,
        "failed": 0,
    }


async def test_a_new_campaign_is_counted_but_not_listed(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created("Spring"), uploaded(10))

    assert (await world.get("/overview/kpi"))["total"] == 1
    funnel = await world.get("/overview/funnel")
    assert (funnel["new"], funnel["pending_moderation"]) == (1, 1)
    assert (await world.get("/campaigns"))["items"] == []
    assert (await world.get("/campaigns", status="new"))["items"] == []
    assert (await world.get("/overview/recent"))["items"] == []
    detail = await world.get(f"/campaigns/{campaign}")
    assert detail["status"] == "new"
    assert detail["stats"]["total"] == 13
    assert detail["text"] == "Hello {{name}}"
    assert detail["actions"] == ["edit", "clone", "stop"]


async def test_the_numbers_follow_a_campaign_to_its_end(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created("Spring"), uploaded(10), *lifecycle(3))
    await world.say(campaign, PLANNED, TAKEN)
    await world.say(campaign, submitted(1, 2, 3, 4))

    assert (await world.get("/overview/delivery"))["state"] == "loading"
    pulse = await world.get("/overview/pulse")
    assert (pulse["in_flight"], pulse["delivered"], pulse["interval_s"]) == (10, 0, 5)

    failed = (Failure(number=4, error="8"),)
    await world.say(campaign, MessagesReported(link="sim", delivered=(1, 2, 3), failed=failed))

    assert await world.get("/overview/delivery") == {
        "delivered": 3,
        "in_flight": 0,
        "errors": 1,
        "state": "ready",
    }
    pulse = await world.get("/overview/pulse", interval_s=60)
    assert (pulse["in_flight"], pulse["delivered"]) == (6, 3)
    hour = (await world.get("/overview/activity"))["items"][-1]
    assert (hour["sent"], hour["failed"]) == (4, 1)
    voice = (await world.get("/overview/activity", channel="voice"))["items"][-1]
    assert (voice["sent"], voice["failed"]) == (0, 0)
    [row] = (await world.get("/campaigns", status="sending"))["items"]
    assert row["stats"] == {
        "total": 13,
        "queued": 3,
        "submitting": 6,
        "submitted": 0,
        "delivered": 3,
        "failed": 1,
        "skipped": 0,
        "segments": 20,
    }

    await world.say(campaign, lifecycle()[3])

    assert await world.get("/overview/kpi") == {
        "total": 1,
        "active": 0,
        "completed": 1,
        "failed": 0,
    }
    assert (await world.get("/overview/delivery"))["delivered"] == 0
    [recent] = (await world.get("/overview/recent"))["items"]
    assert (recent["id"], recent["status"]) == (campaign, "done")


async def test_a_deleted_campaign_is_gone_from_lists_and_stays_in_the_total(
    world: World,
) -> None:
    campaign = new_id()
    await world.say(
        campaign, created("Oops"), uploaded(1), CampaignDeleted(was="new", by=ANN, review=-1)
    )

    assert (await world.get("/overview/kpi"))["total"] == 1
    funnel = await world.get("/overview/funnel")
    assert (funnel["new"], funnel["pending_moderation"]) == (0, 0)
    assert await world.status_of(f"/campaigns/{campaign}") == (404, "not_found")


async def test_the_archive_is_out_of_sight_and_still_counted(world: World) -> None:
    campaign = new_id()
    archived, restored = CampaignArchived(by=BOB), CampaignRestored(by=BOB)
    await world.say(campaign, created("Old"), uploaded(1), *lifecycle())
    [row] = (await world.get("/campaigns"))["items"]
    assert (row["archived"], row["actions"]) == (False, ["clone", "archive"])

    await world.say(campaign, archived)
    assert (await world.get("/campaigns"))["items"] == []
    assert (await world.get("/overview/recent"))["items"] == []
    [row] = (await world.get("/campaigns", archived="true"))["items"]
    assert (row["archived"], row["actions"]) == (True, ["clone", "restore"])
    assert (await world.get(f"/campaigns/{campaign}"))["status"] == "done"
    kpi = await world.get("/overview/kpi")
    assert (kpi["total"], kpi["completed"]) == (1, 1)

    await world.say(campaign, restored)
    assert (await world.get("/campaigns", archived="true"))["items"] == []
    assert len((await world.get("/campaigns"))["items"]) == 1
    assert len((await world.get("/overview/recent"))["items"]) == 1


async def test_a_campaign_that_its_window_holds_says_until_when(world: World) -> None:
    campaign, opens = new_id(), datetime(2030, 1, 1, 9, tzinfo=UTC)
    await world.say(campaign, created("Spring"), *lifecycle(3))
    await world.say(campaign, CampaignPaused(was="sending", until=opens))

    held = await world.get(f"/campaigns/{campaign}")
    assert (held["status"], held["paused_until"]) == ("paused", "2030-01-01T09:00:00.000000Z")


async def test_a_triggered_campaign_counts_the_contacts_pushed_so_far(world: World) -> None:
    campaign = new_id()
    settings = SmsSettings(name="n", text="t", sender_id="s", link_id="sim", mode="trigger")
    await world.say(campaign, CampaignCreated(settings=settings, author=ANN, review=1))
    suppressed = Skipped(number=1, reason="suppressed")
    pushed = MessagesPlanned(audience=campaign, first=1, last=1, parts=(), skipped=(suppressed,))
    await world.say(campaign, pushed)
    pushed = MessagesPlanned(audience=campaign, first=2, last=3, parts=((1, 2),))
    await world.say(campaign, pushed)

    stats = (await world.get(f"/campaigns/{campaign}"))["stats"]
    assert (stats["total"], stats["queued"], stats["skipped"]) == (3, 2, 1)


async def test_the_settings_of_a_workspace_are_in_no_list(world: World) -> None:
    await world.say("settings", SettingsChanged(settings=WorkspaceSettings(), by=ANN))

    assert (await world.get("/campaigns"))["items"] == []
    assert (await world.get("/overview/kpi"))["total"] == 0
    assert await world.status_of("/campaigns/settings") == (404, "not_found")


async def test_lists_come_in_pages_the_newest_first(world: World) -> None:
    names = [f"Campaign {number}" for number in range(7)]
    for name in names:
        await world.say(new_id(), created(name), lifecycle(1)[0])

    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await world.get("/campaigns", limit=3, **cursor)
        seen += [row["name"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == names[::-1]


async def test_short_lists_come_in_pages_as_well(world: World) -> None:
    for name in ("a", "b", "c"):
        await world.say(new_id(), created(name), *lifecycle(3))

    page = await world.get("/overview/recent", limit=2)
    rest = await world.get("/overview/recent", cursor=page["next_cursor"])
    assert [row["name"] for row in page["items"]] == ["c", "b"]
    assert ([row["name"] for row in rest["items"]], rest["next_cursor"]) == (["a"], None)
    hours = await world.get("/overview/activity", limit=20)
    rest = await world.get("/overview/activity", cursor=hours["next_cursor"])
    assert (len(hours["items"]), len(rest["items"])) == (20, 4)


async def test_authors_are_ranked_over_the_days_asked_for(world: World) -> None:
    now = datetime.now(UTC)
    await world.say(new_id(), created("old", BOB), at=now - timedelta(days=32))
    await world.say(new_id(), created("older", BOB), at=now - timedelta(days=29))
    await world.say(new_id(), created("a", ANN))
    await world.say(new_id(), created("b", ANN))

    assert (await world.get("/overview/top-authors"))["items"] == [
        {"author": {"id": "ann", "name": "Ann"}, "campaigns": 2},
        {"author": {"id": "bob", "name": "Bob"}, "campaigns": 1},
    ]
    page = await world.get("/overview/top-authors", limit=1, days=40)
    assert page["next_cursor"] is not None
    rest = await world.get("/overview/top-authors", days=40, cursor=page["next_cursor"])
    assert [*page["items"], *rest["items"]] == [
        {"author": {"id": "ann", "name": "Ann"}, "campaigns": 2},
        {"author": {"id": "bob", "name": "Bob"}, "campaigns": 2},
    ]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/campaigns", {"limit": 0}),
        ("/campaigns", {"limit": 1001}),
        ("/campaigns", {"cursor": "rubbish"}),
        ("/campaigns", {"status": "flying"}),
        ("/campaigns", {"channel": "pigeon"}),
        ("/overview/pulse", {"interval_s": 301}),
        ("/overview/recent", {"limit": 0}),
        ("/overview/activity", {"limit": 1001}),
        ("/overview/top-authors", {"days": 0}),
    ],
)
async def test_a_question_that_makes_no_sense_is_invalid(
    world: World, path: str, parameters: dict[str, Any]
) -> None:
    assert await world.status_of(path, **parameters) == (422, "invalid")


async def test_another_workspace_sees_nothing(world: World, issuer: Issuer) -> None:
    campaign = new_id()
    position = await world.say(campaign, created("Secret"), uploaded(1), *lifecycle(1))
    world.client.headers.update(issuer.bearer("elsewhere", "admin"))
    world.client.headers["Min-Event-Position"] = position

    assert await world.status_of(f"/campaigns/{campaign}") == (404, "not_found")
    assert await world.status_of(f"/campaigns/{campaign}/stream") == (404, "not_found")
    assert (await world.get("/campaigns"))["items"] == []
    assert (await world.get("/overview/kpi"))["total"] == 0


async def test_a_position_that_does_not_come_is_too_early(world: World) -> None:
    world.client.headers["Min-Event-Position"] = "c999999999"
    assert await world.status_of("/overview/kpi") == (425, "position_not_reached")
    world.client.headers["Min-Event-Position"] = "nonsense"
    assert await world.status_of("/overview/kpi") == (422, "invalid")


async def test_nobody_reads_without_a_token(world: World) -> None:
    del world.client.headers["Authorization"]
    assert await world.status_of("/overview") == (401, "unauthorized")
    assert await world.status_of("/overview/stream") == (401, "unauthorized")


async def test_an_overview_that_many_ask_for_is_never_behind_what_they_wrote(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created("Spring"), uploaded(10), *lifecycle(3))
    await world.say(campaign, PLANNED, TAKEN)

    for number in range(1, 11):
        await world.say(campaign, submitted(number))
        answers = await asyncio.gather(*(world.get("/overview") for _ in range(4)))
        assert {answer["delivery"]["in_flight"] for answer in answers} == {number}


async def test_openapi_holds_every_view(world: World) -> None:
    paths = (await world.client.get("/openapi.json")).json()["paths"]
    assert "/api/v1/campaigns" in paths
    stream = paths["/api/v1/overview/stream"]["get"]["responses"]
    assert "text/event-stream" in stream["200"]["content"]


async def test_the_diagnostics_tell_of_core_views_and_servers(world: World) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(orjson.dumps({"status": "ok", "links": []}))

    await world.nc.subscribe("core.health", cb=answer)
    await servers.flushed(world.nc)
    diagnostics = await world.get("/diagnostics")

    assert diagnostics["core_api"]["status"] == "ok"
    assert diagnostics["core_api"]["latency_ms"] > 0
    assert (diagnostics["nats"], diagnostics["mongo"]) == ("ok", "ok")
    assert diagnostics["audit"]["fallback"] == "empty"
    assert [view["name"] for view in diagnostics["projections"]] == [
        "read_model.campaigns",
        "read_model.history",
        "read_model.messages",
        "read_model.calls",
    ]
    assert (await world.get("/overview/pulse"))["core"] == "ok"


async def test_administrators_see_how_each_link_is_and_others_whether_it_is_up(
    world: World, issuer: Issuer
) -> None:
    link = {"id": "acme", "state": "up", "sessions_up": 2, "last_error": "bind refused"}

    async def answer(message: Msg) -> None:
        await message.respond(orjson.dumps({"status": "ok", "links": [link]}))

    await world.nc.subscribe("core.health", cb=answer)
    await servers.flushed(world.nc)

    assert (await world.get("/diagnostics"))["links"] == [{"id": "acme", "state": "up"}]
    overview = await world.get("/overview")
    assert overview["diagnostics"]["links"] == [{"id": "acme", "state": "up"}]
    world.client.headers.update(issuer.bearer(world.workspace, "admin"))
    assert (await world.get("/diagnostics"))["links"] == [link]


async def test_a_core_that_does_not_answer_is_down(world: World) -> None:
    assert (await world.get("/diagnostics"))["core_api"] == {"status": "down", "latency_ms": None}
    assert (await world.get("/overview/pulse"))["core"] == "down"


async def test_the_diagnostics_answer_while_the_database_is_away(
    nc: Client, log: EventLog, workspace: str, issuer: Issuer
) -> None:
    nowhere = f"mongodb://127.0.0.1:{servers.free_port()}/?replicaSet=none"
    async with AsyncMongoClient[dict[str, Any]](nowhere, serverSelectionTimeoutMS=5000) as mongo:
        db = mongo["read_model"]
        app = door(resources("read_model", issuer, nc, db), Reading.of(nc, db, log))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://test",
            headers=issuer.bearer(workspace, "viewer"),
        ) as client:
            asked = time.monotonic()
            answer = await client.get("/api/v1/diagnostics")
            assert time.monotonic() - asked < 2
            assert answer.status_code == 200
            assert (answer.json()["mongo"], answer.json()["nats"]) == ("down", "ok")
            assert not answer.json()["db_schema"]["ok"]
