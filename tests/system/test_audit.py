"""The audit trail of a whole platform, with MongoDB standing still and services dying."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stack_campaigns import Crew
from stacks import Platform, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SENDER = {"name": "Shop", "saddr": "Shop"}
ANSWER_S = 1.5
"""A second for the audit, the rest for the command itself on a busy machine."""
RETURN_S = 5.0
STOPPED_S = float(os.environ.get("CARILLON_STOPPED_S", "10"))
"""How long MongoDB stands still: `make chaos` has it do so for a minute."""


@pytest.fixture
async def admin(up: Platform, crew: Crew) -> AsyncIterator[httpx.AsyncClient]:
    async with up.client(crew.workspace, "admin", sub="ada") as client:
        yield client


async def trail(admin: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    """The records of the workspace, oldest first."""
    found = await ask(admin, "GET", "/audit", params={"limit": 1000, **wanted})
    return list(reversed(found["items"]))


async def fallback(admin: httpx.AsyncClient, state: str, within_s: float) -> dict[str, Any]:
    """What the diagnostics say as soon as the fallback is in this state."""
    async with asyncio.timeout(within_s):
        while True:
            began = time.monotonic()
            answer = await admin.get("/diagnostics")
            assert answer.status_code == 200, answer.text
            assert time.monotonic() - began < ANSWER_S, "the diagnostics answer all the while"
            shown: dict[str, Any] = answer.json()
            if shown["audit"]["fallback"] == state:
                return shown
            await asyncio.sleep(0.05)


async def test_a_campaign_leaves_a_trail_from_its_creation_on(
    crew: Crew, admin: httpx.AsyncClient
) -> None:
    campaign = await crew.campaign(await crew.sender())
    await ask(crew.author, "POST", f"/campaigns/{campaign['id']}/stop")
    refused = await crew.author.post(f"/campaigns/{campaign['id']}/pause")
    assert refused.status_code == 409
    records = await trail(admin)
    assert [(one["action"], one["outcome"], one["actor"]["id"]) for one in records] == [
        ("sender.created", "done", "ann"),
        ("sender.approved", "done", "mo"),
        ("campaign.created", "done", "ann"),
        ("campaign.stopped", "done", "ann"),
        ("campaign.paused", "refused", "ann"),
    ]
    assert {one["ip"] for one in records} == {"127.0.0.1"}
    assert (await trail(admin, resource=campaign["id"])) == records[2:]


async def test_an_address_is_believed_from_the_edge_only(
    up: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "r-1"}
    at_edge = await crew.author.post("/senders", json=SENDER, headers=forged)
    assert (at_edge.status_code, at_edge.headers["X-Request-Id"]) == (201, "r-1")
    behind = up.file().services["moderation"].url
    async with httpx.AsyncClient(base_url=f"{behind}/api/v1", headers=crew.author.headers) as own:
        chain = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9, 127.0.0.1"}
        assert (await own.post("/senders", json=SENDER, headers=chain)).status_code == 201
        garbage = {"X-Forwarded-For": "nobody knows"}
        assert (await own.post("/senders", json=SENDER, headers=garbage)).status_code == 201
    records = await trail(admin, action="sender.created")
    assert [one["ip"] for one in records] == ["127.0.0.1", "203.0.113.9", None]


async def test_while_mongodb_stands_still_commands_go_on_and_their_records_come_in_later(
    up: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    before = await fallback(admin, "empty", 20)
    assert before["audit"] == {
        "retention_days": 90,
        "fallback_bytes": 0,
        "fallback_lines": 0,
        "fallback": "empty",
    }
    await up.signal("mongo", signal.SIGSTOP)
    made: list[str] = []
    stopped_at = time.monotonic()
    try:
        while time.monotonic() - stopped_at < STOPPED_S or len(made) < 12:
            began = time.monotonic()
            body = SENDER | {"name": f"Shop {len(made)}"}
            answer = await crew.author.post("/senders", json=body)
            assert answer.status_code == 201, answer.text
            assert time.monotonic() - began < ANSWER_S
            made.append(answer.json()["id"])
            shown = await fallback(admin, "buffering", 10)
            assert shown["mongo"] == "down"
            assert shown["nats"] == "ok"
            assert shown["db_schema"]["ok"], "as far as anybody knows"
            assert len(shown["projections"]) > 4, "those of other services too"
        forged = {"Authorization": "Bearer nonsense"}
        assert (await admin.get("/overview/kpi", headers=forged)).status_code == 401

        async def all_counted() -> None:
            waiting = 0
            while waiting < len(made) + 1:
                waiting = (await fallback(admin, "buffering", 5))["audit"]["fallback_lines"]
                await asyncio.sleep(0.1)

        await asyncio.wait_for(all_counted(), 10)
        await up.signal("moderation", signal.SIGKILL)
        shown = await fallback(admin, "buffering", 5)
        assert shown["audit"]["fallback_lines"] > len(made), "what a dead service holds counts too"
    finally:
        await up.signal("mongo", signal.SIGCONT)
    await up.all_ready()
    ended = await fallback(admin, "empty", RETURN_S)
    assert (ended["mongo"], ended["audit"]["fallback_lines"]) == ("ok", 0)
    records = await trail(admin, action="sender.created")
    assert [one["resource"]["id"] for one in records] == made
    assert (up.data / "audit" / "moderation.jsonl").read_bytes() == b""


async def test_while_mongodb_is_gone_commands_go_on_and_their_records_come_in_later(
    up: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    made: list[str] = []
    await up.kill("mongo")
    for number in range(20):
        answer = await crew.author.post("/senders", json=SENDER | {"name": f"Shop {number}"})
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
    await up.all_ready()
    await fallback(admin, "empty", RETURN_S)
    assert [one["resource"]["id"] for one in await trail(admin)] == made
