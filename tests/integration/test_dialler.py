"""A dialler process against the simulated phone network: every contact comes to one end."""

import asyncio
import signal
from collections import Counter

import nats.errors
import orjson
import pytest
from nats.aio.client import Client

import servers
from dialling import Rig, states
from phones_process import Phones, rung_twice_at_once

FINAL = {
    *("completed", "failed", "abandoned", "machine_detected", "window_closed", "manual_stopped")
}
HABITS: dict[str, object] = {
    "seed": 5,
    "time_scale": 100.0,
    "answer": 0.5,
    "patience_s": 3000,
    "dispositions": {"not_interested": 0.2},
}


async def test_every_contact_of_a_campaign_comes_to_exactly_one_end(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(200, concurrency_limit=20)
    with rig.dialler() as process:
        facts = await rig.until(campaign, "call.finished")

    assert process.returncode == 0
    ends = states(facts)
    assert len(ends) == 200
    assert set(ends.values()) <= FINAL
    assert Counter(ends.values())["completed"] > 50
    assert not rung_twice_at_once(phones.lines("ended"))
    assert facts[-1].event.left == 200 - Counter(ends.values())["completed"]


@pytest.mark.timeout(90)
async def test_a_dialler_that_dies_with_live_calls_rings_nobody_twice(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(150, concurrency_limit=30)
    for _ in range(3):
        with rig.dialler() as process:
            await rig.until(campaign, "call.dialled")
            before = len(phones.lines("dialled"))
            async with asyncio.timeout(60):
                while len(phones.lines("dialled")) < before + 25:
                    await asyncio.sleep(0.02)
            process.kill()
            process.wait()
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished")

    ends = states(facts)
    assert len(ends) == 150
    assert set(ends.values()) <= FINAL
    assert not rung_twice_at_once(phones.lines("ended"))
    rung = Counter(line["call_id"] for line in phones.lines("dialled"))
    assert max(rung.values()) == 1
    dialled = [fact.event.dials for fact in facts if fact.event.type == "call.dialled"]
    assert set(rung) <= {dial.call_id for dials in dialled for dial in dials}


async def test_two_diallers_share_the_campaigns_and_one_takes_over_from_the_other(
    rig: Rig, phones: Phones
) -> None:
    campaigns = [await rig.start(60, concurrency_limit=10) for _ in range(4)]
    with rig.dialler() as first, rig.dialler(servers.free_port()):
        for campaign in campaigns:
            await rig.until(campaign, "call.dialled")
        first.kill()
        for campaign in campaigns:
            facts = await rig.until(campaign, "call.finished")
            assert set(states(facts).values()) <= FINAL
    assert not rung_twice_at_once(phones.lines("ended"))


@pytest.mark.timeout(90)
async def test_a_dialler_that_stood_still_and_was_replaced_rings_nobody(
    rig: Rig, phones: Phones
) -> None:
    campaign = await rig.start(120, concurrency_limit=15)
    with rig.dialler() as first:
        await rig.until(campaign, "call.ended")
        first.send_signal(signal.SIGSTOP)
        with rig.dialler(servers.free_port()):
            await _until_owned_by(rig, campaign, 2)
            first.send_signal(signal.SIGCONT)
            facts = await rig.until(campaign, "call.finished")
            ends = states(facts)

    assert len(ends) == 120
    assert set(ends.values()) <= FINAL
    assert not rung_twice_at_once(phones.lines("ended"))
    assert max(Counter(line["call_id"] for line in phones.lines("dialled")).values()) == 1


async def _until_owned_by(rig: Rig, campaign: str, owners: int) -> None:
    async with asyncio.timeout(60):
        while True:
            facts = await rig.facts(campaign)
            epochs = {fact.event.epoch for fact in facts if fact.event.type == "call.dialled"}
            if len(epochs) >= owners:
                return
            await asyncio.sleep(0.1)


async def test_others_are_told_how_the_telephony_is(rig: Rig, nc: Client) -> None:
    with rig.dialler():
        async with asyncio.timeout(60):
            while True:
                try:
                    health = orjson.loads((await nc.request("core.health.voice")).data)
                except nats.errors.Error:
                    await asyncio.sleep(0.1)
                    continue
                if health["telephony"][0]["state"] == "up":
                    break
                await asyncio.sleep(0.1)
        unknown = {"workspace": rig.workspace, "campaign": "nothing"}
        assert (await nc.request("dialler.live", orjson.dumps(unknown))).data == b"null"
    assert health["status"] == "ok"
    assert [one["id"] for one in health["telephony"]] == ["sim"]
