"""The real dispatcher against a carrier built on somebody else's SMPP implementation."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from dispatching import Rig, http, moves
from npm_carrier import NpmCarrier, installed

pytestmark = [pytest.mark.serial, pytest.mark.timeout(200)]

FATES = {"early": [0, 20], "duplicate": [20, 40], "late": [40, 50], "undelivered": [50, 55]}
THROTTLING = ["ESME_RTHROTTLED", "ESME_RMSGQFUL"]


@pytest.fixture
def rig(stage: Rig, request: pytest.FixtureRequest) -> Rig:
    assert request.config.cache is not None
    modules = installed(request.config.cache.mkdir("npm_smpp"))
    stage.carrier = NpmCarrier(stage.folder, modules)
    return stage


@pytest.mark.parametrize(
    ("ids", "receipt_ids", "told_in", "dlr_ids"),
    [
        ("hex", "same", "tlv", "auto"),
        ("hex", "decimal", "text", "auto"),
        ("decimal", "hex", "text", "hex"),
    ],
)
async def test_a_campaign_ends_in_exact_totals_whatever_reports_look_like(
    rig: Rig, ids: str, receipt_ids: str, told_in: str, dlr_ids: str
) -> None:
    rig.link_lines = f'dlr_ids = "{dlr_ids}"\nsessions = 2\n'
    behaviour = {"ids": ids, "receipt_ids": receipt_ids, "told_in": told_in}
    fates = {**FATES, "refused": [98, 100]}
    with rig.carrying(json.dumps({**behaviour, "fates": fates, "echo_reference": False})):
        with rig.dispatcher():
            campaign = await rig.approve(400)
            await rig.start(campaign)
            facts = await rig.until(campaign, "message.finished")
        bound = rig.carrier.lines("bound")

    # Numbers 1 to 400: each fate has its share of every hundred.
    assert moves(facts) == {"delivered": 372, "failed": 28}
    assert len(bound) == 2
    everybody_once(rig, 400 - 8)


async def test_several_thousand_messages_of_several_parts_arrive_once(rig: Rig) -> None:
    rig.window, rig.link_lines = 100, "sessions = 3\n"
    with rig.carrying(json.dumps({"fates": FATES, "late_ms": 500})), rig.dispatcher():
        long, short = await rig.approve(700, text="ж" * 130), await rig.approve(2000, first=1001)
        await asyncio.gather(rig.start(long), rig.start(short))
        ends = await asyncio.gather(
            rig.until(long, "message.finished", 60), rig.until(short, "message.finished", 60)
        )

    assert [moves(facts) for facts in ends] == [
        {"delivered": 665, "failed": 35},
        {"delivered": 1900, "failed": 100},
    ]
    everybody_once(rig, 2 * 700 + 2000)


async def test_a_storm_loses_nothing_sends_nothing_twice_and_is_soon_forgotten(rig: Rig) -> None:
    rig.rate = 60
    storm = {"after_submits": 120, "for_s": 30, "share": 0.5, "statuses": THROTTLING}
    with rig.carrying(json.dumps({"storm": storm, "fates": FATES})), rig.dispatcher():
        campaign = await rig.approve(1300)
        await rig.start(campaign)
        await until(lambda: storm_is_over(rig))
        async with http(rig, "admin") as client:
            links = (await client.get("/api/v1/links")).json()["items"]
        facts = await rig.until(campaign, "message.finished", 70)
        throttled = rig.carrier.lines("throttled")
        accepted = rig.carrier.lines("accepted")

    assert moves(facts) == {"delivered": 1235, "failed": 65}
    everybody_once(rig, 1300)
    assert links[0]["throttled_share"] > 0.2
    over = throttled[-1]["at"]
    seconds = Counter(int(line["at"] - over) for line in accepted if line["at"] > over)
    # The rest goes out at 95 % of the rate, on a busy machine by fits and starts.
    steady = sum(seconds[at] for at in range(10, 19)) / 9
    assert steady >= 0.95 * rig.rate, seconds
    resting = [line["destination"] for line in throttled]
    assert last_of(accepted, resting) - over < 5


async def test_a_connection_cut_in_mid_window_loses_nothing_and_sends_nothing_twice(
    rig: Rig,
) -> None:
    rig.rate = 400
    behaviour = {"drop_every": 150, "drops": 4, "latency_ms": 40, "fates": FATES}
    with rig.carrying(json.dumps(behaviour)), rig.dispatcher():
        campaign = await rig.approve(800)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished", 60)
        drops = rig.carrier.lines("dropped")

    ends = moves(facts)
    assert len(drops) == 4
    # What was accepted without an answer is told apart by its report; the rest was never there.
    accepted = everybody_once(rig, 800 - ends["unknown"])
    assert ends["delivered"] + ends["failed"] == 800
    assert ends["unknown"] <= 4 * rig.window
    assert ends["delivered"] == sum(int(number[-2:]) not in range(50, 55) for number in accepted)


@pytest.mark.parametrize("on_unknown", ["fail", "resend"])
async def test_what_was_cut_off_and_never_reported_ends_as_the_link_says(
    rig: Rig, on_unknown: str
) -> None:
    rig.link_lines = f'on_unknown = "{on_unknown}"\nquery_after_s = 1\n'
    behaviour = {"drop_every": 60, "drops": 1, "latency_ms": 40, "fates": {"missing": [0, 100]}}
    with rig.carrying(json.dumps(behaviour)), rig.dispatcher(undecided_wait_s=2):
        campaign = await rig.approve(120)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished", 60)
        accepted = rig.accepted()

    ends = moves(facts)
    assert ends["delivered"] + ends["failed"] == 120
    twice = sum(count - 1 for count in accepted.values())
    if on_unknown == "fail":
        assert ends["failed"] == ends["unknown"] > 0
        assert twice == 0
    else:
        assert ends == {"delivered": 120}
        assert 0 < twice <= rig.window


@pytest.mark.parametrize("answers", [True, False])
async def test_overdue_messages_are_asked_about_unless_the_carrier_cannot(
    rig: Rig, answers: bool
) -> None:
    rig.link_lines = "query_after_s = 1\n"
    behaviour = {"answers_queries": answers, "ids": "hex", "fates": {"missing": [0, 10]}}
    with rig.carrying(json.dumps(behaviour)), rig.dispatcher(delivery_wait_s=5):
        campaign = await rig.approve(200)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished", 40)
        queries = rig.carrier.lines("queried")

    if answers:
        assert moves(facts) == {"delivered": 200}
        assert len(queries) == 20
        assert all(line["known"] for line in queries)
    else:
        assert moves(facts) == {"delivered": 180, "submitted": 20}
        assert len(queries) <= 10


async def test_a_refused_bind_is_told_and_tried_again(rig: Rig) -> None:
    with rig.carrying(json.dumps({"password": "another"})), rig.dispatcher():
        async with http(rig, "admin") as client:
            link = await answered(
                client.get, lambda item: item.get("last_error") is not None, "/api/v1/links"
            )
        assert (link["state"], link["sessions_up"]) == ("down", 0)
        assert link["last_error"] == "bind refused: ESME_RINVPASWD"


def everybody_once(rig: Rig, expected: int) -> list[str]:
    """The carrier's own ledger has every part once; return the numbers."""
    accepted = rig.accepted()
    assert set(accepted.values()) == {1}
    assert len(accepted) == expected
    return [destination for destination, _ in accepted]


def storm_is_over(rig: Rig) -> bool:
    throttled = rig.carrier.lines("throttled")
    return bool(throttled) and time.time() - throttled[0]["at"] > 29


def last_of(accepted: list[dict[str, Any]], destinations: list[str]) -> float:
    wanted = set(destinations)
    return max(float(line["at"]) for line in accepted if line["destination"] in wanted)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.25)


async def answered(
    get: Callable[[str], Awaitable[Any]], wanted: Callable[[dict[str, Any]], bool], path: str
) -> dict[str, Any]:
    """Wait until the first item of a list is as wanted."""
    while True:
        try:
            reply = await get(path)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            continue
        item: dict[str, Any] = reply.json()["items"][0]
        if wanted(item):
            return item
        await asyncio.sleep(0.2)
