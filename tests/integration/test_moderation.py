"""Moderation over real servers: the queue, decisions, and senders, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.aio.client import Client

from campaign_events.campaign import (
    CampaignApproved,
    CampaignCreated,
    CampaignDeleted,
    ContactsUploaded,
    SettingsChanged,
    SmsSettings,
    WorkspaceSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, Position, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.voice import ContactsExcluded
from doors import Issuer, at_work, resources
from moderation.__main__ import door
from moderation.projections import MODERATION

ANN = Actor(id="ann", name="Ann")


@dataclass
class World:
    """One workspace with Ann, an author, and Bob, a moderator."""

    workspace: str
    log: EventLog
    client: httpx.AsyncClient
    issuer: Issuer
    db: Database
    position: str = ""

    async def say(self, thing: str, *events: Event) -> None:
        for event in events:
            origin = Origin(new_id(), datetime.now(UTC), "test")
            address = Address(self.workspace, thing)
            seq = await self.log.append_fact(Fact(event, address, new_id()), origin)
        self.position = str(Position.of("CAMPAIGNS", seq))

    async def ask(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        roles = {"ann": "author", "bob": "moderator", "eve": "admin", "vic": "viewer"}
        answer = await self.client.request(
            method,
            f"/api/v1{path}",
            json=body,
            headers=self.issuer.bearer(self.workspace, roles[who], sub=who)
            | ({"Min-Event-Position": self.position} if self.position else {})
            | headers,
        )
        self.position = answer.headers.get("Event-Position", self.position)
        return answer

    async def approved_sender(self) -> str:
        made = await self.ask("ann", "POST", "/senders", {"name": "Shop", "saddr": "SHOP"})
        assert made.status_code == 201, made.text
        sender_id = str(made.json()["id"])
        path = f"/moderation/senders/{sender_id}/revisions/1/approve"
        assert (await self.ask("bob", "POST", path)).status_code == 200
        return sender_id

    async def campaign(self, sender_id: str, text: str = "Hello {{name}}", people: int = 2) -> str:
        """A campaign of Ann's that waits, with an audience in the database."""
        campaign, audience = new_id(), new_id()
        settings = SmsSettings(name="Spring", text=text, sender_id=sender_id, link_id="sim")
        created = CampaignCreated(settings=settings, author=ANN)
        uploaded = ContactsUploaded(
            audience=audience,
            accepted=people,
            invalid=0,
            duplicate=0,
            suppressed=0,
            by=ANN,
            review=1,
        )
        if people:
            await self.db.contacts.insert_many(
                {
                    "_id": f"{audience}/{number}",
                    "audience": audience,
                    "number": number,
                    "variables": {"name": f"N{number}"},
                    "suppressed": False,
                }
                for number in range(1, people + 1)
            )
        await self.say(campaign, created, *([uploaded] if people else []))
        return campaign


@pytest.fixture
async def world(
    nc: Client, log: EventLog, db: Database, workspace: str, tmp_path: Path
) -> AsyncIterator[World]:
    issuer = Issuer.make(tmp_path)
    projector = Projector(MODERATION, nc, db)
    await IdempotencyKeys(db).prepare()
    app = door(resources("moderation", issuer, nc, db), projector, audience_owner=db.name)
    async with (
        at_work({"projection": projector.run()}),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        assert await projector.reached(await log.last_seq("CAMPAIGNS"), 10)
        yield World(workspace, log, client, issuer, db)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_a_ready_campaign_waits_in_the_queue_and_is_approved(world: World) -> None:
    sender = await world.approved_sender()
    campaign = await world.campaign(sender, "Hello {{name}}" + "x" * 150, people=3)

    queue = (await world.ask("bob", "GET", "/moderation/campaigns")).json()
    created_at = queue["items"][0].pop("created_at")
    assert datetime.fromisoformat(created_at).tzinfo is not None
    assert queue == {
        "items": [
            {
                "id": campaign,
                "name": "Spring",
                "workspace": world.workspace,
                "mode": "on_demand",
                "sender": {"id": sender, "name": "Shop", "saddr": "SHOP"},
                "starts_at": None,
                "author": {"id": "ann", "name": "Ann"},
                "recipients": 3,
                "segments": 3,
                "text": "Hello {{name}}" + "x" * 150,
                "sample": "Hello N1" + "x" * 150,
            }
        ],
        "next_cursor": None,
    }

    answer = await world.ask(
        "bob", "POST", f"/moderation/campaigns/{campaign}/approve", {"note": "fine"}
    )
    assert answer.status_code == 202, answer.text
    assert answer.json() == {
        "id": campaign,
        "decision": "approved",
        "by": {"id": "bob", "name": "Bob"},
        "note": "fine",
    }
    history = await world.log.load(Address(world.workspace, campaign))
    assert history[-1].event == ModerationApproved(by=Actor(id="bob", name="Bob"), note="fine")
    assert answer.headers["Event-Position"] == f"c{history[-1].seq}"
    assert (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"] == []


async def test_the_queue_shows_the_newest_last_in_pages(world: World) -> None:
    sender = await world.approved_sender()
    campaigns = [await world.campaign(sender) for _ in range(5)]

    first = (await world.ask("bob", "GET", "/moderation/campaigns?limit=3")).json()
    rest = (
        await world.ask("bob", "GET", f"/moderation/campaigns?cursor={first['next_cursor']}")
    ).json()
    assert [row["id"] for row in [*first["items"], *rest["items"]]] == campaigns
    assert rest["next_cursor"] is None


async def test_what_is_not_ready_or_not_new_is_not_in_the_queue(world: World) -> None:
    sender = await world.approved_sender()
    await world.campaign(sender, people=0)
    gone = await world.campaign(sender)
    await world.say(gone, CampaignDeleted(was="new", by=ANN, review=-1))
    moved = await world.campaign(sender)
    await world.say(moved, CampaignApproved(was="new", by=ANN, review=-1))

    assert (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"] == []


async def test_a_rejection_says_why(world: World) -> None:
    campaign = await world.campaign(await world.approved_sender())
    path = f"/moderation/campaigns/{campaign}/reject"

    assert problem(await world.ask("bob", "POST", path, {})) == (422, "invalid")
    assert problem(await world.ask("bob", "POST", path, {"note": " "})) == (422, "invalid")
    assert problem(await world.ask("bob", "POST", path, {"note": "x", "y": 1})) == (422, "invalid")
    assert (await world.ask("bob", "POST", path, {"note": "too loud"})).status_code == 202
    history = await world.log.load(Address(world.workspace, campaign))
    assert isinstance(history[-1].event, ModerationRejected)
    assert history[-1].event.note == "too loud"


async def test_everything_that_speaks_against_an_approval_is_told(world: World) -> None:
    made = await world.ask("eve", "POST", "/senders", {"name": "New", "saddr": "NEW"})
    campaign = await world.campaign(made.json()["id"], people=0)

    answer = await world.client.post(
        f"/api/v1/moderation/campaigns/{campaign}/approve",
        headers=world.issuer.bearer(world.workspace, "admin", sub="ann"),
    )
    assert problem(answer) == (409, "refused")
    assert answer.json()["reasons"] == [
        "the campaign has no contacts yet",
        "nobody approves a campaign that they created themselves",
        "the sender has no approved revision",
    ]


async def test_of_two_moderators_at_the_same_moment_one_decides(world: World) -> None:
    campaign = await world.campaign(await world.approved_sender())
    path = f"/moderation/campaigns/{campaign}"

    answers = await asyncio.gather(
        world.ask("bob", "POST", f"{path}/approve"),
        world.ask("eve", "POST", f"{path}/reject", {"note": "no"}),
        world.ask("bob", "POST", f"{path}/approve"),
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    history = await world.log.load(Address(world.workspace, campaign))
    assert len([entry for entry in history if entry.event.type.startswith("moderation.")]) == 1
    later = await world.ask("eve", "POST", f"{path}/approve")
    assert problem(later) == (409, "illegal_transition")


async def test_the_same_key_gives_the_same_answer_and_one_decision(world: World) -> None:
    campaign = await world.campaign(await world.approved_sender())
    path = f"/moderation/campaigns/{campaign}/approve"

    answers = await asyncio.gather(
        *(world.ask("bob", "POST", path, {}, **{"Idempotency-Key": "k1"}) for _ in range(3))
    )
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (202, answers[0].content)
    }


@pytest.mark.parametrize("campaign", ["nothing", "not.a.thing", "*", "ünïcode"])
async def test_an_unknown_campaign_is_not_found(world: World, campaign: str) -> None:
    answer = await world.ask("bob", "POST", f"/moderation/campaigns/{campaign}/approve")
    assert problem(answer) == (404, "not_found")


async def test_another_workspace_and_a_deleted_campaign_are_not_found(world: World) -> None:
    sender = await world.approved_sender()
    campaign = await world.campaign(sender)
    foreign = await world.client.post(
        f"/api/v1/moderation/campaigns/{campaign}/approve",
        headers=world.issuer.bearer("elsewhere", "moderator", sub="bob"),
    )
    assert problem(foreign) == (404, "not_found")
    revision = await world.client.post(
        f"/api/v1/moderation/senders/{sender}/revisions/1/approve",
        headers=world.issuer.bearer("elsewhere", "moderator", sub="bob"),
    )
    assert problem(revision) == (404, "not_found")
    await world.say(campaign, CampaignDeleted(was="new", by=ANN, review=-1))
    gone = await world.ask("bob", "POST", f"/moderation/campaigns/{campaign}/approve")
    assert problem(gone) == (404, "not_found")


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("ann", "/moderation/campaigns/x/approve", {}),
        ("vic", "/moderation/campaigns/x/reject", {"note": "no"}),
        ("bob", "/senders", {"name": "A", "saddr": "A"}),
        ("ann", "/senders/x/archive", None),
        ("ann", "/moderation/senders/x/revisions/1/approve", {}),
    ],
)
async def test_the_wrong_role_is_forbidden(world: World, who: str, path: str, body: Any) -> None:
    assert problem(await world.ask(who, "POST", path, body)) == (403, "forbidden")


async def test_a_sender_lives_from_its_first_revision_to_the_archive(world: World) -> None:
    made = await world.ask(
        "ann", "POST", "/senders", {"name": "Shop", "saddr": "+447700900123", "reason": "ours"}
    )
    assert made.status_code == 201
    sender = made.json()
    assert (sender["status"], sender["current_revision"]) == ("pending_approval", None)
    [revision] = sender["revisions"]
    assert (revision["saddr"], revision["ston"], revision["snpi"]) == ("447700900123", 1, 1)

    waiting = (await world.ask("bob", "GET", "/moderation/senders")).json()["items"]
    assert [(row["id"], row["number"], row["saddr"]) for row in waiting] == [
        (sender["id"], 1, "447700900123")
    ]
    path = f"/moderation/senders/{sender['id']}/revisions"
    assert (await world.ask("bob", "POST", f"{path}/1/approve")).json()["status"] == "approved"
    assert problem(await world.ask("bob", "POST", f"{path}/1/approve")) == (
        409,
        "illegal_transition",
    )
    assert problem(await world.ask("bob", "POST", f"{path}/2/approve")) == (404, "not_found")

    second = await world.ask("ann", "POST", f"/senders/{sender['id']}/revisions", {"saddr": "SHOP"})
    assert second.status_code == 201
    rejected = await world.ask("bob", "POST", f"{path}/2/reject", {"note": "taken"})
    assert rejected.json()["current_revision"] == 1
    archived = await world.ask("eve", "POST", f"/senders/{sender['id']}/archive")
    assert archived.json()["status"] == "archived"

    [listed] = (await world.ask("vic", "GET", "/senders")).json()["items"]
    assert listed == archived.json()
    assert (await world.ask("bob", "GET", "/moderation/senders")).json()["items"] == []


async def test_nobody_approves_their_own_revision(world: World) -> None:
    made = await world.ask("eve", "POST", "/senders", {"name": "Shop", "saddr": "SHOP"})
    path = f"/moderation/senders/{made.json()['id']}/revisions/1/approve"
    assert problem(await world.ask("eve", "POST", path)) == (409, "refused")


async def test_a_workspace_may_let_people_approve_what_they_created(world: World) -> None:
    made = await world.ask("eve", "POST", "/senders", {"name": "Shop", "saddr": "SHOP"})
    sender = made.json()["id"]
    campaign = await world.campaign(sender)
    approvals = (
        f"/moderation/senders/{sender}/revisions/1/approve",
        f"/moderation/campaigns/{campaign}/approve",
    )

    async def allow(allowed: bool) -> None:
        chosen = WorkspaceSettings(allow_self_approval=allowed)
        await world.say("settings", SettingsChanged(settings=chosen, by=ANN))

    async def approve(path: str) -> httpx.Response:
        who = world.issuer.bearer(
            world.workspace, "admin", sub="ann" if campaign in path else "eve"
        )
        return await world.client.post(f"/api/v1{path}", headers=who)

    assert problem(await approve(approvals[0])) == (409, "refused")
    await allow(True)
    assert (await approve(approvals[0])).status_code == 200
    await allow(False)
    assert problem(await approve(approvals[1])) == (409, "refused")
    await allow(True)
    assert (await approve(approvals[1])).status_code == 202


async def test_a_triggered_campaign_shows_its_text_and_no_recipients(world: World) -> None:
    sender = await world.approved_sender()
    settings = SmsSettings(
        name="Codes",
        text="Your code is {{code}}, {{name}}",
        sender_id=sender,
        link_id="sim",
        mode="trigger",
    )
    campaign = new_id()
    await world.say(campaign, CampaignCreated(settings=settings, author=ANN, review=1))

    [row] = (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"]
    assert (row["id"], row["mode"], row["recipients"], row["segments"]) == (
        campaign,
        "trigger",
        0,
        0,
    )
    assert row["sample"] == row["text"] == settings.text


async def test_a_sample_is_rendered_with_every_variable_and_counted_per_person(
    world: World,
) -> None:
    sender, audience, campaign = await world.approved_sender(), new_id(), new_id()
    text = "{{greeting}} {{ First name }}, {{what}}"
    people = [
        {"greeting": "Hi", "First name": "Ann", "what": "x"},
        {"greeting": "Hi", "First name": "Bo", "what": "x" * 200},
        {"greeting": "Привет", "First name": "Яна", "what": "x"},
    ]
    await world.db.contacts.insert_many(
        {
            "_id": f"{audience}/{number}",
            "audience": audience,
            "number": number,
            "variables": variables,
            "suppressed": number == 1,
        }
        for number, variables in enumerate([{}, *people], 1)
    )
    settings = SmsSettings(name="c", text=text, sender_id=sender, link_id="sim")
    uploaded = ContactsUploaded(
        audience=audience, accepted=3, invalid=5, duplicate=2, suppressed=1, by=ANN, review=1
    )
    await world.say(campaign, CampaignCreated(settings=settings, author=ANN), uploaded)

    [row] = (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"]
    assert (row["recipients"], row["segments"], row["sample"]) == (3, 4, "Hi Ann, x")


async def test_who_is_excluded_is_no_recipient(world: World) -> None:
    sender, campaign = await world.approved_sender(), new_id()
    settings = SmsSettings(name="c", text="Hi", sender_id=sender, link_id="sim")
    uploaded = ContactsUploaded(
        audience=new_id(), accepted=5, invalid=0, duplicate=0, suppressed=0, by=ANN, review=1
    )
    excluded = ContactsExcluded(numbers=(1, 4), excluded=2, by=ANN)
    await world.say(campaign, CampaignCreated(settings=settings, author=ANN), uploaded, excluded)

    [row] = (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"]
    assert (row["recipients"], row["segments"]) == (3, 3)


async def test_nothing_is_approved_under_a_sender_that_is_archived(world: World) -> None:
    sender = await world.approved_sender()
    campaign = await world.campaign(sender)
    assert (await world.ask("eve", "POST", f"/senders/{sender}/archive")).status_code == 200

    answer = await world.ask("bob", "POST", f"/moderation/campaigns/{campaign}/approve")
    assert problem(answer) == (409, "refused")
    assert answer.json()["reasons"] == ["the sender is archived"]
    revised = await world.ask("ann", "POST", f"/senders/{sender}/revisions", {"saddr": "NEW"})
    assert problem(revised) == (409, "illegal_transition")


async def test_a_rejected_revision_leaves_the_approved_one_in_use(world: World) -> None:
    sender = await world.approved_sender()
    await world.ask("ann", "POST", f"/senders/{sender}/revisions", {"saddr": "NEW", "reason": "r"})
    [waiting] = (await world.ask("bob", "GET", "/moderation/senders")).json()["items"]
    submitted_at = waiting.pop("submitted_at")
    assert datetime.fromisoformat(submitted_at).tzinfo is not None
    assert waiting == {
        "id": sender,
        "name": "Shop",
        "workspace": world.workspace,
        "number": 2,
        "saddr": "NEW",
        "ston": 5,
        "snpi": 0,
        "dton": 1,
        "dnpi": 1,
        "reason": "r",
        "submitted_by": {"id": "ann", "name": "Ann"},
    }
    path = f"/moderation/senders/{sender}/revisions/2/reject"
    assert problem(await world.ask("bob", "POST", path, {})) == (422, "invalid")
    rejected = (await world.ask("bob", "POST", path, {"note": "no"})).json()
    assert (rejected["status"], rejected["current_revision"]) == ("approved", 1)
    assert [one["status"] for one in rejected["revisions"]] == ["approved", "rejected"]

    campaign = await world.campaign(sender)
    [row] = (await world.ask("bob", "GET", "/moderation/campaigns")).json()["items"]
    assert row["sender"]["saddr"] == "SHOP"
    answer = await world.ask("bob", "POST", f"/moderation/campaigns/{campaign}/approve")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A"},
        {"name": "", "saddr": "SHOP"},
        {"name": "A", "saddr": "TWELVE CHARS"},
        {"name": "A", "saddr": "Привет"},
        {"name": "A", "saddr": "1234567890123456"},
        {"name": "A", "saddr": "SHOP", "ston": 1},
        {"name": "A", "saddr": "SHOP", "ston": 7},
        {"name": "A", "saddr": "SHOP", "colour": "red"},
    ],
)
async def test_a_sender_that_no_phone_could_show_is_invalid(
    world: World, body: dict[str, Any]
) -> None:
    assert problem(await world.ask("ann", "POST", "/senders", body)) == (422, "invalid")
