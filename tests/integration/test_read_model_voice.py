"""Voice campaigns in the read model: from facts in the log to answers over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

import servers
from campaign_events.call import (
    AttemptEnd,
    CallsDialled,
    CallsEnded,
    CallsFinished,
    Dial,
    RunOpened,
)
from campaign_events.campaign import CampaignDeleted, ContactsUploaded
from campaign_events.envelope import Actor, new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from campaign_events.voice import (
    CampaignRestarted,
    ContactsExcluded,
    DiallingCompleted,
    DiallingFailed,
    DiallingPaused,
    DiallingStarted,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceSettings,
)
from doors import Issuer
from reading_world import World, world_in

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTED = DiallingStarted(was="draft", run=1, by=ANN)
OPENED = RunOpened(run=1, audience="a", total=3)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.make(tmp_path)


@pytest.fixture
async def world(
    nc: Client, log: EventLog, db: Database, workspace: str, issuer: Issuer
) -> AsyncIterator[World]:
    async with world_in(nc, log, db, workspace, issuer) as world:
        yield world


def created(name: str = "Calls") -> VoiceCampaignCreated:
    settings = VoiceSettings(name=name, destination="sim:agents", caller_ids=("+442079460000",))
    return VoiceCampaignCreated(settings=settings, author=ANN)


def uploaded(accepted: int = 3) -> ContactsUploaded:
    return ContactsUploaded(
        audience="a", accepted=accepted, invalid=1, duplicate=1, suppressed=2, by=ANN
    )


def dialled(*numbers: int, run: int = 1) -> CallsDialled:
    dials = tuple(
        Dial(number=n, sequence=1, kind="first", call_id=f"c{n}", caller_id="+4420")
        for n in numbers
    )
    return CallsDialled(run=run, epoch=1, dials=dials)


def completed(*numbers: int, run: int = 1) -> CallsEnded:
    ends = tuple(
        AttemptEnd(
            number=n,
            sequence=1,
            outcome="connected",
            becomes="completed",
            first_connection=True,
            ended_at=AT,
        )
        for n in numbers
    )
    return CallsEnded(run=run, ends=ends)


def missed(*numbers: int, run: int = 1) -> CallsEnded:
    ends = tuple(
        AttemptEnd(number=n, sequence=1, outcome="busy", becomes="failed", ended_at=AT)
        for n in numbers
    )
    return CallsEnded(run=run, ends=ends)


async def test_a_draft_is_listed_with_everybody_waiting(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created(), uploaded())

    [row] = (await world.get("/campaigns", status="draft", channel="voice"))["items"]
    assert (row["id"], row["channel"], row["status"], row["run_number"]) == (
        campaign,
        "voice",
        "draft",
        1,
    )
    assert (row["restarted"], row["starts_at"]) == (None, None)
    assert row["actions"] == ["edit", "clone", "start", "delete"]
    assert (row["stats"]["total_calls"], row["stats"]["pending"]) == (3, 3)
    assert row["progress"]["worth_polling"] is False
    detail = await world.get(f"/campaigns/{campaign}")
    assert detail["caller_ids"] == ["+442079460000"]
    assert detail["redial_rules"]["max_attempts"] == 3
    assert (detail["live"], detail["run"], detail["excluded"]) == (None, 1, 0)

    await world.say(campaign, ContactsExcluded(numbers=(1,), excluded=1, by=ANN))
    detail = await world.get(f"/campaigns/{campaign}")
    assert (detail["stats"]["total_calls"], detail["excluded"]) == (2, 1)


async def test_the_numbers_follow_a_run_to_its_end(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created(), uploaded(), STARTED)
    waiting = await world.get(f"/campaigns/{campaign}")
    assert waiting["stats"]["pending"] == 3

    await world.say(campaign, OPENED, dialled(1, 2), completed(1), missed(2))
    await world.say(campaign, dialled(3))

    [row] = (await world.get("/campaigns", status="running"))["items"]
    stats = row["stats"]
    assert (stats["live"], stats["completed"], stats["failed"], stats["pending"]) == (1, 1, 1, 0)
    assert stats["attempt_answer_rate"] == 1 / 3
    assert stats["connect_rate"] == 1 / 3
    assert stats["completion_rate"] == 2 / 3
    assert row["progress"]["processed_percent"] == 200 / 3
    assert row["progress"]["worth_polling"] is True
    assert row["actions"] == ["clone", "pause", "stop"]
    [recent] = (await world.get("/overview/recent"))["items"]
    assert recent["stats"] == stats
    hour = (await world.get("/overview/activity", channel="voice"))["items"][-1]
    assert (hour["sent"], hour["failed"]) == (1, 1)
    hour = (await world.get("/overview/activity"))["items"][-1]
    assert (hour["sent"], hour["failed"]) == (0, 0)


async def test_the_overview_counts_voice(world: World) -> None:
    await world.say(new_id(), created("draft"))
    await world.say(new_id(), created("running"), STARTED)
    paused = DiallingPaused(was="running", by=ANN)
    await world.say(new_id(), created("paused"), STARTED, paused)
    await world.say(new_id(), created("done"), STARTED, DiallingCompleted(was="running"))
    await world.say(new_id(), created("failed"), STARTED, DiallingFailed(was="running", reason="x"))
    await world.say(new_id(), created("gone"), CampaignDeleted(was="draft", by=ANN))

    assert await world.get("/overview/kpi") == {
        "total": 6,
        "active": 2,
        "completed": 1,
        "failed": 1,
    }
    funnel = await world.get("/overview/funnel")
    assert funnel["voice"] == {
        "draft": 1,
        "running": 1,
        "paused": 1,
        "completed": 1,
        "failed": 1,
    }
    assert funnel["paused"] == 0
    [author] = (await world.get("/overview/top-authors"))["items"]
    assert author["campaigns"] == 6
    assert len((await world.get("/overview/recent"))["items"]) == 5
    pulse = await world.get("/overview/pulse")
    assert pulse["in_flight"] == 0


async def test_a_restart_shows_its_run_and_keeps_the_numbers_of_the_last(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created(), uploaded(), STARTED)
    await world.say(campaign, OPENED, dialled(1, 2, 3), completed(1), missed(2, 3))
    await world.say(campaign, CallsFinished(run=1, left=2))
    await world.say(campaign, DiallingCompleted(was="running"))
    await world.say(campaign, CampaignRestarted(was="completed", run=2, by=BOB))

    prepared = await world.get(f"/campaigns/{campaign}")
    assert (prepared["status"], prepared["run_number"]) == ("draft", 2)
    assert prepared["restarted"]["by"] == {"id": "bob", "name": "Bob"}
    assert prepared["actions"] == ["edit", "clone", "start", "cancel-restart"]
    assert (prepared["stats"]["total_calls"], prepared["stats"]["pending"]) == (2, 2)
    before = await world.get(f"/campaigns/{campaign}", run=1)
    assert (before["run"], before["run_number"]) == (1, 2)
    assert (before["stats"]["total_calls"], before["stats"]["failed"]) == (3, 2)
    assert before["progress"]["processed_percent"] == 100.0
    assert await world.status_of(f"/campaigns/{campaign}", run=3) == (404, "not_found")
    assert await world.status_of(f"/campaigns/{campaign}", run=0) == (422, "invalid")

    await world.say(campaign, DiallingStarted(was="draft", run=2, by=BOB))
    await world.say(campaign, RunOpened(run=2, audience="a", total=2), dialled(2, run=2))
    again = await world.get(f"/campaigns/{campaign}")
    assert (again["stats"]["total_calls"], again["stats"]["live"]) == (2, 1)


async def test_a_restart_that_is_given_up_shows_the_last_run_again(world: World) -> None:
    campaign = new_id()
    await world.say(campaign, created(), uploaded(), STARTED)
    await world.say(campaign, OPENED, dialled(1, 2, 3), completed(1, 2, 3))
    await world.say(campaign, DiallingCompleted(was="running"))
    await world.say(
        campaign,
        CampaignRestarted(was="completed", run=2, by=BOB),
        RestartCancelled(becomes="completed", run=1, by=BOB),
    )

    row = await world.get(f"/campaigns/{campaign}")
    assert (row["status"], row["run_number"], row["restarted"]) == ("completed", 1, None)
    assert row["stats"]["completed"] == 3
    assert row["actions"] == ["clone", "restart", "archive"]


async def test_history_comes_in_pages_the_newest_first(world: World, issuer: Issuer) -> None:
    campaign = new_id()
    await world.say(campaign, created(), uploaded(), STARTED)
    await world.say(campaign, DiallingCompleted(was="running"))

    first = await world.get(f"/campaigns/{campaign}/activity", limit=3)
    rest = await world.get(f"/campaigns/{campaign}/activity", cursor=first["next_cursor"])
    assert [item["action"] for item in first["items"]] == [
        "campaign.completed",
        "campaign.started",
        "campaign.contacts_uploaded",
    ]
    assert first["items"][0]["actor"] is None
    assert first["items"][1]["actor"] == {"id": "ann", "name": "Ann"}
    assert first["items"][1]["status"] == "running"
    assert first["items"][2]["details"]["accepted"] == 3
    assert [item["action"] for item in rest["items"]] == ["campaign.created"]
    assert rest["next_cursor"] is None
    world.client.headers.update(issuer.bearer("elsewhere", "admin"))
    assert await world.status_of(f"/campaigns/{campaign}/activity") == (404, "not_found")


async def test_the_dialler_is_asked_what_is_live_at_most_once_a_second(world: World) -> None:
    campaign, asked = new_id(), list[Any]()
    live = {"ringing": 2, "in_progress": 1, "state": "live"}

    async def answer(message: Msg) -> None:
        asked.append(orjson.loads(message.data))
        await message.respond(orjson.dumps(live))

    await world.say(campaign, created(), uploaded(), STARTED)
    silent = await world.get(f"/campaigns/{campaign}")
    world.reading.dialler._seen.clear()
    await world.nc.subscribe("dialler.live", cb=answer)
    await servers.flushed(world.nc)
    told = [(await world.get(f"/campaigns/{campaign}"))["live"] for _ in range(3)]

    assert silent["live"] is None
    assert told == [live] * 3
    assert asked == [{"workspace": world.workspace, "campaign": campaign}]
