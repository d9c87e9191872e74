"""What people decide about a campaign while it is dialled, and what the clock and contacts do."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import nats
import pytest
from nats.js.api import DiscardPolicy
from pymongo import AsyncMongoClient

from campaign_events.call import RunOpened
from campaign_events.envelope import Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.voice import (
    CampaignRestarted,
    ContactsAdded,
    ContactsExcluded,
    DiallingPaused,
    DiallingResumed,
    DiallingStarted,
    DiallingStopped,
)
from dialling import BY, Rig, answering, states
from phones_process import Phones, rung_twice_at_once

HABITS: dict[str, object] = {
    "seed": 7,
    "time_scale": 100.0,
    "answer": 0.6,
    "patience_s": 3000,
    "dispositions": {},
}
HOUR = timedelta(hours=1)


async def until_dialled(phones: Phones, count: int) -> None:
    async with asyncio.timeout(60):
        while len(phones.lines("dialled")) < count:
            await asyncio.sleep(0.02)


def around(now: datetime) -> dict[str, str]:
    """A window that is open now, but not six hours away."""
    start, end = (now - 2 * HOUR, now + 2 * HOUR)
    return {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "timezone": "UTC"}


async def test_stopping_closes_who_waits_and_lets_live_calls_finish(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(400, concurrency_limit=10)
    with rig.dialler():
        await until_dialled(phones, 30)
        await rig.say(campaign, DiallingStopped(was="running", by=BY))
        facts = await rig.until(campaign, "call.finished")

    ends = Counter(states(facts).values())
    assert ends.total() == 400
    assert ends["manual_stopped"] > 300
    assert ends["completed"] > 0
    assert facts[-1].event.left == 400 - ends["completed"]
    assert not [line for line in phones.lines("ended") if line["by"] == "us"]


async def test_while_it_is_paused_nobody_is_dialled_and_live_calls_finish(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(80, concurrency_limit=20)
    with rig.dialler():
        await until_dialled(phones, 20)
        await rig.say(campaign, DiallingPaused(was="running", by=BY))
        paused_at = datetime.now(UTC).timestamp()
        async with asyncio.timeout(60):
            while len(phones.lines("ended")) < len(phones.lines("dialled")):
                await asyncio.sleep(0.05)
        assert max(line["at"] for line in phones.lines("dialled")) < paused_at + 1
        await rig.say(campaign, DiallingResumed(was="paused", by=BY))
        facts = await rig.until(campaign, "call.finished")

    assert len(states(facts)) == 80


async def test_who_is_suppressed_or_excluded_is_not_called(rig: Rig, phones: Phones) -> None:
    campaign = await rig.draft(120, suppressed=(3, 4, 50), concurrency_limit=15)
    early = ContactsExcluded(numbers=(5, 6), excluded=2, by=BY)
    await rig.say(campaign, early, DiallingStarted(was="draft", run=1, by=BY))
    with rig.dialler():
        await until_dialled(phones, 10)
        late = ContactsExcluded(numbers=tuple(range(90, 121)), excluded=33, by=BY)
        await rig.say(campaign, late)
        facts = await rig.until(campaign, "call.finished")

    ends = states(facts)
    assert next(fact.event.total for fact in facts if fact.event.type == "call.run_opened") == 115
    assert not {3, 4, 5, 6, 50} & ends.keys()
    assert {ends[number] for number in range(90, 121)} == {"manual_stopped"}
    assert len(ends) == 115
    left = 115 - 31 - Counter(ends.values())["completed"]
    assert facts[-1].event.left == left


@pytest.mark.parametrize(
    "phones",
    [{"dispositions": {"callback_requested": 0.5}, "callback_s": [50, 150], "machine": 0}],
    indirect=True,
)
async def test_who_asks_for_it_is_called_back_at_that_time(rig: Rig) -> None:
    rules = {"max_attempts": 2, "retry_delay_minutes": 0.02}
    campaign = await rig.start(
        40, concurrency_limit=20, callback_detection={"enabled": True}, redial_rules=rules
    )
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")

    asked: dict[int, datetime] = {}
    called_back = 0
    for fact in facts:
        if fact.event.type == "call.ended":
            for end in fact.event.ends:
                if end.becomes == "callback_scheduled":
                    asked[end.number] = end.callback.due_at
        if fact.event.type == "call.dialled":
            for dial in fact.event.dials:
                if dial.kind == "callback":
                    called_back += 1
                    assert fact.time >= asked.pop(dial.number)
    assert called_back > 5
    assert not asked
    assert len(states(facts)) == 40


@pytest.mark.timeout(90)
async def test_another_run_calls_those_who_are_not_completed(rig: Rig) -> None:
    campaign = await rig.start(60, concurrency_limit=30)
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")
        completed = {number for number, end in states(facts).items() if end == "completed"}
        await rig.say(
            campaign,
            CampaignRestarted(was="completed", run=2, by=BY),
            DiallingStarted(was="draft", run=2, by=BY),
        )
        async with asyncio.timeout(60):
            while sum(fact.event.type == "call.finished" for fact in facts) < 2:
                facts = await rig.facts(campaign)
                await asyncio.sleep(0.1)
        async with answering(rig, "admin") as client:
            first = await client.get(f"/api/v1/campaigns/{campaign}/calls?run=1&limit=1000")
            second = await client.get(f"/api/v1/campaigns/{campaign}/calls?limit=1000")

    again = [fact for fact in facts if getattr(fact.event, "run", 0) == 2]
    assert again[0].event.total == 60 - len(completed)
    ends = states(again)
    assert ends.keys() == set(range(1, 61)) - completed
    assert len(first.json()["items"]) == 60
    assert len(second.json()["items"]) == 60 - len(completed)
    assert {item["id"].split("-")[-2] for item in second.json()["items"]} == {"2"}


async def test_contacts_join_a_campaign_that_is_always_on(rig: Rig, phones: Phones) -> None:
    campaign = await rig.start(10, concurrency_limit=20, always_on=True)
    audience = rig.audiences[-1]
    with rig.dialler():
        await until_dialled(phones, 10)
        await rig.upload(audience, range(11, 31), suppressed=(20,))
        await rig.say(campaign, ContactsAdded(audience=audience, first=11, last=30, by=BY))
        async with asyncio.timeout(60):
            while True:
                facts = await rig.facts(campaign)
                ends = states(facts)
                if len(ends) == 29 and not {"dialling", "retry_scheduled"} & set(ends.values()):
                    break
                await asyncio.sleep(0.1)
        assert not any(fact.event.type == "call.finished" for fact in facts)
        await rig.say(campaign, DiallingStopped(was="running", by=BY))
        await rig.until(campaign, "call.finished")
    assert 20 not in ends


async def test_who_is_excluded_before_they_join_is_not_waited_for(rig: Rig) -> None:
    campaign = await rig.start(4, concurrency_limit=20, always_on=True)
    audience = rig.audiences[-1]
    with rig.dialler():
        await rig.until(campaign, "call.dialled")
        await rig.say(campaign, ContactsExcluded(numbers=(6,), excluded=1, by=BY))
        await rig.upload(audience, range(5, 9))
        await rig.say(campaign, ContactsAdded(audience=audience, first=5, last=8, by=BY))
        async with asyncio.timeout(60):
            while len(ends := states(await rig.facts(campaign))) < 8:
                await asyncio.sleep(0.1)
    assert ends[6] == "manual_stopped"


async def test_nobody_is_rung_by_what_a_full_log_takes_later(rig: Rig, phones: Phones) -> None:
    campaign = await rig.start(80, concurrency_limit=20)
    async with await nats.connect(rig.nats_url) as nc:
        js = nc.jetstream()
        with rig.dialler():
            await until_dialled(phones, 20)
            config = (await js.stream_info("CALLS")).config
            held = (await js.stream_info("CALLS")).state.messages
            await js.update_stream(config, max_msgs=held, discard=DiscardPolicy.NEW)
            await rig.say(campaign, DiallingPaused(was="running", by=BY))
            facts = await rig.facts(campaign)
            dialled = sum(len(fact.event.dials) for fact in facts if hasattr(fact.event, "dials"))
            async with asyncio.timeout(60):
                while len(phones.lines("ended")) < dialled:
                    await asyncio.sleep(0.05)
            await js.update_stream(config, max_msgs=-1)
            async with asyncio.timeout(60):
                while "dialling" in states(await rig.facts(campaign)).values():
                    await asyncio.sleep(0.05)
            assert len(phones.lines("dialled")) == dialled
            await rig.say(campaign, DiallingResumed(was="paused", by=BY))
            facts = await rig.until(campaign, "call.finished")
    assert len(states(facts)) == 80


async def test_contacts_join_an_always_on_campaign_that_began_with_nobody(rig: Rig) -> None:
    campaign = await rig.start(0, concurrency_limit=20, always_on=True)
    with rig.dialler():
        await rig.until(campaign, "call.run_opened")
        await rig.upload(campaign, range(1, 21))
        await rig.say(campaign, ContactsAdded(audience=campaign, first=1, last=20, by=BY))
        async with asyncio.timeout(60):
            while len(states(await rig.facts(campaign))) < 20:
                await asyncio.sleep(0.1)


async def test_a_telephony_that_nobody_knows_breaks_the_run(rig: Rig, phones: Phones) -> None:
    campaign = await rig.start(10, destination="pbx:agents")
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")

    broken = next(fact.event for fact in facts if fact.event.type == "call.dialling_failed")
    assert "pbx" in broken.reason
    assert not phones.lines("dialled")
    assert facts[-1].event.left == 10


@pytest.mark.parametrize(
    "phones",
    [
        {
            "answer": 0,
            "busy": 0,
            "unallocated": 0.5,
            "congested": 0.5,
            "rejected": 0,
            "unreachable": 0,
        }
    ],
    indirect=True,
)
async def test_a_telephony_that_refuses_everything_breaks_the_run(rig: Rig) -> None:
    campaign = await rig.start(300, concurrency_limit=60)
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")
    assert any(fact.event.type == "call.dialling_failed" for fact in facts)


async def test_when_the_window_of_a_single_day_is_over_who_waits_is_closed(
    rig: Rig, log: EventLog
) -> None:
    campaign = await rig.draft(50, suppressed=(7,), time_window=around(datetime.now(UTC)))
    yesterday = datetime.now(UTC) - 24 * HOUR
    opened = RunOpened(run=1, audience=rig.audiences[-1], total=49, last=50)
    fact = Fact(opened, Address(rig.workspace, campaign), new_id())
    await log.append_fact(fact, Origin(new_id(), yesterday, "test"))
    await rig.say(campaign, DiallingStarted(was="draft", run=1, by=BY))
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")

    ends = states(facts)
    assert ends.keys() == set(range(1, 51)) - {7}
    assert set(ends.values()) == {"window_closed"}


async def test_who_has_no_contact_any_more_waits_for_nothing(
    rig: Rig, log: EventLog, mongo_url: str
) -> None:
    campaign = await rig.draft(12, suppressed=(7,))
    opened = RunOpened(run=1, audience=rig.audiences[-1], total=11, last=12)
    fact = Fact(opened, Address(rig.workspace, campaign), new_id())
    await log.append_fact(fact, Origin(new_id(), datetime.now(UTC), "test"))
    async with AsyncMongoClient[dict[str, Any]](mongo_url) as mongo:
        lost = {"audience": rig.audiences[-1], "number": {"$in": [3, 12]}}
        await mongo["campaign"]["contacts"].delete_many(lost)
    await rig.say(campaign, DiallingStarted(was="draft", run=1, by=BY))
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")

    ends = states(facts)
    assert ends.keys() == set(range(1, 13)) - {7}
    assert (ends[3], ends[12]) == ("manual_stopped", "manual_stopped")


async def test_outside_the_window_nobody_is_dialled(rig: Rig, phones: Phones) -> None:
    away = around(datetime.now(UTC) + 12 * HOUR)
    campaign = await rig.start(20, time_window=away, campaign_mode="continuous")
    with rig.dialler():
        await rig.until(campaign, "call.run_opened")
        block = await live(rig, campaign)
        assert block["state"] == "outside_window"
        assert block["pending"] == 20
        assert not phones.lines("dialled")


async def live(rig: Rig, campaign: str) -> Any:
    import nats  # noqa: PLC0415
    import orjson  # noqa: PLC0415

    nc = await nats.connect(rig.nats_url)
    question = orjson.dumps({"workspace": rig.workspace, "campaign": campaign})
    async with asyncio.timeout(60):
        while True:
            try:
                answer = orjson.loads((await nc.request("dialler.live", question)).data)
            except nats.errors.Error:
                answer = None
            if answer:
                await nc.close()
                return answer
            await asyncio.sleep(0.1)


async def test_contacts_are_called_by_their_own_clocks(rig: Rig) -> None:
    far = "Pacific/Auckland"  # twelve or thirteen hours away from UTC, all year
    rig.variables = lambda number: {"timezone": far if number % 3 == 0 else "UTC"}
    campaign = await rig.start(
        60,
        concurrency_limit=30,
        time_window=around(datetime.now(UTC)),
        respect_contact_timezone=True,
        campaign_mode="continuous",
    )
    with rig.dialler():
        async with asyncio.timeout(60):
            while True:
                ends = states(await rig.facts(campaign))
                if len(ends) == 40 and not {"dialling", "retry_scheduled"} & set(ends.values()):
                    break
                await asyncio.sleep(0.1)
        assert not [number for number in ends if number % 3 == 0]
        assert (await live(rig, campaign))["state"] in ("outside_window", "live")


async def test_a_phone_side_that_goes_away_and_comes_back_loses_nobody(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(80, concurrency_limit=20)
    with rig.dialler():
        await until_dialled(phones, 30)
        phones.kill()
        await asyncio.sleep(0.5)
        phones.start()
        facts = await rig.until(campaign, "call.finished")

    assert len(states(facts)) == 80
    assert not rung_twice_at_once(phones.lines("ended"))


async def test_no_second_has_more_dials_than_the_limit(rig: Rig, phones: Phones) -> None:
    campaign = await rig.start(40, concurrency_limit=40, cps_limit=10)
    with rig.dialler():
        await rig.until(campaign, "call.finished")
    times = sorted(line["at"] for line in phones.lines("dialled"))
    for since in times:
        assert sum(since <= at < since + 0.95 for at in times) <= 10
    assert Counter(line["caller_id"] for line in phones.lines("dialled")).keys() == {
        "+4930111",
        "+4930222",
    }


async def test_calls_and_attempts_are_shown_page_by_page(rig: Rig, phones: Phones) -> None:
    campaign = await rig.start(30, suppressed=(2,), concurrency_limit=20)
    base = f"/api/v1/campaigns/{campaign}"
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")
        position = {"Min-Event-Position": f"v{facts[-1].seq}"}
        async with answering(rig, "admin") as client:
            items: list[dict[str, Any]] = []
            cursor = None
            while True:
                query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
                page = (await client.get(f"{base}/calls", params=query, headers=position)).json()
                items += page["items"]
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            by_status = {
                status: (await client.get(f"{base}/calls?status={status}&limit=1000")).json()
                for status in ("completed", "failed", "pending", "machine_detected")
            }
            tried = max(items, key=lambda item: item["attempts"])
            attempts = (await client.get(f"{base}/calls/{tried['id']}/attempts")).json()["items"]
            report = (await client.get(f"{base}/attempt-report.csv")).text.splitlines()
            missing = await client.get(f"{base}/calls/{campaign}-1-2/attempts")
            nobody = await client.get(f"/api/v1/campaigns/{new_id()}/calls")
        async with answering(rig, "viewer") as client:
            seen = (await client.get(f"{base}/calls?limit=1")).json()["items"][0]

    ends = states(facts)
    assert [item["id"].rpartition("-")[2] for item in items] == [str(one) for one in sorted(ends)]
    assert {item["status"] for item in items} == set(ends.values())
    for status, page in by_status.items():
        expected = [number for number, end in sorted(ends.items()) if end == status]
        assert [int(item["id"].rpartition("-")[2]) for item in page["items"]] == expected
    assert [one["sequence"] for one in attempts] == list(range(1, tried["attempts"] + 1))
    assert attempts[0]["kind"] == "first"
    rung = len(phones.lines("dialled"))
    assert len(report) == rung + 1
    assert report[0].startswith("call_id,phone,sequence,kind,caller_id,started_at")
    assert report[1].split(",")[1].startswith("+49")
    assert missing.status_code == 404
    assert nobody.status_code == 404
    assert "*" in seen["phone"]


@pytest.mark.parametrize("phones", [{"answer": 0.8}], indirect=True)
async def test_a_run_begins_when_the_calls_of_the_one_before_have_ended(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(60, concurrency_limit=20)
    with rig.dialler():
        await until_dialled(phones, 20)
        await rig.say(
            campaign,
            DiallingStopped(was="running", by=BY),
            CampaignRestarted(was="completed", run=2, by=BY),
            DiallingStarted(was="draft", run=2, by=BY),
        )
        async with asyncio.timeout(60):
            while True:
                facts = await rig.facts(campaign)
                runs = [fact.event.run for fact in facts if fact.event.type == "call.dialled"]
                if 2 in runs:
                    break
                await asyncio.sleep(0.05)

    order = [(fact.event.type, fact.event.run) for fact in facts]
    assert order.index(("call.finished", 1)) < order.index(("call.run_opened", 2))
    assert not rung_twice_at_once(phones.lines("ended"))
