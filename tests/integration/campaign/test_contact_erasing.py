"""Erasing a person from campaigns' contacts, also from those that change meanwhile."""

from dataclasses import replace
from typing import Any

import pytest
from nats.aio.client import Client

from campaign.audience import Audiences
from campaign.erasing import ContactErasing
from campaign_events.envelope import new_id
from campaign_events.erasing import Erasure
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.projection import Database
from campaign_events.voice import (
    ContactsAdded,
    ContactsExcluded,
)
from campaign_team import MODERATOR, Team, file_of, phone


def erasure(phone: str) -> Erasure:
    return Erasure(phone, "44", phone[3:], "0", None, MODERATOR, new_id())


async def test_erasing_looks_again_when_an_upload_was_faster(
    team: Team, nc: Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers that were looked up are other people's then: nobody is excluded."""
    campaign = await team.ready_voice()

    async def overtaken(*given: Any) -> Any:
        await team.put(campaign, file_of(7, 8))
        return await execute(*given)

    monkeypatch.setattr("campaign.erasing.execute", overtaken)
    erasing = ContactErasing(EventLog(nc), Audiences(db))
    erased = await erasing.erase(erasure(phone(1)))

    assert erased["contacts"] == 1
    assert not any(isinstance(fact, ContactsExcluded) for fact in await team.facts(campaign))


async def test_erasing_does_not_miss_whom_a_campaign_takes_meanwhile(
    team: Team, nc: Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await team.made_voice()
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
    campaign = await team.made_voice()
    name = {"_id": f"{campaign}/{phone(1)}", "audience": campaign, "number": 1}
    await db.contacts.insert_one({**name, "phone": phone(1), "variables": {}, "suppressed": False})

    elsewhere = replace(erasure(phone(1)), workspace=f"{team.workspace}-other")
    erased = await ContactErasing(EventLog(nc), Audiences(db)).erase(elsewhere)

    assert erased == {"contacts": 0, "mentions": 0}
    assert await db.contacts.count_documents({"phone": phone(1)}) == 1
