"""Voice campaigns over HTTP: the campaign service with a real log, a real database, a real door."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from campaign.adding import Addition, Additions
from campaign.audience import Audiences
from campaign.erasing import ContactErasing
from campaign.suppressed import SUPPRESSED, SuppressionList
from campaign_events.call import CallsFinished, DiallingBroken
from campaign_events.campaign import CampaignCreated, CampaignDeleted, ContactsUploaded
from campaign_events.envelope import Actor, Address, Origin, Position, new_id
from campaign_events.erasing import Erasure
from campaign_events.eventlog import EventLog, Unavailable
from campaign_events.executing import execute
from campaign_events.moderation import ModerationApproved
from campaign_events.projection import Database
from campaign_events.shared_projection import SharedProjector
from campaign_events.voice import (
    CampaignRestarted,
    ContactsAdded,
    ContactsExcluded,
    ContactsLeft,
    DiallingCompleted,
    DiallingFailed,
    DiallingStarted,
    VoiceCampaignCreated,
)
from campaign_team import (
    CAMPAIGNS,
    MODERATOR,
    Team,
    core_in,
    dialler_in,
    eventually,
    problem,
    team_in,
)
from doors import at_work

CSV = {"Content-Type": "text/csv"}
WINDOW = {"start": "10:00", "end": "17:30", "timezone": "Europe/Berlin", "days": ["fri", "mon"]}


def phone(number: int) -> str:
    return f"+4479111{number:05d}"


def file_of(*numbers: int) -> bytes:
    rows = "".join(f"{phone(number)},Europe/London\n" for number in numbers)
    return f"phone,timezone\n{rows}".encode()


def erasure(phone: str) -> Erasure:
    return Erasure(phone, "44", phone[3:], "0", None, MODERATOR, new_id())


@pytest.fixture
async def team(
    nc: Client, nats_url: str, db: Database, workspace: str, tmp_path: Path
) -> AsyncIterator[Team]:
    async with team_in(workspace, nc, db, nats_url, tmp_path) as team:
        yield team


@pytest.fixture
async def staffed(team: Team) -> AsyncIterator[None]:
    async with at_work(team.work):
        yield


@pytest.fixture
async def core(nc: Client) -> AsyncIterator[None]:
    """Everything that a start needs."""
    async with core_in(nc), dialler_in(nc):
        yield


async def made(team: Team, **changes: object) -> str:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.voice_wish(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


async def ready(team: Team, **changes: object) -> str:
    campaign = await made(team, **changes)
    await put(team, campaign, file_of(1, 2, 3))
    return campaign


async def put(team: Team, campaign: str, content: bytes) -> Any:
    async with team.speak("author") as author:
        answer = await author.put(f"{CAMPAIGNS}/{campaign}/contacts", content=content, headers=CSV)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def post(team: Team, campaign: str, action: str, body: object = None, **extra: Any) -> Any:
    async with team.speak("author") as author:
        return await author.post(f"{CAMPAIGNS}/{campaign}/{action}", json=body, **extra)


async def done(team: Team, campaign: str, *actions: str) -> Any:
    for action in actions:
        answer = await post(team, campaign, action)
        assert answer.status_code == 200, answer.text
    return answer.json()


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
    campaign = await ready(team)

    running = await done(team, campaign, "start")
    assert (running["status"], running["actions"]) == ("running", ["clone", "pause", "stop"])
    assert "stats" not in running
    paused = await done(team, campaign, "pause")
    assert paused["actions"] == ["edit", "clone", "resume", "stop"]
    stopped = await done(team, campaign, "resume", "stop")
    assert (stopped["status"], stopped["restarted"]) == ("completed", None)
    assert stopped["actions"] == ["clone", "restart", "archive"]
    prepared = await done(team, campaign, "restart")
    assert (prepared["status"], prepared["run_number"]) == ("draft", 2)
    assert prepared["restarted"]["by"] == {"id": "ann", "name": "Ann"}
    assert prepared["actions"] == ["edit", "clone", "start", "cancel-restart"]
    back = await done(team, campaign, "cancel-restart")
    assert (back["status"], back["run_number"], back["restarted"]) == ("completed", 1, None)
    again = await done(team, campaign, "restart", "start")
    assert (again["status"], again["run_number"]) == ("running", 2)


@pytest.mark.usefixtures("core")
async def test_what_the_table_does_not_hold_is_refused(team: Team) -> None:
    campaign = await ready(team)
    async with team.speak("author") as author:
        for action in ("pause", "resume", "stop", "restart", "cancel-restart", "archive"):
            problem(
                await author.post(f"{CAMPAIGNS}/{campaign}/{action}"), 409, "illegal_transition"
            )
        await done(team, campaign, "start")
        for action in ("start", "resume", "restart", "cancel-restart", "archive", "restore"):
            problem(
                await author.post(f"{CAMPAIGNS}/{campaign}/{action}"), 409, "illegal_transition"
            )
        answer = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"name": "x"})
        problem(answer, 409, "illegal_transition")
        problem(await author.delete(f"{CAMPAIGNS}/{campaign}"), 409, "illegal_transition")
        answer = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts", content=file_of(9), headers=CSV
        )
        assert "locked" in problem(answer, 409, "illegal_transition")
        await done(team, campaign, "stop", "archive")
        problem(await author.post(f"{CAMPAIGNS}/{campaign}/restart"), 409, "illegal_transition")
        await done(team, campaign, "restore", "restart")
        answer = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts", content=file_of(9), headers=CSV
        )
        assert "locked" in problem(answer, 409, "illegal_transition")
        problem(await author.delete(f"{CAMPAIGNS}/{campaign}"), 409, "illegal_transition")


@pytest.mark.usefixtures("core")
async def test_a_start_is_refused_with_all_reasons_at_once(team: Team) -> None:
    nothing = {"caller_ids": [], "concurrency_limit": 0, "time_window": {"days": []}}
    campaign = await made(team, **nothing)

    answer = await post(team, campaign, "start")

    problem(answer, 409, "refused")
    reasons = answer.json()["reasons"]
    words = ("no contacts left to call", "no caller id", "no seats", "no valid window")
    assert [reason[: len(word)] for reason, word in zip(reasons, words, strict=True)] == [*words]


async def test_nothing_starts_without_the_dispatcher_and_the_dialler(
    team: Team, nc: Client
) -> None:
    campaign = await made(team)
    problem(await post(team, campaign, "start"), 503, "core_unavailable")
    await asyncio.sleep(1)  # an answer, also that there is none, holds for a second
    async with core_in(nc):
        answer = await post(team, campaign, "start")
        assert "dialler" in problem(answer, 503, "core_unavailable")
        await asyncio.sleep(1)
        async with dialler_in(nc):
            problem(await post(team, campaign, "start"), 409, "refused")


@pytest.mark.usefixtures("core")
async def test_settings_change_in_a_draft_and_while_paused(team: Team) -> None:
    campaign = await ready(team)
    async with team.speak("author") as author:
        path = f"{CAMPAIGNS}/{campaign}"
        change = {"time_window": {"start": "08:00"}, "concurrency_limit": 5}
        edited = (await author.patch(path, json=change)).json()
        assert edited["time_window"]["start"] == "08:00"
        assert edited["time_window"]["end"] == "18:00"
        await done(team, campaign, "start", "pause")
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
    campaign = await ready(team)
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
    campaign = await ready(team, amd={"enabled": True})
    await done(team, campaign, "start")
    async with team.speak("author") as author:
        answer = await author.post(f"{CAMPAIGNS}/{campaign}/clone")

    copy = answer.json()
    assert answer.status_code == 201
    assert (copy["status"], copy["name"]) == ("draft", "Calls (copy)")
    assert (copy["amd"]["enabled"], copy["stats"]["total_calls"]) == (True, 0)


@pytest.mark.usefixtures("core", "staffed")
async def test_the_campaign_follows_the_dialler(team: Team) -> None:
    finished, broken = await ready(team), await ready(team)
    await done(team, finished, "start")
    await done(team, broken, "start")
    await team.say(CallsFinished(run=1, left=0), finished)
    await team.say(DiallingBroken(run=1, reason="no such telephony"), broken)

    assert await team.until(finished, ContactsLeft) == ContactsLeft(run=1, left=0)
    assert DiallingCompleted in [type(fact) for fact in await team.facts(finished)]
    failed = await team.until(broken, DiallingFailed)
    assert failed.reason == "no such telephony"
    await done(team, finished, "restart")
    answer = await post(team, finished, "start")
    assert answer.json()["reasons"] == ["no contacts left to call"]
    again = await done(team, broken, "restart", "start")
    assert again["run_number"] == 2


@pytest.mark.usefixtures("core")
async def test_the_same_key_restarts_once(team: Team) -> None:
    campaign = await ready(team)
    await done(team, campaign, "start", "stop")
    key = {"Idempotency-Key": "k"}
    answers = [await post(team, campaign, "restart", headers=key) for _ in range(2)]

    assert [answer.json()["run_number"] for answer in answers] == [2, 2]
    facts = await team.facts(campaign)
    assert sum(isinstance(fact, CampaignRestarted) for fact in facts) == 1


@pytest.mark.usefixtures("core")
async def test_contacts_join_an_always_on_campaign_while_it_runs(team: Team, db: Database) -> None:
    campaign = await ready(team, always_on=True)
    body = {
        "contacts": [
            {"phone": phone(3), "variables": {"name": "Bo"}},
            {"phone": phone(4), "variables": {"name": "Cy"}},
            {"phone": "x"},
            {"phone": phone(4)},
            {"phone": phone(5)},
        ]
    }
    problem(await post(team, campaign, "contacts", body), 409, "illegal_transition")
    await done(team, campaign, "start")

    answer = await post(team, campaign, "contacts", body, headers={"Idempotency-Key": "k"})
    again = await post(team, campaign, "contacts", body)

    assert answer.json() == {
        "accepted": 2,
        "invalid": 1,
        "duplicate": 2,
        "suppressed": 0,
        "bad_rows": [{"line": 3, "reason": "not a phone number"}],
    }
    assert (again.json()["accepted"], again.json()["duplicate"]) == (0, 4)
    assert "Event-Position" in answer.headers
    [added] = [f for f in await team.facts(campaign) if isinstance(f, ContactsAdded)]
    assert (added.first, added.last) == (4, 5)
    stored = await db.contacts.find({"audience": added.audience}).sort("number").to_list()
    assert [contact["number"] for contact in stored] == [1, 2, 3, 4, 5]
    assert stored[3]["variables"] == {"name": "Cy"}


@pytest.mark.usefixtures("core")
async def test_an_always_on_campaign_may_begin_with_nobody(team: Team, db: Database) -> None:
    campaign = await made(team, always_on=True)
    await done(team, campaign, "start")
    bodies = [{"contacts": [{"phone": phone(n)} for n in range(k, k + 20)]} for k in range(1, 9)]

    answers = await asyncio.gather(*(post(team, campaign, "contacts", body) for body in bodies))

    assert sum(answer.json()["accepted"] for answer in answers) == 27
    stored = await db.contacts.find({"audience": campaign}).sort("number").to_list()
    assert [contact["number"] for contact in stored] == list(range(1, 28))


@pytest.mark.usefixtures("core")
async def test_processes_that_take_contacts_at_once_keep_each_others(
    team: Team, db: Database, nc: Client
) -> None:
    campaign = await made(team, always_on=True)
    await done(team, campaign, "start")
    suppressed = SharedProjector(SUPPRESSED, nc, db, owner="x").view
    processes = [
        Additions(EventLog(nc), Audiences(db), SuppressionList(suppressed, b"secret"))
        for _ in range(3)
    ]

    def addition(first: int) -> Addition:
        contacts: list[tuple[str, dict[str, str]]] = [
            (phone(number), {}) for number in range(first, first + 20)
        ]
        origin = Origin(new_id(), datetime.now(UTC), "campaign")
        by = Actor(id="ann", name="Ann")
        return Addition(Address(team.workspace, campaign), contacts, None, by, origin)

    taken = await asyncio.gather(*(processes[k % 3].take(addition(1 + 10 * k)) for k in range(24)))

    assert sum(report.accepted for report, _ in taken) == 250
    stored = await db.contacts.find({"audience": campaign}).sort("number").to_list()
    assert [contact["number"] for contact in stored] == list(range(1, 251))
    said = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsAdded)]
    assert [fact.first for fact in said] == [1, *(fact.last + 1 for fact in said[:-1])]
    assert said[-1].last == 250
    assert await db.additions.count_documents({}) == 0


@pytest.mark.usefixtures("core")
async def test_what_was_stored_by_one_that_died_is_said_by_the_next(
    team: Team, db: Database
) -> None:
    campaign = await made(team, always_on=True)
    await done(team, campaign, "start")
    row = {"_id": f"{campaign}/{phone(9)}", "audience": campaign, "number": 1, "phone": phone(9)}
    await db.contacts.insert_one(row)
    await db.additions.insert_one(
        {
            "_id": campaign,
            "audience": campaign,
            "first": 1,
            "last": 1,
            "by": {"id": "ann", "name": "Ann"},
            "command": new_id(),
            "at": datetime.now(UTC),
            "source": "campaign",
            "correlation": None,
        }
    )

    answer = await post(team, campaign, "contacts", {"contacts": [{"phone": phone(8)}]})

    assert answer.json()["accepted"] == 1
    said = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsAdded)]
    assert [(fact.first, fact.last) for fact in said] == [(1, 1), (2, 2)]
    assert await db.additions.count_documents({}) == 0


@pytest.mark.usefixtures("core")
async def test_what_a_crash_left_behind_is_replaced(team: Team, db: Database) -> None:
    campaign = await made(team, always_on=True)
    await done(team, campaign, "start")
    left = {"_id": f"{campaign}/{phone(9)}", "audience": campaign, "number": 1, "phone": phone(9)}
    await db.contacts.insert_one(left)

    answer = await post(team, campaign, "contacts", {"contacts": [{"phone": phone(9)}]})

    assert answer.json()["accepted"] == 1
    assert await db.contacts.count_documents({"audience": campaign}) == 1


@pytest.mark.usefixtures("core")
async def test_only_always_on_campaigns_take_contacts_while_they_run(team: Team) -> None:
    campaign = await ready(team)
    await done(team, campaign, "start")
    body = {"contacts": [{"phone": phone(9)}]}
    problem(await post(team, campaign, "contacts", body), 409, "illegal_transition")
    sms = await team.made()
    problem(await post(team, sms, "contacts", body), 409, "illegal_transition")
    problem(await post(team, campaign, "contacts", {"contacts": []}), 422, "invalid")


@pytest.mark.usefixtures("core")
async def test_excluded_contacts_are_marked_and_said_once(team: Team, db: Database) -> None:
    campaign = await ready(team)
    await db.contacts.update_one({"phone": phone(3)}, {"$set": {"suppressed": True}})
    phones = [phone(1), phone(3), phone(8), phone(1), "x"]

    answer = await post(team, campaign, "exclusions", {"phones": phones})

    assert answer.json() == {
        "accepted": 1,
        "invalid": 2,
        "duplicate": 1,
        "suppressed": 1,
        "bad_rows": [
            {"line": 3, "reason": "not a contact of this campaign"},
            {"line": 5, "reason": "not a phone number"},
        ],
    }
    running = await done(team, campaign, "start")
    assert running["excluded"] == 1
    again = await post(team, campaign, "exclusions", {"phones": [phone(1), phone(2)]})
    assert (again.json()["accepted"], again.json()["suppressed"]) == (1, 1)
    told = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsExcluded)]
    assert [(fact.numbers, fact.excluded) for fact in told] == [((1,), 1), ((2,), 2)]
    marked = await db.contacts.distinct("phone", {"suppressed": False, "excluded": True})
    assert marked == [phone(1), phone(2)]


@pytest.mark.usefixtures("core")
async def test_many_exclusions_are_one_decision(team: Team) -> None:
    campaign = await made(team)
    await put(team, campaign, file_of(*range(1, 1201)))

    body = {"phones": [phone(n) for n in range(1, 1201)]}
    answer = await post(team, campaign, "exclusions", body)

    assert answer.json()["accepted"] == 1200
    told = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsExcluded)]
    assert [len(fact.numbers) for fact in told] == [500, 500, 200]
    refused = await post(team, campaign, "start")
    assert refused.json()["reasons"] == ["no contacts left to call"]


async def test_an_sms_campaign_is_kept_from_contacts_only_while_it_is_new(
    team: Team, db: Database
) -> None:
    campaign = await team.made()
    await put(team, campaign, file_of(1, 2, 3))

    answer = await post(team, campaign, "exclusions", {"phones": [phone(1)]})
    assert answer.json()["accepted"] == 1
    await team.say(ModerationApproved(by=MODERATOR), campaign)
    refused = await post(team, campaign, "exclusions", {"phones": [phone(2)]})

    assert "moderator has decided" in problem(refused, 409, "illegal_transition")
    assert await db.contacts.distinct("phone", {"excluded": True}) == [phone(1)]


async def test_a_contact_is_marked_only_after_the_log_has_decided(
    team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails leaves no mark; what was said and not marked is marked by the next request."""
    campaign = await team.made()
    await put(team, campaign, file_of(1, 2, 3))

    async def broken(*_: object) -> None:
        raise Unavailable("no log")

    body = {"phones": [phone(1)]}
    with monkeypatch.context() as context:
        context.setattr("campaign.exclusions.execute", broken)
        assert (await post(team, campaign, "exclusions", body)).status_code == 503
    assert await db.contacts.distinct("phone", {"excluded": True}) == []

    await post(team, campaign, "exclusions", body)
    await db.contacts.update_many({}, {"$unset": {"excluded": ""}})
    again = await post(team, campaign, "exclusions", body)

    assert (again.json()["accepted"], again.json()["suppressed"]) == (0, 1)
    assert await db.contacts.distinct("phone", {"excluded": True}) == [phone(1)]


async def test_numbers_that_an_upload_has_given_to_others_are_not_excluded(
    team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await team.made()
    await put(team, campaign, file_of(1, 2))

    async def overtaken(*given: Any) -> Any:
        await put(team, campaign, file_of(3, 4))
        return await execute(*given)

    with monkeypatch.context() as context:
        context.setattr("campaign.exclusions.execute", overtaken)
        refused = await post(team, campaign, "exclusions", {"phones": [phone(1)]})

    problem(refused, 409, "conflict")
    assert not any(isinstance(fact, ContactsExcluded) for fact in await team.facts(campaign))
    assert await db.contacts.distinct("phone", {"excluded": True}) == []


async def test_erasing_looks_again_when_an_upload_was_faster(
    team: Team, nc: Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers that were looked up are other people's then: nobody is excluded."""
    campaign = await ready(team)

    async def overtaken(*given: Any) -> Any:
        await put(team, campaign, file_of(7, 8))
        return await execute(*given)

    monkeypatch.setattr("campaign.erasing.execute", overtaken)
    erasing = ContactErasing(EventLog(nc), Audiences(db))
    erased = await erasing.erase(erasure(phone(1)))

    assert erased["contacts"] == 1
    assert not any(isinstance(fact, ContactsExcluded) for fact in await team.facts(campaign))


async def test_erasing_does_not_miss_whom_a_campaign_takes_meanwhile(
    team: Team, nc: Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await made(team)
    name = {"_id": f"{campaign}/{phone(1)}", "audience": campaign, "number": 1}
    await db.contacts.insert_one({**name, "phone": phone(1), "variables": {}, "suppressed": False})
    added = [ContactsAdded(audience=campaign, first=1, last=1, by=MODERATOR)]

    async def overtaken(*given: Any) -> Any:
        while added:
            await team.say(added.pop(), campaign)
        return await execute(*given)

    monkeypatch.setattr("campaign.erasing.execute", overtaken)
    await ContactErasing(EventLog(nc), Audiences(db)).erase(erasure(phone(1)))

    told = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsExcluded)]
    assert [fact.numbers for fact in told] == [(1,)]


async def test_erasing_in_one_workspace_leaves_who_joined_a_campaign_of_another(
    team: Team, nc: Client, db: Database
) -> None:
    campaign = await made(team)
    name = {"_id": f"{campaign}/{phone(1)}", "audience": campaign, "number": 1}
    await db.contacts.insert_one({**name, "phone": phone(1), "variables": {}, "suppressed": False})

    elsewhere = replace(erasure(phone(1)), workspace=f"{team.workspace}-other")
    erased = await ContactErasing(EventLog(nc), Audiences(db)).erase(elsewhere)

    assert erased == {"contacts": 0, "mentions": 0}
    assert await db.contacts.count_documents({"phone": phone(1)}) == 1


async def test_the_channels_share_one_door(team: Team) -> None:
    """What is of one channel is no part of the other."""
    sms, voice = await team.made(), await made(team)
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


async def test_an_upload_keeps_the_time_zone_as_a_variable(team: Team, db: Database) -> None:
    campaign = await ready(team)
    contact = await db.contacts.find_one({"phone": phone(1)})
    assert contact is not None
    assert contact["variables"] == {"timezone": "Europe/London"}
    uploaded = (await team.facts(campaign))[-1]
    assert isinstance(uploaded, ContactsUploaded)
    assert uploaded.accepted == 3


@pytest.mark.usefixtures("core")
async def test_a_start_says_which_run_it_is(team: Team) -> None:
    campaign = await ready(team)
    await done(team, campaign, "start", "stop", "restart", "start")
    runs = [fact.run for fact in await team.facts(campaign) if isinstance(fact, DiallingStarted)]
    assert runs == [1, 2]
