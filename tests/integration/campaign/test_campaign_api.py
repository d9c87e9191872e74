import asyncio
from collections.abc import AsyncIterator

import pytest

from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignFailed,
    CampaignStarted,
    ContactsUploaded,
)
from campaign_events.envelope import Position, new_id
from campaign_events.message import PlanFinished, SendingFailed, SendingFinished
from campaign_events.moderation import ModerationApproved
from campaign_events.projection import Database
from campaign_events.sender import SenderArchived
from campaign_team import CAMPAIGNS, CSV, MODERATOR, Team, eventually, problem

WINDOW = {"start": "09:00", "end": "18:00", "timezone": "Europe/London"}
PHONES = b"phone,name\n+447911123456,Ann\n+447911123457,Bo\n"


async def ready(team: Team, **changes: object) -> str:
    campaign = await team.made(**changes)
    answer = await team.put(campaign, PHONES)
    assert answer.status_code == 200, answer.text
    return campaign


async def test_a_created_campaign_is_answered_as_it_will_be_shown(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.wish(ends_at="2100-01-01T01:00:00+01:00"))

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{CAMPAIGNS}/{body['id']}"
    assert str(Position.parse(answer.headers["Event-Position"])).startswith("c")
    assert body["short_id"] == body["id"][-8:]
    assert body["status"] == "new"
    assert body["author"] == {"id": "ann", "name": "Ann"}
    assert body["ends_at"] == "2100-01-01T00:00:00Z"
    assert body["created_at"].endswith("Z")
    assert body["stats"]["total"] == 0
    assert body["actions"] == ["edit", "clone", "stop"]
    assert body["workspace"] == team.workspace
    assert [type(fact) for fact in await team.facts(body["id"])] == [CampaignCreated]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": " "}, "name"),
        ({"text": ""}, "text"),
        ({"text": "x" * 1531}, "text"),
        ({"colour": "red"}, "colour"),
        ({"channel": "fax"}, "channel"),
        ({"mode": "on_time"}, "starts_at"),
        ({"mode": "spread"}, "starts_at"),
        ({"mode": "spread", "starts_at": "2100-01-01T00:00:00Z"}, "ends_at"),
        ({"daily_window": WINDOW | {"timezone": "Europe/Atlantis"}}, "time zone"),
        ({"daily_window": WINDOW | {"timezone": "../etc/passwd"}}, "time zone"),
        ({"daily_window": WINDOW | {"start": "9:00"}}, "daily_window.start"),
        ({"daily_window": WINDOW | {"end": "24:00"}}, "daily_window.end"),
        ({"daily_window": WINDOW | {"end": "18:00:00"}}, "daily_window.end"),
        ({"daily_window": WINDOW | {"end": "09:00"}}, "daily_window"),
        ({"daily_window": {"start": "09:00"}}, "daily_window.end"),
        ({"mode": "sometimes"}, "mode"),
        ({"starts_at": "2100-01-01T00:00:00"}, "starts_at"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2100-01-02T00:00:00Z", "ends_at": "2100-01-01T00:00:00Z"}, "after"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "starts_at"),
        ({"mode": "spread", "starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": 1}, "starts_at"),
        ({"starts_at": "1"}, "starts_at"),
        ({"name": "a\0b"}, "name"),
        ({"text": "a\0b"}, "text"),
        ({"text": "x" * 1531 + "{{name}}"}, "text"),
        ({"default_region": "XX"}, "default_region"),
        ({"sender_id": "nobody"}, "sender_id"),
        ({"sender_id": "a.*.>"}, "sender_id"),
        ({"link_id": "elsewhere"}, "link_id"),
    ],
)
@pytest.mark.usefixtures("core")
async def test_a_bad_body_is_a_clear_problem(
    team: Team, changes: dict[str, object], word: str
) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.wish(**changes))

    assert word in problem(answer, 422, "invalid")


async def test_an_archived_sender_can_not_be_used(team: Team) -> None:
    await team.say(SenderArchived(by=MODERATOR), team.sender)

    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.wish())

    assert "archived" in problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"name": "\xff"}', b"[" * 100_000, b'{"\\ud800": 1}'],
)
async def test_what_is_no_json_object_is_a_bad_body(team: Team, content: bytes) -> None:
    async with team.speak("author") as author:
        json = {"Content-Type": "application/json"}
        answer = await author.post(CAMPAIGNS, content=content, headers=json)

    problem(answer, 422, "invalid")
    assert answer.json().get("errors", [{"field": "body"}])[0]["field"] in ("body", "channel")


async def test_only_what_goes_out_counts_as_text(team: Team) -> None:
    await team.made(text="x" * 1500 + "{{a_name_that_is_longer_than_what_it_will_stand_for}}")


async def test_an_unknown_field_is_named_in_few_words(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.wish(**{"x" * 10_000: 1}))

    assert len(problem(answer, 422, "invalid")) < 300


async def test_a_method_that_is_not_there_says_which_are(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.put(CAMPAIGNS, json={})

    problem(answer, 405, "invalid")
    assert answer.headers["Allow"] == "POST"


async def test_every_method_of_a_path_is_told(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.post("/api/v1/settings", json={})

    assert answer.headers["Allow"] == "GET, HEAD, PATCH"


@pytest.mark.parametrize("named", ["a.b", "a.>", "*a", "a b", "x/y", "", "é", "a" * 65])
async def test_a_workspace_is_one_token_of_a_subject(team: Team, named: str) -> None:
    async with team.speak("super_admin") as person:
        answer = await person.post(CAMPAIGNS, json=team.wish(), params={"workspace": named})

    assert "workspace" in problem(answer, 422, "invalid")


async def test_a_body_under_a_key_is_bounded_too(team: Team) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 100_000
            yield b"x" * 100_000

    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, content=endless(), headers={"Idempotency-Key": "k"})

    problem(answer, 413, "too_large")
    assert taken < 2_000_000


async def test_a_key_is_free_again_when_something_breaks(team: Team) -> None:
    tried = 0

    async def breaks() -> None:
        nonlocal tried
        tried += 1
        raise RuntimeError

    team.app.add_api_route("/breaks", breaks, methods=["POST"])
    async with team.speak("author") as author, asyncio.timeout(10):
        for _ in range(2):
            answer = await author.post("/breaks", headers={"Idempotency-Key": "k"})
            problem(answer, 500, "internal")

    assert tried == 2


async def test_openapi_tells_of_tokens_and_problems(team: Team) -> None:
    async with team.speak() as person:
        schema = (await person.get("/openapi.json")).json()

    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    responses = schema["paths"][CAMPAIGNS]["post"]["responses"]
    assert set(responses) == {"201", "default"}
    assert "application/problem+json" in responses["default"]["content"]


async def test_text_of_two_megabytes_is_too_large(team: Team) -> None:
    async with team.speak("author") as author:
        answer = await author.post(CAMPAIGNS, json=team.wish(text="x" * 2_000_000))

    problem(answer, 413, "too_large")


async def test_roles_and_tokens_are_checked(team: Team) -> None:
    for role in ("viewer", "moderator"):
        async with team.speak(role) as person:
            problem(await person.post(CAMPAIGNS, json=team.wish()), 403, "forbidden")
    async with team.speak("author") as person:
        bad = {"Authorization": "Bearer nonsense"}
        answer = await person.post(CAMPAIGNS, json=team.wish(), headers=bad)
        problem(answer, 401, "unauthorized")


async def test_other_workspaces_and_ids_that_are_none_answer_404(team: Team) -> None:
    campaign = await team.made()
    async with team.speak("author", workspace="elsewhere") as stranger:
        for path in ("start", "pause", "resume", "stop"):
            answer = await stranger.post(f"{CAMPAIGNS}/{campaign}/{path}")
            problem(answer, 404, "not_found")
        answer = await stranger.patch(f"{CAMPAIGNS}/{campaign}", json={"name": "x"})
        problem(answer, 404, "not_found")
        answer = await stranger.put(f"{CAMPAIGNS}/{campaign}/contacts", content=PHONES, headers=CSV)
        problem(answer, 404, "not_found")
    async with team.speak("author") as author:
        for thing in ("*", "a.b", "%3E", "x" * 65, new_id(), team.sender):
            problem(await author.post(f"{CAMPAIGNS}/{thing}/stop"), 404, "not_found")


async def test_the_same_key_at_the_same_moment_makes_one_campaign(team: Team) -> None:
    async with team.speak("author") as author:
        answers = await asyncio.gather(
            *(
                author.post(CAMPAIGNS, json=team.wish(), headers={"Idempotency-Key": "k"})
                for _ in range(5)
            )
        )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await team.facts(answers[0].json()["id"])) == 1


async def test_an_edit_changes_only_what_it_names(team: Team) -> None:
    campaign = await team.made()
    async with team.speak("author") as author:
        answer = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"text": "Bye"})
        unknown = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"colour": "red"})
        nothing = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"name": None})

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["text"]) == ("Spring", "Bye")
    problem(unknown, 422, "invalid")
    problem(nothing, 422, "invalid")


async def test_after_a_moderators_decision_nothing_can_be_changed(team: Team) -> None:
    campaign = await ready(team)
    await team.say(ModerationApproved(by=MODERATOR), campaign)

    async with team.speak("author") as author:
        edit = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"text": "Bye"})
    upload = await team.put(campaign, PHONES)

    problem(edit, 409, "illegal_transition")
    problem(upload, 409, "illegal_transition")


async def test_an_illegal_transition_says_status_and_action(team: Team) -> None:
    campaign = await team.made()
    async with team.speak("author") as author:
        answer = await author.post(f"{CAMPAIGNS}/{campaign}/pause")

    assert problem(answer, 409, "illegal_transition") == (
        "a campaign that is new can not be paused."
    )
    assert len(await team.facts(campaign)) == 1


@pytest.mark.usefixtures("staffed")
async def test_without_core_nothing_starts(team: Team) -> None:
    campaign = await ready(team)
    await team.say(CampaignApproved(was="new", by=MODERATOR), campaign)
    await team.say(CampaignBuilt(was="building", queued=2, skipped=0, segments=2), campaign)

    async with team.speak("author") as author:
        problem(await author.post(f"{CAMPAIGNS}/{campaign}/start"), 503, "core_unavailable")
        problem(await author.post(f"{CAMPAIGNS}/{campaign}/resume"), 503, "core_unavailable")
        stopped = await author.post(f"{CAMPAIGNS}/{campaign}/stop")

    assert stopped.json()["status"] == "cancelled"
    assert CampaignStarted not in [type(fact) for fact in await team.facts(campaign)]


@pytest.mark.usefixtures("core", "staffed")
async def test_an_approved_campaign_is_built_started_and_done(team: Team) -> None:
    campaign = await ready(team)
    await team.say(ModerationApproved(by=MODERATOR, note="fine"), campaign)
    approved = await team.until(campaign, CampaignApproved)
    await team.say(PlanFinished(queued=2, skipped=0, segments=2), campaign)
    started = await team.until(campaign, CampaignStarted)

    async with team.speak("author") as author:
        paused = await author.post(f"{CAMPAIGNS}/{campaign}/pause")
        resumed = await author.post(f"{CAMPAIGNS}/{campaign}/resume")
        again = await author.post(f"{CAMPAIGNS}/{campaign}/resume")
    await team.say(SendingFinished(), campaign)
    await team.until(campaign, CampaignCompleted)

    assert (approved.by, approved.note, approved.review) == (MODERATOR, "fine", -1)
    assert started.by is None
    assert (paused.json()["status"], resumed.json()["status"]) == ("paused", "sending")
    assert "stats" not in resumed.json()
    problem(again, 409, "illegal_transition")


@pytest.mark.usefixtures("staffed")
async def test_nobody_left_to_send_to_fails_the_campaign(team: Team) -> None:
    campaign = await ready(team)
    await team.say(CampaignApproved(was="new", by=MODERATOR), campaign)
    await team.say(PlanFinished(queued=0, skipped=2, segments=0), campaign)

    assert (await team.until(campaign, CampaignFailed)).reason == "nobody left to send to"


@pytest.mark.usefixtures("core", "staffed")
async def test_a_link_that_refuses_everything_fails_the_campaign(team: Team) -> None:
    campaign = await ready(team, auto_start=False)
    await team.say(CampaignApproved(was="new", by=MODERATOR), campaign)
    await team.say(PlanFinished(queued=2, skipped=0, segments=2), campaign)
    await team.until(campaign, CampaignBuilt)
    async with team.speak("author") as author:
        assert (await author.post(f"{CAMPAIGNS}/{campaign}/start")).json()["status"] == "sending"
    await team.say(SendingFailed(reason="no"), campaign)

    assert (await team.until(campaign, CampaignFailed)).reason == "no"


@pytest.mark.usefixtures("staffed")
async def test_only_a_super_admin_deletes_and_the_contacts_go_too(team: Team, db: Database) -> None:
    campaign = await ready(team)
    async with team.speak("admin") as admin:
        problem(await admin.delete(f"{CAMPAIGNS}/{campaign}"), 403, "forbidden")
    async with team.speak("super_admin") as owner:
        answer = await owner.delete(f"{CAMPAIGNS}/{campaign}")
        again = await owner.delete(f"{CAMPAIGNS}/{campaign}")

    assert answer.status_code == 204
    assert str(Position.parse(answer.headers["Event-Position"])).startswith("c")
    problem(again, 404, "not_found")
    facts = await team.facts(campaign)
    assert isinstance(facts[-1], CampaignDeleted)
    assert facts[-1].review == -1
    assert isinstance(facts[-2], ContactsUploaded)

    async def gone() -> bool:
        left = await db.contacts.count_documents({}) + await db.audiences.count_documents({})
        return left == 0

    await eventually(gone)
