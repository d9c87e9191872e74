"""Opting out while messages are on their way: measured at the carrier."""

import asyncio
import signal
import time

import pytest

from dispatching import QUICK, Rig, http, moves, phone

pytestmark = pytest.mark.timeout(90)
REPLYING = QUICK + '[replies]\nshare = 1.0\ntext = " stop."\ndelay_s = 0.05\n'
SUPPRESSIONS = "/api/v1/suppressions"


async def test_a_new_suppression_takes_effect_within_a_second(rig: Rig) -> None:
    rig.rate = 200
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(1000)
        await rig.start(campaign)
        await rig.until(campaign, "message.submitted")
        everybody = "\n".join(phone(number) for number in range(1, 1001)).encode()
        async with http(rig, "admin") as admin:
            answer = await admin.put(
                SUPPRESSIONS, content=everybody, headers={"Content-Type": "text/plain"}, timeout=20
            )
        answered = time.time()
        assert answer.json()["accepted"] == 1000
        facts = await rig.until(campaign, "message.finished")
        accepted = rig.carrier.lines("accepted")

    assert 0 < len(accepted) < 1000
    assert max(line["at"] for line in accepted) < answered + 1
    assert moves(facts) == {"delivered": len(accepted), "skipped": 1000 - len(accepted)}


async def test_an_opt_out_between_plan_and_start_holds_although_the_dispatcher_died(
    rig: Rig,
) -> None:
    with rig.carrying(QUICK):
        with rig.dispatcher() as process:
            campaign = await rig.approve(20)
            await rig.until(campaign, "message.plan_finished")
            async with http(rig, "admin") as admin:
                answer = await admin.post(SUPPRESSIONS, json={"phone": phone(7)})
                assert answer.status_code == 201, answer.text
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        with rig.dispatcher():
            await rig.start(campaign)
            facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"delivered": 19, "skipped": 1}
    assert (phone(7)[1:], 1) not in rig.accepted()


async def test_who_answers_stop_is_not_written_to_again(rig: Rig) -> None:
    with rig.carrying(REPLYING), rig.dispatcher():
        first = await rig.approve(20)
        await rig.start(first)
        await rig.until(first, "message.finished")
        async with asyncio.timeout(60):
            while len(rig.carrier.lines("inbound")) < 20:
                await asyncio.sleep(0.05)
        async with http(rig, "admin") as admin, asyncio.timeout(60):
            entries: list[dict[str, str]] = []
            while len(entries) < 20:  # the list shows them a moment later
                entries = (await admin.get(SUPPRESSIONS, params={"limit": "100"})).json()["items"]
            metrics = (await admin.get("/metrics")).text
        second = await rig.approve(25)
        facts = await rig.until(second, "message.plan_finished")

    assert {entry["phone"] for entry in entries} == {phone(number) for number in range(1, 21)}
    assert {entry["source"] for entry in entries} == {"stop"}
    assert (
        f'carillon_link_inbound_messages_total{{link="{rig.link}",meaning="stop"}} 20.0' in metrics
    )
    assert moves(facts) == {"skipped": 20, "queued": 5}
    assert "stop" not in (rig.folder / "dispatcher.log").read_text().replace("stopped", "").lower()
