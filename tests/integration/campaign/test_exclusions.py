"""Contacts that are kept from what their campaign sends or dials."""

from typing import Any

import pytest

from campaign_events.eventlog import Unavailable
from campaign_events.executing import execute
from campaign_events.moderation import ModerationApproved
from campaign_events.projection import Database
from campaign_events.voice import (
    ContactsExcluded,
)
from campaign_team import MODERATOR, Team, file_of, phone, problem


@pytest.mark.usefixtures("core")
async def test_excluded_contacts_are_marked_and_said_once(team: Team, db: Database) -> None:
    campaign = await team.ready_voice()
    await db.contacts.update_one({"phone": phone(3)}, {"$set": {"suppressed": True}})
    phones = [phone(1), phone(3), phone(8), phone(1), "x"]

    answer = await team.post(campaign, "exclusions", {"phones": phones})

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
    running = await team.done(campaign, "start")
    assert running["excluded"] == 1
    again = await team.post(campaign, "exclusions", {"phones": [phone(1), phone(2)]})
    assert (again.json()["accepted"], again.json()["suppressed"]) == (1, 1)
    told = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsExcluded)]
    assert [(fact.numbers, fact.excluded) for fact in told] == [((1,), 1), ((2,), 2)]
    marked = await db.contacts.distinct("phone", {"suppressed": False, "excluded": True})
    assert marked == [phone(1), phone(2)]


@pytest.mark.usefixtures("core")
async def test_many_exclusions_are_one_decision(team: Team) -> None:
    campaign = await team.made_voice()
    await team.put(campaign, file_of(*range(1, 1201)))

    body = {"phones": [phone(n) for n in range(1, 1201)]}
    answer = await team.post(campaign, "exclusions", body)

    assert answer.json()["accepted"] == 1200
    told = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsExcluded)]
    assert [len(fact.numbers) for fact in told] == [500, 500, 200]
    refused = await team.post(campaign, "start")
    assert refused.json()["reasons"] == ["no contacts left to call"]


async def test_an_sms_campaign_is_kept_from_contacts_only_while_it_is_new(
    team: Team, db: Database
) -> None:
    campaign = await team.made()
    await team.put(campaign, file_of(1, 2, 3))

    answer = await team.post(campaign, "exclusions", {"phones": [phone(1)]})
    assert answer.json()["accepted"] == 1
    await team.say(ModerationApproved(by=MODERATOR), campaign)
    refused = await team.post(campaign, "exclusions", {"phones": [phone(2)]})

    assert "moderator has decided" in problem(refused, 409, "illegal_transition")
    assert await db.contacts.distinct("phone", {"excluded": True}) == [phone(1)]


async def test_a_contact_is_marked_only_after_the_log_has_decided(
    team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails leaves no mark; what was said and not marked is marked by the next request."""
    campaign = await team.made()
    await team.put(campaign, file_of(1, 2, 3))

    async def broken(*_: object) -> None:
        raise Unavailable("no log")

    body = {"phones": [phone(1)]}
    with monkeypatch.context() as context:
        context.setattr("campaign.exclusions.execute", broken)
        assert (await team.post(campaign, "exclusions", body)).status_code == 503
    assert await db.contacts.distinct("phone", {"excluded": True}) == []

    await team.post(campaign, "exclusions", body)
    await db.contacts.update_many({}, {"$unset": {"excluded": ""}})
    again = await team.post(campaign, "exclusions", body)

    assert (again.json()["accepted"], again.json()["suppressed"]) == (0, 1)
    assert await db.contacts.distinct("phone", {"excluded": True}) == [phone(1)]


async def test_numbers_that_an_upload_has_given_to_others_are_not_excluded(
    team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await team.made()
    await team.put(campaign, file_of(1, 2))

    async def overtaken(*given: Any) -> Any:
        await team.put(campaign, file_of(3, 4))
        return await execute(*given)

    with monkeypatch.context() as context:
        context.setattr("campaign.exclusions.execute", overtaken)
        refused = await team.post(campaign, "exclusions", {"phones": [phone(1)]})

    problem(refused, 409, "conflict")
    assert not any(isinstance(fact, ContactsExcluded) for fact in await team.facts(campaign))
    assert await db.contacts.distinct("phone", {"excluded": True}) == []
