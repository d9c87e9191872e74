"""Voice campaigns over HTTP: the campaign service with a real log, a real database, a real door."""

import asyncio

import pytest
from nats.aio.client import Client

from campaign_events.call import CallsFinished, DiallingBroken
from campaign_events.campaign import CampaignCreated, CampaignDeleted
from campaign_events.envelope import Position
from campaign_events.projection import Database
from campaign_events.voice import (
    CampaignRestarted,
    ContactsLeft,
    DiallingCompleted,
    DiallingFailed,
    DiallingStarted,
    VoiceCampaignCreated,
)
from campaign_team import (
    CAMPAIGNS,
    Team,
    core_in,
    dialler_in,
    eventually,
    file_of,
    problem,
)

WINDOW = {"start": "10:00", "end": "17:30", "timezone": "Europe/Berlin", "days": ["fri", "mon"]}


async def test_a_created_voice_campaign_is_answered_as_it_will_be_shown(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.voice_wish(time_window=WINDOW))

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{CAMPAIGNS}/{body['id']}"
    assert str(Position.parse(answer.headers["Event-Position"])).startswith("c")
    assert (body["channel"], body["status"], body["run_number"]) == ("voice", "draft", 1)
    assert body["actions"] == ["edit", "clone", "start", "delete"]
    assert body["time_window"] == WINDOW | {"days": ["mon", "fri"]}
    defaults = {
        "concurrency_limit": 50,
        "cps_limit": 10,
        "pacing": "predictive",
        "abandon": {"limit": 0.03, "window": "campaign", "max_wait_s": 2},
        "dial_timeout_s": 25,
        "contact_caps": [],
        "campaign_mode": "single_day",
        "respect_contact_timezone": False,
        "callback_detection": {"enabled": False},
        "always_on": False,
    }
    assert {name: body[name] for name in defaults} == defaults
    assert body["redial_rules"] == {
        "max_attempts": 3,
        "retry_delay_minutes": 30,
        "retry_on_system": ["no_answer", "rejected", "busy", "error", "timeout"],
        "retry_on_custom": [],
    }
    assert body["amd"] == {
        "enabled": False,
        "total_analysis_ms": 5000,
        "action_on_machine": "teardown",
        "action_on_unknown": "continue",
    }
    assert (body["stats"]["total_calls"], body["stats"]["completion_rate"]) == (0, None)
    assert [type(fact) for fact in await team.facts(body["id"])] == [VoiceCampaignCreated]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"name": " "}, set()),
        ({"destination": "agents"}, {"destination"}),
        ({"destination": "sim:"}, {"destination"}),
        ({"destination": "elsewhere:agents"}, {"destination"}),
        ({"caller_ids": ["nobody"]}, {"caller_ids"}),
        ({"caller_ids": ["02079460000"]}, {"caller_ids"}),
        ({"caller_ids": ["+442079460000", "+44 20 7946 0000"]}, {"caller_ids"}),
        ({"dial_timeout_s": 14}, {"dial_timeout_s"}),
        ({"dial_timeout_s": 61}, {"dial_timeout_s"}),
        ({"concurrency_limit": -1}, {"concurrency_limit"}),
        ({"cps_limit": 0}, {"cps_limit"}),
        ({"pacing": "wild"}, {"pacing"}),
        ({"abandon": {"limit": 1.1}}, {"abandon.limit"}),
        ({"abandon": {"window": "1h"}}, {"abandon.window"}),
        ({"contact_caps": [{"calls": 0, "hours": 24}]}, {"contact_caps.0.calls"}),
        ({"contact_caps": [{"calls": 1, "hours": 0}]}, {"contact_caps.0.hours"}),
        ({"campaign_mode": "forever"}, {"campaign_mode"}),
        ({"time_window": {"start": "9:00"}}, {"time_window.start"}),
        ({"time_window": {"end": "24:00"}}, {"time_window.end"}),
        ({"time_window": {"timezone": "Mars/Base"}}, {"time_window.timezone"}),
        ({"time_window": {"days": ["noday"]}}, {"time_window.days.0"}),
        ({"time_window": {"days": ["mon", "mon"]}}, {"time_window.days"}),
        ({"redial_rules": {"max_attempts": 0}}, {"redial_rules.max_attempts"}),
        ({"redial_rules": {"retry_delay_minutes": -1}}, {"redial_rules.retry_delay_minutes"}),
        ({"redial_rules": {"retry_on_system": ["magic"]}}, {"redial_rules.retry_on_system.0"}),
        ({"amd": {"action_on_machine": "sing"}}, {"amd.action_on_machine"}),
        ({"amd": {"total_analysis_ms": 1}}, {"amd.total_analysis_ms"}),
        ({"default_region": "XX"}, {"default_region"}),
        ({"colour": "red"}, {"colour"}),
        ({"text": "Hi"}, {"text"}),
        (
            {"cps_limit": 0, "dial_timeout_s": 1, "time_window": {"timezone": "x"}, "pacing": ""},
            {"cps_limit", "dial_timeout_s", "time_window.timezone", "pacing"},
        ),
    ],
)
@pytest.mark.usefixtures("core")
async def test_a_bad_body_is_a_problem_with_everything_that_is_wrong(
    team: Team, changes: dict[str, object], fields: set[str]
) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.voice_wish(**changes))

    problem(answer, 422, "invalid")
    assert {error["field"] for error in answer.json().get("errors", [])} == fields


async def test_caller_ids_are_read_as_numbers_or_kept_as_short_codes(team: Team) -> None:
    given = ["020 7946 0000", "+1 (555) 0100", "4711"]
    async with team.speak("author") as author:
        wish = team.voice_wish(caller_ids=given, default_region="GB")
        body = (await author.post(CAMPAIGNS, json=wish)).json()
        answer = await author.patch(f"{CAMPAIGNS}/{body['id']}", json={"caller_ids": given[:1]})

    assert body["caller_ids"] == ["+442079460000", "+15550100", "4711"]
    assert answer.json()["caller_ids"] == ["+442079460000"]


@pytest.mark.usefixtures("core")
async def test_the_life_of_a_campaign_with_two_runs(team: Team) -> None:
    campaign = await team.ready_voice()

    running = await team.done(campaign, "start")
    assert (running["status"], running["actions"]) == ("running", ["clone", "pause", "stop"])
    assert "stats" not in running
    paused = await team.done(campaign, "pause")
    assert paused["actions"] == ["edit", "clone", "resume", "stop"]
    stopped = await team.done(campaign, "resume", "stop")
    assert (stopped["status"], stopped["restarted"]) == ("completed", None)
    assert stopped["actions"] == ["clone", "restart", "archive"]
    prepared = await team.done(campaign, "restart")
    assert (prepared["status"], prepared["run_number"]) == ("draft", 2)
    assert prepared["restarted"]["by"] == {"id": "ann", "name": "Ann"}
    assert prepared["actions"] == ["edit", "clone", "start", "cancel-restart"]
    back = await team.done(campaign, "cancel-restart")
    assert (back["status"], back["run_number"], back["restarted"]) == ("completed", 1, None)
    again = await team.done(campaign, "restart", "start")
    assert (again["status"], again["run_number"]) == ("running", 2)


@pytest.mark.usefixtures("core")
async def test_what_the_table_does_not_hold_is_refused(team: Team) -> None:
    campaign = await team.ready_voice()
    async with team.speak("author") as author:
        for action in ("pause", "resume", "stop", "restart", "cancel-restart", "archive"):
            problem(
                await author.post(f"{CAMPAIGNS}/{campaign}/{action}"), 409, "illegal_transition"
            )
        await team.done(campaign, "start")
        for action in ("start", "resume", "restart", "cancel-restart", "archive", "restore"):
            problem(
                await author.post(f"{CAMPAIGNS}/{campaign}/{action}"), 409, "illegal_transition"
            )
        answer = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"name": "x"})
        problem(answer, 409, "illegal_transition")
        problem(await author.delete(f"{CAMPAIGNS}/{campaign}"), 409, "illegal_transition")
        answer = await team.put(campaign, file_of(9))
        assert "locked" in problem(answer, 409, "illegal_transition")
        await team.done(campaign, "stop", "archive")
        problem(await author.post(f"{CAMPAIGNS}/{campaign}/restart"), 409, "illegal_transition")
        await team.done(campaign, "restore", "restart")
        answer = await team.put(campaign, file_of(9))
        assert "locked" in problem(answer, 409, "illegal_transition")
        problem(await author.delete(f"{CAMPAIGNS}/{campaign}"), 409, "illegal_transition")


@pytest.mark.usefixtures("core")
async def test_a_start_is_refused_with_all_reasons_at_once(team: Team) -> None:
    nothing = {"caller_ids": [], "concurrency_limit": 0, "time_window": {"days": []}}
    campaign = await team.made_voice(**nothing)

    answer = await team.post(campaign, "start")

    problem(answer, 409, "refused")
    reasons = answer.json()["reasons"]
    words = ("no contacts left to call", "no caller id", "no seats", "no valid window")
    assert [reason[: len(word)] for reason, word in zip(reasons, words, strict=True)] == [*words]


async def test_nothing_starts_without_the_dispatcher_and_the_dialler(
    team: Team, nc: Client
) -> None:
    campaign = await team.made_voice()
    problem(await team.post(campaign, "start"), 503, "core_unavailable")
    await asyncio.sleep(1)  # an answer, also that there is none, holds for a second
    async with core_in(nc):
        answer = await team.post(campaign, "start")
        assert "dialler" in problem(answer, 503, "core_unavailable")
        await asyncio.sleep(1)
        async with dialler_in(nc):
            problem(await team.post(campaign, "start"), 409, "refused")


@pytest.mark.usefixtures("core")
async def test_settings_change_in_a_draft_and_while_paused(team: Team) -> None:
    campaign = await team.ready_voice()
    async with team.speak("author") as author:
        path = f"{CAMPAIGNS}/{campaign}"
        change = {"time_window": {"start": "08:00"}, "concurrency_limit": 5}
        edited = (await author.patch(path, json=change)).json()
        assert edited["time_window"]["start"] == "08:00"
        assert edited["time_window"]["end"] == "18:00"
        await team.done(campaign, "start", "pause")
        answer = await author.patch(path, json={"concurrency_limit": 7, "caller_ids": ["4711"]})
        assert (answer.json()["concurrency_limit"], answer.json()["caller_ids"]) == (7, ["4711"])
        answer = await author.patch(path, json={"destination": "sim:others"})
        assert "destination" in problem(answer, 409, "illegal_transition")
        problem(await author.patch(path, json={}), 422, "invalid")
        problem(await author.patch(path, json={"text": "Hi"}), 422, "invalid")
        await author.patch(path, json={"concurrency_limit": 0})
        assert "no seats" in problem(await author.post(f"{path}/resume"), 409, "refused")


async def test_an_author_deletes_a_draft_and_its_contacts_go_too(
    team: Team, db: Database, staffed: None
) -> None:
    _ = staffed
    campaign = await team.ready_voice()
    async with team.speak("viewer") as viewer:
        problem(await viewer.delete(f"{CAMPAIGNS}/{campaign}"), 403, "forbidden")
    async with team.speak("author") as author:
        answer = await author.delete(f"{CAMPAIGNS}/{campaign}")
        assert answer.status_code == 204
        problem(await author.delete(f"{CAMPAIGNS}/{campaign}"), 404, "not_found")
    assert (await team.facts(campaign))[-1] == CampaignDeleted(
        was="draft", by={"id": "ann", "name": "Ann"}
    )

    async def gone() -> bool:
        return await db.contacts.count_documents({}) == 0

    await eventually(gone)


@pytest.mark.usefixtures("core")
async def test_a_copy_has_the_settings_and_no_contacts(team: Team) -> None:
    campaign = await team.ready_voice(amd={"enabled": True})
    await team.done(campaign, "start")
    async with team.speak("author") as author:
        answer = await author.post(f"{CAMPAIGNS}/{campaign}/clone")

    copy = answer.json()
    assert answer.status_code == 201
    assert (copy["status"], copy["name"]) == ("draft", "Calls (copy)")
    assert (copy["amd"]["enabled"], copy["stats"]["total_calls"]) == (True, 0)


@pytest.mark.usefixtures("core", "staffed")
async def test_the_campaign_follows_the_dialler(team: Team) -> None:
    finished, broken = await team.ready_voice(), await team.ready_voice()
    await team.done(finished, "start")
    await team.done(broken, "start")
    await team.say(CallsFinished(run=1, left=0), finished)
    await team.say(DiallingBroken(run=1, reason="no such telephony"), broken)

    assert await team.until(finished, ContactsLeft) == ContactsLeft(run=1, left=0)
    assert DiallingCompleted in [type(fact) for fact in await team.facts(finished)]
    failed = await team.until(broken, DiallingFailed)
    assert failed.reason == "no such telephony"
    await team.done(finished, "restart")
    answer = await team.post(finished, "start")
    assert answer.json()["reasons"] == ["no contacts left to call"]
    again = await team.done(broken, "restart", "start")
    assert again["run_number"] == 2


@pytest.mark.usefixtures("core")
async def test_the_same_key_restarts_once(team: Team) -> None:
    campaign = await team.ready_voice()
    await team.done(campaign, "start", "stop")
    key = {"Idempotency-Key": "k"}
    answers = [await team.post(campaign, "restart", headers=key) for _ in range(2)]

    assert [answer.json()["run_number"] for answer in answers] == [2, 2]
    facts = await team.facts(campaign)
    assert sum(isinstance(fact, CampaignRestarted) for fact in facts) == 1


async def test_the_channels_share_one_door(team: Team) -> None:
    """What is of one channel is no part of the other."""
    sms, voice = await team.made(), await team.made_voice()
    async with team.speak("author") as author:
        problem(await author.patch(f"{CAMPAIGNS}/{sms}", json={"cps_limit": 1}), 422, "invalid")
        problem(await author.post(f"{CAMPAIGNS}/{sms}/restart"), 409, "illegal_transition")
        answer = await author.patch(f"{CAMPAIGNS}/{voice}", json={"name": "New"})
        assert answer.json()["name"] == "New"
        schema = (await author.get("/openapi.json")).json()
    body = schema["paths"][f"{CAMPAIGNS}/{{campaign_id}}"]["patch"]["requestBody"]
    assert "Changes" in str(body)
    assert "VoiceChanges" in schema["components"]["schemas"]
    assert [type(fact) for fact in await team.facts(sms)] == [CampaignCreated]


@pytest.mark.usefixtures("core")
async def test_a_start_says_which_run_it_is(team: Team) -> None:
    campaign = await team.ready_voice()
    await team.done(campaign, "start", "stop", "restart", "start")
    runs = [fact.run for fact in await team.facts(campaign) if isinstance(fact, DiallingStarted)]
    assert runs == [1, 2]
