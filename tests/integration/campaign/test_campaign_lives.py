"""Copies, the archive, and campaigns whose contacts come one by one."""

import pytest
from nats.aio.client import Client

from campaign_events.campaign import (
    CampaignApproved,
    CampaignArchived,
    CampaignBuilt,
    CampaignCreated,
    CampaignRestored,
    CampaignStarted,
    CampaignStopped,
)
from campaign_events.envelope import Actor, Position, new_id
from campaign_events.message import PlanFinished
from campaign_events.sender import SenderArchived
from campaign_team import CAMPAIGNS, MODERATOR, Team, core_in, problem
from doors import at_work

CSV = {"Content-Type": "text/csv"}


async def test_a_copy_has_the_settings_and_not_the_contacts(team: Team) -> None:
    window = {"start": "09:00", "end": "18:00", "timezone": "Europe/London"}
    times = {"starts_at": "2100-01-01T00:00:00Z", "ends_at": "2100-02-01T00:00:00Z"}
    original = await team.made(mode="spread", daily_window=window, auto_start=False, **times)
    async with team.speak("author") as author:
        content = b"phone\n+447911123456\n"
        await author.put(f"{CAMPAIGNS}/{original}/contacts", content=content, headers=CSV)
    async with team.speak("admin", sub="bo") as person:
        answer = await person.post(f"{CAMPAIGNS}/{original}/clone")

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{CAMPAIGNS}/{body['id']}"
    assert str(Position.parse(answer.headers["Event-Position"])).startswith("c")
    assert (body["status"], body["name"]) == ("new", "Spring (copy)")
    assert (body["mode"], body["daily_window"], body["auto_start"]) == ("spread", window, False)
    assert {name: body[name] for name in times} == times
    assert (body["contacts"], body["stats"]["total"]) == (None, 0)
    assert body["author"] == {"id": "bo", "name": "Bo"}
    (created,) = await team.facts(body["id"])
    assert isinstance(created, CampaignCreated)
    assert created.cloned_from == original


async def test_a_copy_forgets_moments_that_have_passed(team: Team) -> None:
    original = await team.made(mode="on_time", starts_at="2001-01-01T00:00:00Z")
    async with team.speak("author") as author:
        body = (await author.post(f"{CAMPAIGNS}/{original}/clone", json={"name": "Again"})).json()
        copy = f"{CAMPAIGNS}/{body['id']}"
        renamed = await author.patch(copy, json={"name": "x"})
        timed = await author.patch(copy, json={"starts_at": "2100-01-01T00:00:00Z"})

    assert (body["name"], body["mode"], body["starts_at"]) == ("Again", "on_time", None)
    assert "starts_at" in problem(renamed, 422, "invalid")
    assert timed.status_code == 200


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 201}, {"text": "x"}, [], "x"])
async def test_a_copy_is_told_a_name_or_nothing(team: Team, body: object) -> None:
    original = await team.made()
    async with team.speak("author") as author:
        problem(await author.post(f"{CAMPAIGNS}/{original}/clone", json=body), 422, "invalid")


async def test_what_can_not_be_sent_is_not_copied(team: Team) -> None:
    original = await team.made()
    async with team.speak("author", workspace="elsewhere") as stranger:
        problem(await stranger.post(f"{CAMPAIGNS}/{original}/clone"), 404, "not_found")
    async with team.speak("viewer") as viewer:
        problem(await viewer.post(f"{CAMPAIGNS}/{original}/clone"), 403, "forbidden")
    await team.say(SenderArchived(by=MODERATOR), team.sender)
    async with team.speak("author") as author:
        answer = await author.post(f"{CAMPAIGNS}/{original}/clone")
        assert "sender_id" in problem(answer, 422, "invalid")
        problem(await author.post(f"{CAMPAIGNS}/{new_id()}/clone"), 404, "not_found")


async def test_one_key_makes_one_copy_and_one_trip_to_the_archive(team: Team) -> None:
    original = await team.made()
    await team.say(CampaignStopped(was="new", by=MODERATOR), original)
    async with team.speak("author") as author:
        for action, status in (("clone", 201), ("archive", 200), ("restore", 200)):
            path, key = f"{CAMPAIGNS}/{original}/{action}", {"Idempotency-Key": action}
            first = await author.post(path, headers=key)
            second = await author.post(path, headers=key)
            assert (first.status_code, second.status_code) == (status, status)
            assert first.content == second.content

    kinds = [type(fact) for fact in await team.facts(original)]
    assert kinds[2:] == [CampaignArchived, CampaignRestored]


async def test_the_archive_takes_what_has_ended_and_gives_it_back(team: Team) -> None:
    campaign = await team.made()
    path = f"{CAMPAIGNS}/{campaign}"
    async with team.speak("author") as author:
        early = await author.post(f"{path}/archive")
        stopped = await author.post(f"{path}/stop")
        archived = await author.post(f"{path}/archive")
        twice = await author.post(f"{path}/archive")
        restored = await author.post(f"{path}/restore")
        again = await author.post(f"{path}/restore")

    assert "that is new can not be archived" in problem(early, 409, "illegal_transition")
    assert stopped.json()["actions"] == ["clone", "archive"]
    assert archived.json()["archived"] is True
    assert archived.json()["status"] == "cancelled"
    assert archived.json()["actions"] == ["clone", "restore"]
    problem(twice, 409, "illegal_transition")
    assert restored.json()["archived"] is False
    problem(again, 409, "illegal_transition")
    for answer in (archived, restored):
        Position.parse(answer.headers["Event-Position"])


async def test_a_triggered_campaign_takes_no_upload(team: Team) -> None:
    campaign = await team.made(mode="trigger")
    async with team.speak("author") as author:
        content = b"phone\n+447911123456\n"
        answer = await author.put(f"{CAMPAIGNS}/{campaign}/contacts", content=content, headers=CSV)

    assert "one by one" in problem(answer, 409, "refused")


async def test_a_triggered_campaign_sends_as_soon_as_it_is_approved(team: Team, nc: Client) -> None:
    campaign = await team.made(mode="trigger")
    (created,) = await team.facts(campaign)
    async with core_in(nc), at_work(team.work):
        await team.say(CampaignApproved(was="new", by=Actor(id="m", name="M"), review=-1), campaign)
        await team.say(PlanFinished(queued=0, skipped=0, segments=0), campaign)
        built = await team.until(campaign, CampaignBuilt)
        await team.until(campaign, CampaignStarted)

    assert created.review == 1
    assert built.queued == 0
