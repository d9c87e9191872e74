"""A campaign whose own data can not be worked on keeps no other campaign from sending."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Event
from campaign_events.sender import RevisionSubmitted
from dispatcher.views import CAMPAIGNS
from dispatching import QUICK, Rig, answering, moves, phone

pytestmark = pytest.mark.timeout(90)
SAID = "campaign passed over"

type Contacts = AsyncCollection[dict[str, Any]]


@asynccontextmanager
async def documents(rig: Rig, database: str, collection: str) -> AsyncIterator[Contacts]:
    async with AsyncMongoClient[dict[str, Any]](rig.mongo_url) as mongo:
        yield mongo[database][collection]


async def test_a_campaign_whose_time_zone_is_unknown_waits_and_others_are_sent(rig: Rig) -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    times: dict[str, Any] = {"starts_at": now - hour, "ends_at": now + hour}
    window = {"start": "00:00", "end": "23:59", "timezone": "Mars/Olympus"}
    with rig.carrying(QUICK), rig.dispatcher() as process:
        bad = await rig.approve(20, mode="spread", daily_window=window, **times)
        await rig.start(bad)
        await _is_passed_over(rig, bad)
        await _send_another(rig)
        async with documents(rig, "dispatcher", CAMPAIGNS.collection("campaigns")) as campaigns:
            mended = {"settings.daily_window.timezone": "UTC"}
            await campaigns.update_one({"_id": bad}, {"$set": mended})
        facts = await rig.until(bad, "message.finished")
        assert process.poll() is None

    assert moves(facts) == {"delivered": 20}
    assert set(rig.accepted().values()) == {1}
    assert _times_passed_over(rig) < 10


async def test_a_campaign_whose_texts_can_not_be_made_waits_and_others_are_sent(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher() as process:
        bad = await rig.approve(600)
        await rig.until(bad, "message.plan_finished")
        async with documents(rig, "campaign", "contacts") as contacts:
            spoilt = {"audience": rig.audiences[-1], "number": {"$gt": 550}}
            await contacts.update_many(spoilt, {"$unset": {"variables": 1}})
            await rig.start(bad)
            await _is_passed_over(rig, bad)
            await _send_another(rig)
            await contacts.update_many(spoilt, {"$set": {"variables": {"name": "N"}}})
        facts = await rig.until(bad, "message.finished")
        assert process.poll() is None

    assert moves(facts) == {"delivered": 600}
    assert set(rig.accepted().values()) == {1}
    assert _times_passed_over(rig) < 10


async def test_a_campaign_that_can_not_be_planned_waits_and_others_are_sent(rig: Rig) -> None:
    with rig.carrying(QUICK):
        bad = await rig.approve(20)
        async with documents(rig, "campaign", "contacts") as contacts:
            spoilt = {"audience": rig.audiences[-1]}
            await contacts.update_many(spoilt, {"$set": {"variables": {"name": 7}}})
            with rig.dispatcher() as process:
                await _is_passed_over(rig, bad)
                await _send_another(rig)
                await contacts.update_many(spoilt, {"$set": {"variables": {"name": "N"}}})
                await rig.start(bad)
                facts = await rig.until(bad, "message.finished")
                assert process.poll() is None

    assert moves(facts) == {"delivered": 20}
    assert _times_passed_over(rig) < 10


async def test_a_link_is_taken_over_though_what_is_undecided_can_not_be_made_again(
    rig: Rig,
) -> None:
    slow = QUICK.replace("latency_ms = 5\njitter_ms = 2", "latency_ms = 60000\njitter_ms = 0")
    with rig.carrying(slow), rig.dispatcher() as process:
        bad = await rig.approve(10)
        await rig.start(bad)
        while moves(await rig.facts(bad))["submitting"] < 10:
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    async with documents(rig, "campaign", "contacts") as contacts:
        await contacts.update_many({"audience": rig.audiences[-1]}, {"$unset": {"variables": 1}})
    with rig.carrying(QUICK), rig.dispatcher():
        await _send_another(rig)
        facts = await rig.until(bad, "message.undecided")

    assert moves(facts)["unknown"] == 10
    assert moves(facts)["submitting"] == 0


async def test_what_was_pushed_and_can_not_be_planned_ends_no_other_campaign(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher() as process:
        bad = await rig.approve(0, mode="trigger")
        spoilt = {"_id": f"{bad}/1", "audience": bad, "number": 1, "phone": phone(900)}
        async with (
            answering(rig, "author") as client,
            documents(rig, "dispatcher", "pushed") as pushed,
        ):
            await pushed.insert_one({**spoilt, "variables": {"name": 7}})
            await rig.start(bad)
            await _is_passed_over(rig, bad)
            body = {"phone": phone(901), "variables": {"name": "N"}}
            refused = [
                await client.post(f"/api/v1/campaigns/{bad}/messages", json=body) for _ in range(3)
            ]
            await _send_another(rig)
            await pushed.update_one({"_id": f"{bad}/1"}, {"$set": {"variables": {"name": "N"}}})
        facts = await rig.until(bad, "message.reported")
        assert process.poll() is None

    assert moves(facts) == {"delivered": 1}
    assert _times_passed_over(rig) < 10
    told = [(answer.status_code, answer.json()["code"]) for answer in refused]
    assert (503, "core_unavailable") in told
    assert {status for status, _ in told} <= {500, 503}, "nobody waits until it is planned again"


async def test_whose_sender_can_not_be_written_to_the_carrier_fails_and_others_are_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = rig.say

    async def spoilt(thing: str, *events: Event) -> None:
        changed = [
            event.model_copy(update={"revision": event.revision.model_copy(update={"saddr": "Ш"})})
            if isinstance(event, RevisionSubmitted)
            else event
            for event in events
        ]
        await say(thing, *changed)

    with rig.carrying(QUICK), rig.dispatcher() as process:
        with monkeypatch.context() as patch:
            patch.setattr(rig, "say", spoilt)
            bad = await rig.approve(20)
        await rig.start(bad)
        await _send_another(rig)
        facts = await rig.until(bad, "message.finished")
        assert process.poll() is None

    assert moves(facts) == {"failed": 20}
    errors = {
        failure.error
        for fact in facts
        if fact.event.type == "message.refused"
        for failure in fact.event.failures
    }
    assert errors == {"0x00000045"}


async def _send_another(rig: Rig) -> None:
    """Have a campaign beside sent to its end."""
    other = await rig.approve(200, first=5000)
    await rig.start(other)
    facts = await rig.until(other, "message.finished", within_s=20)
    assert moves(facts) == {"delivered": 200}


def _log(rig: Rig) -> str:
    return (rig.folder / "dispatcher.log").read_text()


async def _is_passed_over(rig: Rig, campaign: str) -> None:
    async with asyncio.timeout(20):
        while not any(
            SAID in line and campaign in line and "why" in line for line in _log(rig).splitlines()
        ):
            await asyncio.sleep(0.05)


def _times_passed_over(rig: Rig) -> int:
    return _log(rig).count(SAID)
