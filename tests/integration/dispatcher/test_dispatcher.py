import asyncio
import signal
from typing import Any

import httpx
import pytest

from campaign_events.campaign import CampaignPaused, CampaignResumed
from campaign_events.envelope import Position, Recorded
from campaign_events.voice import ContactsExcluded
from dispatching import BY, QUICK, Rig, http, moves, phone

pytestmark = pytest.mark.timeout(90)


async def test_a_campaign_is_planned_sent_reported_and_finished(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(300)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"delivered": 300}
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == 300


async def test_messages_are_listed_in_row_order_by_status_and_in_pages(rig: Rig) -> None:
    unlucky = QUICK.replace("[receipts]", "refused = { ESME_RINVDSTADR = 0.2 }\n[receipts]")
    with rig.carrying(unlucky), rig.dispatcher():
        campaign = await rig.approve(120)
        facts = await rig.until(campaign, "message.plan_finished")
        async with http(rig, "admin") as client:
            queued = await _listed(client, campaign, facts, status="queued")
            await rig.start(campaign)
            facts = await rig.until(campaign, "message.finished")
            everything = await _listed(client, campaign, facts)
            failed = await _listed(client, campaign, facts, status="failed")
            delivered = await _listed(client, campaign, facts, status="delivered")
        async with http(rig, "viewer") as client:
            masked = await _listed(client, campaign, facts)

    assert [row["number"] for row in queued] == list(range(1, 121))
    assert [row["number"] for row in everything] == list(range(1, 121))
    assert {row["status"] for row in everything} == {"failed", "delivered"}
    assert [row["number"] for row in sorted(failed + delivered, key=lambda row: row["number"])] == (
        list(range(1, 121))
    )
    assert failed[0]["reason"] == "0x0000000b"
    assert delivered[0]["phone"] == phone(delivered[0]["number"])
    assert all(row["carrier_ids"] and row["reported_at"] for row in delivered)
    assert masked[0]["phone"].startswith("+49***")


async def test_long_texts_go_out_in_parts_and_end_with_their_last_report(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(40, text="x" * 400 + "{{name}}")
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"delivered": 40}
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == 120


async def test_refusals_and_undelivered_reports_fail_messages_for_good(rig: Rig) -> None:
    unlucky = QUICK.replace("[receipts]", "refused = { ESME_RINVDSTADR = 0.2 }\n[receipts]")
    unlucky += '[[receipts.states]]\nstat = "UNDELIV"\nerror = "001"\nshare = 0.2\n'
    with rig.carrying(unlucky), rig.dispatcher():
        campaign = await rig.approve(200)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")
        refused = len(rig.carrier.lines("refused"))

    ends = moves(facts)
    assert ends["delivered"] + ends["failed"] == 200
    assert refused > 10
    assert ends["failed"] > refused


async def test_throttling_fails_no_message(rig: Rig) -> None:
    with rig.carrying(QUICK + "[throttle]\nper_second = 60\n"), rig.dispatcher():
        campaign = await rig.approve(150)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")
        throttled = len(rig.carrier.lines("throttled"))

    assert throttled > 0
    assert moves(facts) == {"delivered": 150}
    assert set(rig.accepted().values()) == {1}


async def test_throttling_between_the_parts_of_long_texts_fails_no_message(rig: Rig) -> None:
    with rig.carrying(QUICK + "[throttle]\nper_second = 40\n"), rig.dispatcher():
        campaign = await rig.approve(40, text="x" * 400 + "{{name}}")
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished", within_s=60)
        throttled = len(rig.carrier.lines("throttled"))

    assert throttled > 0
    assert moves(facts) == {"delivered": 40}
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == 120


async def test_reports_before_the_answer_twice_and_in_hex_are_matched(rig: Rig) -> None:
    odd = QUICK + 'early = 0.5\nduplicate = 0.5\nids = "hex"\n'
    with rig.carrying(odd), rig.dispatcher():
        campaign = await rig.approve(100)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"delivered": 100}


async def test_a_suppressed_phone_is_skipped_at_planning(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        async with http(rig, "admin") as client:
            await _ready(client)
            answer = await client.post("/api/v1/suppressions", json={"phone": phone(3)})
            assert answer.status_code == 201, answer.text
        campaign = await rig.approve(10)
        facts = await rig.until(campaign, "message.plan_finished")

    planned = next(fact.event for fact in facts if fact.event.type == "message.planned")
    assert [(skip.number, skip.reason) for skip in planned.skipped] == [(3, "suppressed")]


async def test_whom_the_log_excludes_is_skipped_though_nobody_marked_them(rig: Rig) -> None:
    campaign = await rig.approve(10)
    await rig.say(campaign, ContactsExcluded(numbers=(3,), excluded=1, by=BY))
    with rig.carrying(QUICK), rig.dispatcher():
        facts = await rig.until(campaign, "message.plan_finished")

    planned = next(fact.event for fact in facts if fact.event.type == "message.planned")
    assert [(skip.number, skip.reason) for skip in planned.skipped] == [(3, "suppressed")]


async def test_a_paused_campaign_sends_nothing_until_it_is_resumed(rig: Rig) -> None:
    rig.rate = 100
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await rig.approve(400)
        await rig.start(campaign)
        await rig.until(campaign, "message.submitted")
        await rig.say(campaign, CampaignPaused(was="sending", by=BY))
        await _quiet(rig)
        sent = len(rig.accepted())
        assert 0 < sent < 400
        await rig.say(campaign, CampaignResumed(was="paused", by=BY))
        facts = await rig.until(campaign, "message.finished")

    assert moves(facts) == {"delivered": 400}
    assert set(rig.accepted().values()) == {1}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
async def test_a_dispatcher_that_dies_again_and_again_sends_nothing_twice(
    rig: Rig, blow: signal.Signals
) -> None:
    rig.rate = 300
    with rig.carrying(QUICK):
        with rig.dispatcher() as process:
            campaign = await rig.approve(600)
            await rig.start(campaign)
            await rig.until(campaign, "message.submitted")
            process.send_signal(blow)
            process.wait(15)
            if blow == signal.SIGTERM:
                assert process.returncode == 0
        with rig.dispatcher() as process:
            await _grown(rig, by=100)
            process.send_signal(blow)
            process.wait(15)
        with rig.dispatcher():
            facts = await rig.until(campaign, "message.finished")

    ends = moves(facts)
    assert ends["delivered"] + ends["failed"] == 600
    assert ends["failed"] == ends["unknown"] <= 2 * rig.window
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == ends["delivered"]
    if blow == signal.SIGTERM:
        assert ends["unknown"] == 0


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def _listed(
    client: httpx.AsyncClient, campaign: str, facts: list[Recorded[Any]], **wanted: str
) -> list[dict[str, Any]]:
    """All pages of a listing that holds these facts."""
    await _ready(client)
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    position = Position.of("MESSAGES", facts[-1].seq)
    while True:
        answer = await client.get(
            f"/api/v1/campaigns/{campaign}/messages",
            params={**wanted, "limit": "50", **({"cursor": cursor} if cursor else {})},
            headers={"Min-Event-Position": str(position)},
        )
        assert answer.status_code == 200, answer.text
        rows += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return rows


async def _quiet(rig: Rig) -> None:
    """Wait until the carrier has got nothing new for a second."""
    before = -1
    while (now := len(rig.accepted())) != before:
        before = now
        await asyncio.sleep(1)


async def _grown(rig: Rig, by: int) -> None:
    start = len(rig.accepted())
    while len(rig.accepted()) < start + by:
        await asyncio.sleep(0.05)
