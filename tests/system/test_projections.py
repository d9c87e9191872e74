"""Views grown anew on a whole platform, from the shell and over HTTP, while a campaign runs."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

import forked
from stack_campaigns import Crew
from stacks import Platform, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


type Numbers = Callable[[int], list[str]]


@pytest.fixture
async def admin(up: Platform, crew: Crew) -> AsyncIterator[httpx.AsyncClient]:
    async with up.client(crew.workspace, "admin", sub="ada") as client:
        yield client


async def carillon(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    command = ("projections", *arguments, "--data", str(platform.data))
    return await forked.said(*command, environment=os.environ)


async def test_views_are_rebuilt_switched_and_rolled_back_while_a_campaign_runs(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    running = await crew.launched(numbers(600), link_id="slow")
    await crew.until_status(running, "sending")
    seen: list[tuple[int, int, int]] = []
    watching = asyncio.create_task(watched(crew, running, seen))

    both = ("read_model.messages", "dispatcher.messages", "read_model.campaigns")
    told = await asyncio.gather(*(carillon(up, "rebuild", name) for name in both))
    for name, (code, out, err) in zip(both, told, strict=True):
        assert (code, out.startswith(f"{name} at ")) == (0, True), out + err
        assert "2 live" in out
        assert "events/s" in err
    code, out, _ = await carillon(up, "rollback", "dispatcher.messages")
    assert (code, "1 live, 2 at" in out) == (0, True)

    done = await crew.until_status(running, "done")
    watching.cancel()
    assert done["stats"]["delivered"] + done["stats"]["failed"] == 600
    assert seen == sorted(seen)
    assert seen[0][0] == 1
    for name in both:
        code, out, _ = await carillon(up, "verify", name)
        assert (code, "as folded" in out) == (0, True), out


async def watched(crew: Crew, campaign: str, seen: list[tuple[int, int, int]]) -> None:
    """Read what people read, again and again: campaigns there are, messages sent, and their end."""
    while True:
        row = await ask(crew.author, "GET", f"/campaigns/{campaign}")
        kpi = await ask(crew.author, "GET", "/overview/kpi")
        stats = row["stats"]
        sent = stats["submitted"] + stats["delivered"] + stats["failed"]
        seen.append((kpi["total"], sent, stats["delivered"] + stats["failed"]))
        await asyncio.sleep(0.05)


async def test_admins_work_on_views_over_http_and_others_look(
    crew: Crew, admin: httpx.AsyncClient
) -> None:
    listed = await ask(crew.author, "GET", "/ops/projections")
    names = {item["name"] for item in listed["items"]}
    diagnosed = await ask(crew.author, "GET", "/diagnostics")
    assert names == {item["name"] for item in diagnosed["projections"]}
    assert listed["unanswered"] == []
    path = "/ops/projections/moderation"
    assert (await crew.author.post(f"{path}/rebuild")).status_code == 403

    begun = await ask(admin, "POST", f"{path}/rebuild", json={"switch": False})
    assert (begun["job"]["state"], begun["generation"]) == ("growing", 1)
    assert [each["generation"] for each in (await ended(admin, path))["generations"]] == [1, 2]
    await ask(admin, "POST", f"{path}/switch")
    assert (await ended(admin, path))["generation"] == 2
    dropped = await ask(admin, "POST", f"{path}/drop", json={"generation": 1})
    assert (dropped["dropped"], len(dropped["generations"])) == (1, 1)

    for body, status in (({"switch": "perhaps"}, 422), ({"nonsense": 1}, 422)):
        assert (await admin.post(f"{path}/rebuild", json=body)).status_code == status
    refused = await admin.post(f"{path}/drop", json={"generation": 2})
    assert (refused.status_code, "is live" in refused.text) == (409, True)
    assert (await admin.post("/ops/projections/nobody.messages/switch")).status_code == 404
    assert (await admin.post("/ops/projections/messages/switch")).status_code == 422
    done: list[str] = []
    async with asyncio.timeout(60):  # a record may wait on disk for a moment
        while len(done) < 3:
            found = (await ask(admin, "GET", "/audit?resource=ops:moderation"))["items"]
            done = [one["action"] for one in found if one["outcome"] == "done"]
            await asyncio.sleep(0.1)
    acts = ("dropped", "switched", "rebuilt")
    assert done == [f"ops.projection_{act}" for act in acts]
    assert {one["actor"]["id"] for one in found if one["outcome"] == "refused"} == {"ann", "ada"}


async def ended(admin: httpx.AsyncClient, path: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (stands := await ask(admin, "GET", path))["job"]["state"] != "done":
            await asyncio.sleep(0.1)
    return dict(stands)


async def test_what_was_planted_by_hand_is_found_and_mended_by_a_rebuild(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    campaign = await crew.launched(numbers(5))
    await crew.until_status(campaign, "done")
    async with AsyncMongoClient[dict[str, Any]](up.file().mongo_url) as mongo:
        db = mongo["read_model"]
        live = await db.generations.find_one({"_id": "history.r1"}) or {}
        number = live.get("live", 1)
        suffix = "" if number == 1 else f".g{number}"
        await db[f"campaign_history.r1{suffix}"].update_one(
            {"campaign": campaign, "action": "campaign.created"},
            {"$set": {"action": "campaign.forged"}},
        )

    code, out, _ = await carillon(up, "verify", "history")
    assert code == 1
    assert "action: stored campaign.forged, folded campaign.created" in out
    code, out, err = await carillon(up, "rebuild", "history")
    assert code == 0, out + err
    code, out, _ = await carillon(up, "verify", "history")
    assert (code, "as folded" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rebuild", "nothing"), "There is no such projection"),
        (("rebuild", "messages"), "say dispatcher.messages or read_model.messages"),
        (("rollback", "dialler.calls"), "rebuild it first"),
        (("drop", "dialler.calls", "--generation", "1"), "generation 1 of calls is live"),
    ],
)
async def test_a_command_that_can_not_be_carried_out_says_what_to_do(
    up: Platform, arguments: Sequence[str], said: str
) -> None:
    code, _, err = await carillon(up, *arguments)

    assert code == 1
    assert said in err
