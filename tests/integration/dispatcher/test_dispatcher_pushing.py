import asyncio
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from campaign_events.campaign import CampaignPaused, CampaignResumed, CampaignStopped
from campaign_events.envelope import Position
from dispatching import BY, QUICK, Rig, answering, http, moves, phone

pytestmark = pytest.mark.timeout(90)


async def test_pushed_messages_go_out_at_once_and_the_campaign_goes_on(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await _trigger(rig)
        async with answering(rig, "author") as client:
            first = await _push(client, campaign, 1)
            await _delivered(rig, campaign, 1)
            many = await asyncio.gather(*(_push(client, campaign, n) for n in range(2, 302)))
            facts = await _delivered(rig, campaign, 301)
            listed = await client.get(
                f"/api/v1/campaigns/{campaign}/messages",
                params={"limit": 1},
                headers={"Min-Event-Position": first.headers["Event-Position"]},
            )

    assert first.json() == {"number": 1, "status": "queued", "reason": None}
    assert sorted(answer.json()["number"] for answer in many) == list(range(2, 302))
    assert moves(facts) == {"delivered": 301}
    assert set(rig.accepted().values()) == {1}
    assert len(rig.accepted()) == 301
    planned = [fact for fact in facts if fact.event.type == "message.planned"]
    assert len(planned) < len(many), "pushes that come together share a fact"
    assert "message.finished" not in {fact.event.type for fact in facts}
    assert listed.json()["items"][0]["phone"] == phone(1)


async def test_the_same_key_is_the_same_message_whatever_comes_at_once(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await _trigger(rig)
        async with answering(rig, "admin") as client:
            answers = await asyncio.gather(
                *(_push(client, campaign, n % 10, key=f"k{n % 10}") for n in range(60))
            )
            await _delivered(rig, campaign, 10)
            async with asyncio.timeout(60):
                again = await _push(client, campaign, 3, key="k3")
                while again.json()["status"] != "delivered":
                    again = await _push(client, campaign, 3, key="k3")
            header = {"Idempotency-Key": "once"}
            twice = [await _push(client, campaign, 50, headers=header) for _ in range(2)]
            loose = [await _push(client, campaign, 60) for _ in range(2)]
            facts = await _delivered(rig, campaign, 13)

    numbers: dict[int, set[int]] = {}
    for place, answer in enumerate(answers):
        numbers.setdefault(place % 10, set()).add(answer.json()["number"])
    assert all(len(found) == 1 for found in numbers.values())
    assert again.json() == {"number": numbers[3].pop(), "status": "delivered", "reason": None}
    assert twice[0].json()["number"] == twice[1].json()["number"]
    assert loose[0].json()["number"] != loose[1].json()["number"]
    assert moves(facts) == {"delivered": 13}
    assert sum(rig.accepted().values()) == 13


async def test_a_key_that_was_used_for_another_message_is_refused(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await _trigger(rig)
        async with answering(rig, "author") as client:
            at_once = await asyncio.gather(*(_push(client, campaign, n, key="k") for n in (1, 2)))
            await _delivered(rig, campaign, 1)
            first, other = sorted(at_once, key=lambda answer: answer.status_code)
            kept = at_once.index(first) + 1
            another_text = await _push(client, campaign, kept, key="k", variables={"name": "X"})
            another_phone = await _push(client, campaign, 3, key="k")
            again = await _push(client, campaign, kept, key="k")

    refused = (other, another_text, another_phone)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (409, "conflict")
    ] * 3
    assert again.json()["number"] == first.json()["number"] == 1
    assert {f"+{to}" for to, _ in rig.accepted()} == {phone(kept)}


async def test_a_suppressed_phone_is_planned_as_skipped(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await _trigger(rig)
        async with answering(rig, "admin") as client:
            await client.post("/api/v1/suppressions", json={"phone": phone(7)})
            answer = await _push(client, campaign, 7, key="a")
            again = await _push(client, campaign, 7, key="a")
            await _push(client, campaign, 8)
            facts = await _delivered(rig, campaign, 1)

    assert answer.json() == {"number": 1, "status": "skipped", "reason": "suppressed"}
    assert again.json() == answer.json()
    assert moves(facts) == {"skipped": 1, "delivered": 1}
    assert len(rig.accepted()) == 1


async def test_what_can_not_be_sent_is_refused_with_the_reason(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        other = await rig.approve(1)
        await rig.start(other)
        building = await rig.approve(0, mode="trigger")
        await rig.until(building, "message.plan_finished")
        campaign = await _trigger(rig, default_region="DE")
        over = await _trigger(rig, ends_at=datetime.now(UTC) - timedelta(hours=1))
        async with answering(rig, "author") as client:
            path = f"/api/v1/campaigns/{campaign}/messages"
            national = await client.post(
                path, json={"phone": "01511 2000009", "variables": {"name": "A"}}
            )
            refused = {
                "wrong mode": await _push(client, other, 1),
                "not started": await _push(client, building, 1),
                "over": await _push(client, over, 1),
                "bad phone": await client.post(path, json={"phone": "12"}),
                "no variable": await client.post(path, json={"phone": phone(1)}),
                "too long": await client.post(
                    path, json={"phone": phone(1), "variables": {"name": "x" * 1600}}
                ),
                "unknown": await _push(client, "0198c0de-0000-7000-8000-000000000001", 1),
            }
        async with http(rig, "viewer") as client:
            refused["viewer"] = await _push(client, campaign, 1)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{rig.http_port}",
            headers=rig.issuer.bearer("elsewhere", "author"),
        ) as client:
            refused["foreign"] = await _push(client, campaign, 1)
        await _delivered(rig, campaign, 1)

    assert national.status_code == 202, national.text
    assert {name: answer.status_code for name, answer in refused.items()} == {
        "wrong mode": 409,
        "not started": 409,
        "over": 409,
        "bad phone": 422,
        "no variable": 422,
        "too long": 422,
        "unknown": 404,
        "viewer": 403,
        "foreign": 404,
    }
    assert "name missing" in refused["no variable"].json()["detail"]
    assert "building" in refused["not started"].json()["detail"]


async def test_a_paused_campaign_takes_messages_and_holds_them(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        campaign = await _trigger(rig)
        async with answering(rig, "author") as client:
            await _push(client, campaign, 1)
            await _delivered(rig, campaign, 1)
            await rig.say(campaign, CampaignPaused(was="sending", by=BY))
            held = await _push(client, campaign, 2)
            await asyncio.sleep(1)
            sent = len(rig.accepted())
            await rig.say(campaign, CampaignResumed(was="paused", by=BY))
            facts = await _delivered(rig, campaign, 2)
            await rig.say(campaign, CampaignStopped(was="sending", by=BY))
            late = await _push(client, campaign, 3)

    assert held.status_code == 202
    assert late.status_code == 409, "a push is judged by the log of the moment"
    assert sent == 1
    assert moves(facts) == {"delivered": 2}


async def test_at_ends_at_a_campaign_that_is_pushed_to_comes_to_its_end(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        async with answering(rig, "author") as client:
            campaign = await _trigger(rig, ends_at=datetime.now(UTC) + timedelta(seconds=8))
            answer = await _push(client, campaign, 1)
            assert answer.status_code == 202, answer.text
            facts = await rig.until(campaign, "message.finished")

    ends = [fact.event for fact in facts if fact.event.type == "message.expired"]
    assert [end.left for end in ends] == [0]
    assert moves(facts) == {"delivered": 1}


async def test_a_dispatcher_killed_among_pushes_loses_none_and_doubles_none(rig: Rig) -> None:
    """Whoever pushes tries again with the key until there is an answer, as clients do."""
    answered: dict[str, set[int]] = {}

    async def insist(client: httpx.AsyncClient, campaign: str, number: int) -> None:
        while True:
            try:
                answer = await _push(client, campaign, number, key=f"k{number}")
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code == 202:
                answered.setdefault(f"k{number}", set()).add(answer.json()["number"])
                return
            await asyncio.sleep(0.2)

    async def clients(client: httpx.AsyncClient, campaign: str, numbers: range) -> None:
        for number in numbers:
            await insist(client, campaign, number)

    with rig.carrying(QUICK), rig.dispatcher() as process:
        campaign = await _trigger(rig)
        async with answering(rig, "author") as client:
            pushing = [
                asyncio.create_task(clients(client, campaign, range(n, 400, 20))) for n in range(20)
            ]
            while len(answered) < 60:
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            with rig.dispatcher():
                await asyncio.gather(*pushing)
                facts = await _settled(rig, campaign, 400)

    assert len(answered) == 400
    assert all(len(numbers) == 1 for numbers in answered.values())
    assert {number for numbers in answered.values() for number in numbers} == set(range(1, 401))
    assert set(rig.accepted().values()) == {1}
    ends = moves(facts)
    assert ends["delivered"] + ends["failed"] == 400
    assert ends["failed"] == ends["unknown"] <= rig.window


async def _trigger(rig: Rig, **settings: Any) -> str:
    campaign = await rig.approve(0, mode="trigger", **settings)
    await rig.start(campaign)
    position = Position.of("CAMPAIGNS", await rig.log.last_seq("CAMPAIGNS"))
    async with answering(rig, "viewer") as client:
        path = f"/api/v1/campaigns/{campaign}/messages"
        answer = await client.get(path, headers={"Min-Event-Position": str(position)})
        assert answer.status_code == 200, answer.text
    return campaign


async def _push(
    client: httpx.AsyncClient, campaign: str, number: int, headers: Any = None, **more: Any
) -> httpx.Response:
    body = {"phone": phone(number), "variables": {"name": f"N{number}"}} | more
    return await client.post(
        f"/api/v1/campaigns/{campaign}/messages", json=body, headers=headers, timeout=30
    )


async def _delivered(rig: Rig, campaign: str, count: int) -> list[Any]:
    return await _settled(rig, campaign, count, ("delivered",))


async def _settled(
    rig: Rig, campaign: str, count: int, ends: tuple[str, ...] = ("delivered", "failed")
) -> list[Any]:
    async with asyncio.timeout(40):
        while True:
            facts = await rig.facts(campaign)
            if sum(moves(facts)[end] for end in ends) >= count:
                return facts
            await asyncio.sleep(0.1)
