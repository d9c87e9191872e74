"""Contacts that join a voice campaign while it runs, or come with its file."""

import asyncio
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client

from campaign.adding import Addition, Additions
from campaign.audience import Audiences
from campaign.suppressed import SUPPRESSED, SuppressionList
from campaign_events.campaign import ContactsUploaded
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from campaign_events.shared_projection import SharedProjector
from campaign_events.voice import (
    ContactsAdded,
)
from campaign_team import Team, phone, problem


@pytest.mark.usefixtures("core")
async def test_contacts_join_an_always_on_campaign_while_it_runs(team: Team, db: Database) -> None:
    campaign = await team.ready_voice(always_on=True)
    body = {
        "contacts": [
            {"phone": phone(3), "variables": {"name": "Bo"}},
            {"phone": phone(4), "variables": {"name": "Cy"}},
            {"phone": "x"},
            {"phone": phone(4)},
            {"phone": phone(5)},
        ]
    }
    problem(await team.post(campaign, "contacts", body), 409, "illegal_transition")
    await team.done(campaign, "start")

    answer = await team.post(campaign, "contacts", body, headers={"Idempotency-Key": "k"})
    again = await team.post(campaign, "contacts", body)

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
    campaign = await team.made_voice(always_on=True)
    await team.done(campaign, "start")
    bodies = [{"contacts": [{"phone": phone(n)} for n in range(k, k + 20)]} for k in range(1, 9)]

    answers = await asyncio.gather(*(team.post(campaign, "contacts", body) for body in bodies))

    assert sum(answer.json()["accepted"] for answer in answers) == 27
    stored = await db.contacts.find({"audience": campaign}).sort("number").to_list()
    assert [contact["number"] for contact in stored] == list(range(1, 28))


@pytest.mark.usefixtures("core")
async def test_processes_that_take_contacts_at_once_keep_each_others(
    team: Team, db: Database, nc: Client
) -> None:
    campaign = await team.made_voice(always_on=True)
    await team.done(campaign, "start")
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
    campaign = await team.made_voice(always_on=True)
    await team.done(campaign, "start")
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

    answer = await team.post(campaign, "contacts", {"contacts": [{"phone": phone(8)}]})

    assert answer.json()["accepted"] == 1
    said = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsAdded)]
    assert [(fact.first, fact.last) for fact in said] == [(1, 1), (2, 2)]
    assert await db.additions.count_documents({}) == 0


@pytest.mark.usefixtures("core")
async def test_what_a_crash_left_behind_is_replaced(team: Team, db: Database) -> None:
    campaign = await team.made_voice(always_on=True)
    await team.done(campaign, "start")
    left = {"_id": f"{campaign}/{phone(9)}", "audience": campaign, "number": 1, "phone": phone(9)}
    await db.contacts.insert_one(left)

    answer = await team.post(campaign, "contacts", {"contacts": [{"phone": phone(9)}]})

    assert answer.json()["accepted"] == 1
    assert await db.contacts.count_documents({"audience": campaign}) == 1


@pytest.mark.usefixtures("core")
async def test_only_always_on_campaigns_take_contacts_while_they_run(team: Team) -> None:
    campaign = await team.ready_voice()
    await team.done(campaign, "start")
    body = {"contacts": [{"phone": phone(9)}]}
    problem(await team.post(campaign, "contacts", body), 409, "illegal_transition")
    sms = await team.made()
    problem(await team.post(sms, "contacts", body), 409, "illegal_transition")
    problem(await team.post(campaign, "contacts", {"contacts": []}), 422, "invalid")


async def test_an_upload_keeps_the_time_zone_as_a_variable(team: Team, db: Database) -> None:
    campaign = await team.ready_voice()
    contact = await db.contacts.find_one({"phone": phone(1)})
    assert contact is not None
    assert contact["variables"] == {"timezone": "Europe/London"}
    uploaded = (await team.facts(campaign))[-1]
    assert isinstance(uploaded, ContactsUploaded)
    assert uploaded.accepted == 3
