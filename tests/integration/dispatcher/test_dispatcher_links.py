"""The dispatcher's links as a whole: reports that fit nothing, carriers that change, health."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import nats
import orjson
import pytest

from dispatching import QUICK, Rig, http, moves

pytestmark = pytest.mark.timeout(90)


async def test_an_early_report_is_never_taken_for_another_number_whose_id_reads_alike(
    rig: Rig,
) -> None:
    write_down(rig, number=0, receipts=0)
    with rig.carrying(QUICK + "missing = 1.0\n"), rig.dispatcher():
        unreported = await rig.approve(150)
        await rig.start(unreported)
        await submitted(rig, unreported, 150)
    # Ids go on where they were: 256 is 0x100, and somebody else's message is called 100.
    slow = QUICK.replace("latency_ms = 5", "latency_ms = 300")
    with rig.carrying(slow + "early = 1.0\ntlvs = false\n"), rig.dispatcher():
        reported = await rig.approve(200, first=1001)
        await rig.start(reported)
        facts = await rig.until(reported, "message.finished")

    assert moves(facts) == {"delivered": 200}
    assert moves(await rig.facts(unreported)) == {"submitted": 150}


async def test_a_link_with_several_sessions_sends_through_all_and_tells_how_it_is(
    rig: Rig,
) -> None:
    rig.window, rig.link_lines = 20, "sessions = 3\n"
    with rig.carrying(QUICK), rig.dispatcher():
        async with http(rig, "admin") as admin, http(rig, "viewer") as viewer:
            link = await shown(admin, lambda one: one.get("sessions_up") == 3)
            seen = await shown(viewer, lambda one: one["state"] == "up")
        campaign = await rig.approve(300)
        await rig.start(campaign)
        facts = await rig.until(campaign, "message.finished")
        health = await core_health(rig)

    assert moves(facts) == {"delivered": 300}
    assert (link["state"], link["sessions"], link["window"]) == ("up", 3, 60)
    assert (link["throttled_share"], link["unmatched_reports"]) == (0, 0)
    assert link["allowed_segments_per_second"] == link["segments_per_second"] == rig.rate
    assert seen.keys() == link.keys() - {"last_error", "last_error_at"}
    assert health["links"][0]["id"] == rig.link


async def test_reports_for_nothing_known_are_acknowledged_kept_and_counted(rig: Rig) -> None:
    with rig.carrying(QUICK), rig.dispatcher():
        first = await rig.approve(20)
        await rig.start(first)
        await rig.until(first, "message.finished")
    # Somebody else binds with our name: the carrier has messages that are not ours.
    write_down(rig, number=900, receipts=1)
    with rig.carrying(QUICK), rig.dispatcher():
        async with http(rig, "admin") as admin:
            link = await shown(admin, lambda one: one.get("unmatched_reports") == 1)
            text = (await admin.get("/metrics")).text
        await receipts(rig, "900")

    assert link["state"] == "up"
    assert f'carillon_link_unmatched_reports_total{{link="{rig.link}"}} 1.0' in text


async def test_an_unknown_outcome_is_resolved_by_a_report_of_the_carrier_that_came_back(
    rig: Rig,
) -> None:
    rig.window = 30
    slow = QUICK.replace("latency_ms = 5", "latency_ms = 700")
    with rig.carrying(slow) as carrier, rig.dispatcher(undecided_wait_s=15):
        campaign = await rig.approve(100)
        await rig.start(campaign)
        while not carrier.lines("accepted"):
            await asyncio.sleep(0.02)
        carrier.kill()
        carrier.start()
        facts = await rig.until(campaign, "message.finished", 60)

    assert moves(facts) == {"delivered": 100}
    assert set(rig.accepted().values()) == {1}


def test_a_file_with_mistakes_ends_the_dispatcher_with_a_plain_word(rig: Rig) -> None:
    environment = rig.environment({})
    file = rig.folder / "links.toml"
    file.write_text(file.read_text().replace("port = 0", "port = 0\nwindows = 3"))

    done = subprocess.run(
        [sys.executable, "-m", "dispatcher"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"{file}:5: link" in done.stderr
    assert "unknown field windows; did you mean window?" in done.stderr
    assert "Traceback" not in done.stderr


def write_down(rig: Rig, number: int, receipts: int) -> None:
    """Put a message that nobody sent into the carrier's book; its ids go on from there."""
    line: dict[str, Any] = {
        "event": "accepted",
        "at": 1.0,
        "system_id": "carillon",
        "source": "Other",
    }
    line |= {"destination": "491709999999", "reference": None, "part": 1, "parts": 1}
    line |= {"number": number, "message_id": str(number), "stat": "DELIVRD", "error": "000"}
    line |= {"due": 1.0, "receipts": receipts, "answered": True, "reply": None}
    with rig.carrier.ledger.open("ab") as ledger:
        ledger.write(orjson.dumps(line) + b"\n")


async def submitted(rig: Rig, campaign: str, count: int) -> None:
    while moves(await rig.facts(campaign))["submitted"] < count:
        await asyncio.sleep(0.05)


async def receipts(rig: Rig, message_id: str) -> None:
    while not any(line["message_id"] == message_id for line in rig.carrier.lines("receipt")):
        await asyncio.sleep(0.05)


async def shown(
    client: httpx.AsyncClient, wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until the only link is as wanted."""
    while True:
        try:
            reply = await client.get("/api/v1/links")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        item: dict[str, Any] = reply.json()["items"][0]
        if wanted(item):
            return item
        await asyncio.sleep(0.1)


async def core_health(rig: Rig) -> dict[str, Any]:
    nc = await nats.connect(rig.nats_url)
    try:
        reply = await nc.request("core.health", b"", timeout=2)
    finally:
        await nc.close()
    health: dict[str, Any] = orjson.loads(reply.data)
    return health
