"""When messages go out, and when not any more: measured at the carrier."""

import asyncio
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from campaign_events.campaign import CampaignPaused, CampaignResumed, CampaignStopped
from campaign_events.envelope import new_id
from campaign_events.eventlog import EventLog
from campaign_events.message import MessagesReported, MessagesSubmitted
from dispatcher.views import MESSAGES
from dispatching import BY, QUICK, Rig, answering, moves, phone

pytestmark = pytest.mark.timeout(120)
DAY = timedelta(days=1)


async def test_a_spread_campaign_sends_each_days_portion_and_everybody_once(rig: Rig) -> None:
    """Three days whose second begins while the test runs, and a kill between them."""
    with rig.carrying(QUICK):
        with rig.dispatcher() as process:
            starts_at = await _ready(rig) - DAY + timedelta(seconds=12)
            campaign = await rig.approve(
                100, mode="spread", starts_at=starts_at, ends_at=starts_at + 3 * DAY
            )
            await rig.start(campaign)
            await _submitted(rig, campaign, 34)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        first_day = len(rig.accepted())
        with rig.dispatcher():
            await _submitted(rig, campaign, 67)
            await asyncio.sleep(2)
            facts = await rig.facts(campaign)

    opened = [fact for fact in facts if fact.event.type == "message.portion_opened"]
    assert [(fact.event.day, fact.event.count) for fact in opened] == [(0, 34), (1, 33)]
    assert opened[1].time >= starts_at + DAY
    assert first_day == 34
    assert len(rig.accepted()) == 67
    assert set(rig.accepted().values()) == {1}
    assert set(rig.accepted()) == {(phone(n)[1:], 1) for n in range(1, 68)}


async def test_a_spread_campaign_started_late_begins_with_the_portion_of_the_day(rig: Rig) -> None:
    now = datetime.now(UTC)
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(
            30, mode="spread", starts_at=now - 2.5 * DAY, ends_at=now + 1.4 * DAY
        )
        await rig.start(campaign)
        facts = await _submitted(rig, campaign, 15)
        last = await rig.approve(
            30, mode="spread", starts_at=now - 2.5 * DAY, ends_at=now + 0.4 * DAY
        )
        await rig.start(last)
        await rig.until(last, "message.finished")

    opened = [fact.event for fact in facts if fact.event.type == "message.portion_opened"]
    assert [(event.day, event.count) for event in opened] == [(2, 15)]


async def test_from_ends_at_on_nothing_more_is_taken_and_what_is_left_is_told(rig: Rig) -> None:
    rig.rate = 50
    with rig.carrying(QUICK), rig.dispatcher():
        ends_at = await _ready(rig) + timedelta(seconds=10)
        campaign = await rig.approve(5000, ends_at=ends_at)
        paused = await rig.approve(20, first=6000, ends_at=ends_at)
        await rig.start(campaign)
        await rig.start(paused)
        await rig.say(paused, CampaignPaused(was="sending", by=BY))
        facts = await rig.until(campaign, "message.expired")
        while_paused = await rig.until(paused, "message.expired")
        await asyncio.sleep(1)
        sent = len(rig.accepted())
        last = max(entry["at"] for entry in rig.carrier.lines("accepted"))

    [expired] = [fact.event for fact in facts if fact.event.type == "message.expired"]
    assert expired.left == moves(facts)["queued"] > 0
    assert moves(facts)["submitting"] == 0
    taken = [fact.time for fact in facts if fact.event.type == "message.taken"]
    assert max(taken) < ends_at
    assert last < ends_at.timestamp() + 0.5
    assert sent == 5020 - expired.left - moves(while_paused)["queued"]


async def test_a_campaign_whose_end_passed_while_nobody_was_there_expires_then(rig: Rig) -> None:
    rig.rate = 20
    with rig.carrying(QUICK):
        with rig.dispatcher() as process:
            ends_at = await _ready(rig) + timedelta(seconds=10)
            campaign = await rig.approve(500, ends_at=ends_at)
            await rig.start(campaign)
            await rig.until(campaign, "message.submitted")
            process.terminate()
            process.wait(15)
        await asyncio.sleep(max(0.0, ends_at.timestamp() - time.time()))
        sent = len(rig.accepted())
        with rig.dispatcher():
            facts = await rig.until(campaign, "message.expired")
            assert len(rig.accepted()) == sent

    [expired] = [fact.event for fact in facts if fact.event.type == "message.expired"]
    assert expired.left == 500 - sent


async def test_in_the_log_no_more_than_a_window_is_ever_without_an_outcome(rig: Rig) -> None:
    """So whenever the dispatcher dies, a window at most is undecided."""
    rig.window, rig.rate = 7, 5000
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(400)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")

    open_after = [moves(facts[: place + 1])["submitting"] for place in range(len(facts))]
    assert max(open_after) == 7
    assert open_after[-1] == 0
    submitted: set[int] = set()
    for fact in facts:
        if isinstance(fact.event, MessagesSubmitted):
            submitted.update(message.number for message in fact.event.messages)
        elif isinstance(fact.event, MessagesReported):
            assert submitted.issuperset(fact.event.delivered)


async def test_reports_after_delivery_wait_still_count(rig: Rig) -> None:
    slow = QUICK.replace("min_s = 0.01\nmean_s = 0.05", "min_s = 5\nmean_s = 0")
    with rig.carrying(slow), rig.dispatcher(delivery_wait_s=1.5):
        campaign = await rig.approve(40)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")
        at_the_end = moves(facts)
        await rig.until(campaign, "message.reported")
        async with asyncio.timeout(60):
            while moves(await rig.facts(campaign))["delivered"] < 40:
                await asyncio.sleep(0.1)

    [finished] = [fact.event for fact in facts if fact.event.type == "message.finished"]
    assert finished.waited
    assert at_the_end == {"submitted": 40}


@pytest.mark.parametrize("how", ["pause", "stop"])
async def test_a_second_after_a_pause_or_stop_nothing_more_comes_in_with_a_full_window(
    rig: Rig, how: str
) -> None:
    rig.window, rig.rate = 500, 5000
    busy = QUICK.replace("latency_ms = 5\njitter_ms = 2", "latency_ms = 800\njitter_ms = 200")
    with rig.carrying(busy), rig.dispatcher():
        campaign = await rig.approve(6000)
        await rig.start(campaign)
        while len(rig.accepted()) < 1500:
            await asyncio.sleep(0.05)
        event = (
            CampaignPaused(was="sending", by=BY)
            if how == "pause"
            else CampaignStopped(was="sending", by=BY)
        )
        said = time.time()
        await rig.say(campaign, event)
        await asyncio.sleep(3)
        last = max(entry["at"] for entry in rig.carrier.lines("accepted"))
        facts = await rig.facts(campaign)

    assert last - said <= 1
    assert moves(facts)["submitting"] == 0
    assert moves(facts)["queued"] == 6000 - len(rig.accepted())


async def test_what_waits_for_the_carrier_when_it_is_paused_does_not_go_out_later(rig: Rig) -> None:
    """The carrier takes three parts at a time: of a long text of eight, two are missing."""
    rig.window, rig.rate = 3, 5000
    slow = QUICK.replace("latency_ms = 5\njitter_ms = 2", "latency_ms = 1500\njitter_ms = 0")
    with rig.carrying(slow), rig.dispatcher():
        campaign = await rig.approve(30, text="x" * 1200 + "{{name}}")
        await rig.start(campaign)
        while len(rig.accepted()) < 6:
            await asyncio.sleep(0.05)
        said = time.time()
        await rig.say(campaign, CampaignPaused(was="sending", by=BY))
        await asyncio.sleep(4)
        last = max(entry["at"] for entry in rig.carrier.lines("accepted"))
        parts = Counter(destination for destination, _ in rig.accepted())
        await rig.say(campaign, CampaignResumed(was="paused", by=BY))
        async with asyncio.timeout(40):
            while len(rig.accepted()) < 24:
                await asyncio.sleep(0.1)
        facts = await rig.facts(campaign)

    assert last - said <= 1
    assert [count for count in parts.values() if count % 8], "one was begun and not completed"
    assert set(rig.accepted().values()) == {1}
    assert moves(facts)["failed"] == 0


async def test_a_stopped_message_that_the_carrier_has_in_part_fails_and_the_others_go_back(
    rig: Rig,
) -> None:
    rig.window, rig.rate = 3, 5000
    slow = QUICK.replace("latency_ms = 5\njitter_ms = 2", "latency_ms = 1000\njitter_ms = 0")
    with rig.carrying(slow), rig.dispatcher():
        campaign = await rig.approve(30, text="x" * 1200 + "{{name}}")
        await rig.start(campaign)
        while len(rig.accepted()) < 6:
            await asyncio.sleep(0.05)
        said = time.time()
        await rig.say(campaign, CampaignStopped(was="sending", by=BY))
        facts = await rig.until(campaign, "message.refused")
        await asyncio.sleep(2)
        last = max(entry["at"] for entry in rig.carrier.lines("accepted"))

    refused = [fact.event for fact in facts if fact.event.type == "message.refused"]
    assert [failure.error for event in refused for failure in event.failures] == ["withdrawn"]
    assert last - said <= 1
    assert moves(await rig.facts(campaign))["submitting"] == 0


async def test_a_second_after_a_suppression_its_phone_gets_nothing(rig: Rig) -> None:
    rig.rate = 100
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(600)
        async with answering(rig, "admin") as client:
            await rig.start(campaign)
            await rig.until(campaign, "message.submitted")
            ahead = len(rig.accepted()) + 110
            answer = await client.post("/api/v1/suppressions", json={"phone": phone(ahead)})
            assert answer.status_code == 201
        facts = await rig.until(campaign, "message.finished")

    assert (phone(ahead)[1:], 1) not in rig.accepted()
    assert moves(facts) == {"delivered": 599, "skipped": 1}


async def test_a_suppression_from_before_a_restart_is_heeded_by_what_was_planned_earlier(
    rig: Rig,
) -> None:
    rig.rate = 200
    with rig.carrying(QUICK):
        with rig.dispatcher():
            campaign = await rig.approve(400)
            await rig.until(campaign, "message.plan_finished")
            async with answering(rig, "admin") as client:
                answer = await client.post("/api/v1/suppressions", json={"phone": phone(5)})
                assert answer.status_code == 201
        with rig.dispatcher():
            await rig.start(campaign)
            facts = await rig.until(campaign, "message.finished")

    assert (phone(5)[1:], 1) not in rig.accepted()
    assert moves(facts) == {"delivered": 399, "skipped": 1}


async def test_a_small_campaign_beside_a_big_one_ends_in_time_proportional_to_its_size(
    rig: Rig,
) -> None:
    rig.rate = 200
    with rig.carrying(QUICK), rig.dispatcher():
        big = await rig.approve(20_000)
        await rig.start(big)
        await _submitted(rig, big, 200)
        small = await rig.approve(200, first=100_000)
        await rig.start(small)
        await rig.until(small, "message.finished")
        entries = rig.carrier.lines("accepted")

    of_small = {phone(n)[1:] for n in range(100_000, 100_200)}
    places = [place for place, entry in enumerate(entries) if entry["destination"] in of_small]
    beside = places[-1] - places[0] + 1 - len(places)
    assert len(places) == 200
    assert 0.8 * 200 <= beside <= 1.2 * 200, f"{beside} of the big one went out beside 200"


async def test_a_message_refused_for_now_is_tried_again_and_survives_a_restart(rig: Rig) -> None:
    unlucky = QUICK.replace("[receipts]", "refused = { ESME_RSYSERR = 0.25 }\n[receipts]")
    with rig.carrying(unlucky):
        with rig.dispatcher() as process:
            campaign = await rig.approve(40)
            await rig.start(campaign)
            await rig.until(campaign, "message.deferred")
            await _quiet(rig, campaign)
            process.terminate()
            process.wait(15)
        with rig.dispatcher():
            facts = await rig.until(campaign, "message.finished", within_s=60)

    deferred = [
        one
        for fact in facts
        if fact.event.type == "message.deferred"
        for one in fact.event.deferrals
    ]
    assert all(one.temporary for one in deferred)
    assert len(deferred) > 4
    assert moves(facts) == {"delivered": 40}
    assert set(rig.accepted().values()) == {1}


async def test_a_temporary_error_lasts_no_longer_than_a_day(rig: Rig, mongo_url: str) -> None:
    storm = '[[throttle.storms]]\nfor_s = 3600\nshare = 1.0\nstatus = "ESME_RSYSERR"\n'
    async with AsyncMongoClient[dict[str, Any]](mongo_url, tz_aware=True) as mongo:
        deferred = mongo["dispatcher"][MESSAGES.collection("deferred")]
        with rig.carrying(QUICK + "[throttle]\n" + storm):
            with rig.dispatcher() as process:
                campaign = await rig.approve(3)
                await rig.start(campaign)
                async with asyncio.timeout(60):
                    while await deferred.count_documents({"campaign": campaign}) < 3:
                        await asyncio.sleep(0.05)
                process.terminate()
                process.wait(15)
            long_ago = {"since": datetime.now(UTC) - timedelta(hours=24, minutes=1)}
            await deferred.update_many({"campaign": campaign}, {"$set": long_ago})
            with rig.dispatcher():
                facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"failed": 3}
    refused = [fact.event for fact in facts if fact.event.type == "message.refused"]
    assert {one.error for event in refused for one in event.failures} == {"0x00000008"}


async def test_a_campaign_whose_first_hundred_are_refused_fails(rig: Rig) -> None:
    unlucky = QUICK.replace("[receipts]", "refused = { ESME_RINVDSTADR = 1.0 }\n[receipts]")
    with rig.carrying(unlucky), rig.dispatcher():
        campaign = await rig.approve(1000)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.sending_failed")

    [failed] = [fact.event for fact in facts if fact.event.type == "message.sending_failed"]
    assert "refused the first" in failed.reason


async def test_two_workspaces_share_a_link_alike_however_many_campaigns_each_has(
    rig: Rig, log: EventLog, nats_url: str, mongo_url: str, tmp_path: Path
) -> None:
    rig.rate = 200
    other = Rig(tmp_path, nats_url, mongo_url, f"w{new_id()[-12:]}", log, link=rig.link)
    with rig.carrying(QUICK), rig.dispatcher():
        crowd = [await rig.approve(3000, first=10_000 * n) for n in range(1, 4)]
        for campaign in crowd:
            await rig.start(campaign)
        await _submitted(rig, crowd[-1], 20)
        lonely = await other.approve(300, first=500_000)
        await other.start(lonely)
        await other.until(lonely, "message.finished")
        entries = rig.carrier.lines("accepted")

    of_lonely = {phone(n)[1:] for n in range(500_000, 500_300)}
    places = [place for place, entry in enumerate(entries) if entry["destination"] in of_lonely]
    beside = places[-1] - places[0] + 1 - len(places)
    await other.clear()
    assert 0.8 * 300 <= beside <= 1.2 * 300


async def _ready(rig: Rig) -> datetime:
    """Wait for the dispatcher, and tell when it was there."""
    async with answering(rig, "viewer"):
        return datetime.now(UTC)


async def _submitted(rig: Rig, campaign: str, count: int) -> list[Any]:
    async with asyncio.timeout(40):
        while True:
            facts = await rig.facts(campaign)
            sent = sum(
                len(fact.event.messages) for fact in facts if fact.event.type == "message.submitted"
            )
            if sent >= count:
                return facts
            await asyncio.sleep(0.1)


async def _quiet(rig: Rig, campaign: str) -> None:
    """Wait until nothing of a campaign is with the carrier unanswered or unreported."""
    async with asyncio.timeout(60):
        while True:
            where = moves(await rig.facts(campaign))
            if not where["submitting"] and not where["submitted"]:
                return
            await asyncio.sleep(0.1)


async def test_planning_a_big_campaign_keeps_nobody_waiting(rig: Rig) -> None:
    rig.rate = 100
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(1500)
        await rig.start(campaign)
        await _submitted(rig, campaign, 50)
        began = time.time()
        big = await rig.approve(60_000, first=100_000)
        await rig.until(big, "message.plan_finished")
        ended = time.time()
        await asyncio.sleep(1)
        moments = [entry["at"] for entry in rig.carrier.lines("accepted")]

    meanwhile = [moment for moment in moments if began <= moment <= ended]
    assert meanwhile
    assert max(after - before for before, after in pairwise(meanwhile)) < 1
    assert len(meanwhile) > 0.7 * rig.rate * (ended - began)
