"""A platform out of order: poisoned entries, databases of another schema; people repair it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import nats
import pytest
from pymongo import AsyncMongoClient

import forked
from stack_campaigns import Crew, phones
from stacks import Platform, ask, platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("parked")) as running:
        yield running


@pytest.fixture
async def crew(started: Platform) -> AsyncIterator[Crew]:
    people = Crew.of(started)
    yield people
    await people.close()


@pytest.fixture
async def admin(started: Platform, crew: Crew) -> AsyncIterator[httpx.AsyncClient]:
    async with started.client(crew.workspace, "admin", sub="ada") as client:
        yield client


async def carillon(platform: Platform, *arguments: str) -> tuple[int, str]:
    """Exit code of a command, and all that it says."""
    command = (*arguments, "--data", str(platform.data))
    code, out, err = await forked.said(*command, environment=os.environ)
    return code, out + err


async def parked(admin: httpx.AsyncClient, thing: str) -> list[dict[str, Any]]:
    shown = await ask(admin, "GET", "/ops/parked")
    assert shown["unanswered"] == []
    return [item for item in shown["items"] if item["thing"] == thing]


async def refuse(started: Platform, names: dict[str, Any]) -> None:
    """Have MongoDB refuse rows of campaigns with such names: a view that is out of order."""
    async with AsyncMongoClient[dict[str, Any]](started.file().mongo_url) as mongo:
        await mongo["read_model"].command(
            {"collMod": "campaigns.r1", "validator": {"settings.name": names} if names else {}}
        )


async def test_a_view_that_is_repaired_takes_in_what_waited_in_order(
    started: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    sender = await crew.sender()
    await refuse(started, {"$ne": "Poison"})
    bad = (await crew.campaign(sender, name="Poison"))["id"]
    await crew.uploaded(bad, "phone\n" + "\n".join(phones(3)))
    await crew.act(bad, "stop")
    other = await crew.launched(phones(20, 100))
    assert (await crew.until_status(other, "done"))["stats"]["delivered"] == 20
    assert (await crew.author.get(f"/campaigns/{bad}")).status_code == 404

    [item] = await parked(admin, bad)
    assert (item["service"], item["reader"], item["waiting"]) == ("read_model", "campaigns.r1", 2)
    assert item["error"].startswith("write refused: 121")
    await counted(admin, 3)
    code, said = await carillon(started, "parked", "retry", item["id"])
    assert (code, "failed" in said) == (1, True)
    [again] = await parked(admin, bad)
    assert (again["tries"], again["waiting"], again["seq"]) == (2, 2, item["seq"])

    await refuse(started, {})
    code, said = await carillon(started, "parked", "retry", "--all")
    assert (code, said.split()[0]) == (0, "free")
    assert await parked(admin, bad) == []
    row = await crew.seen(f"/campaigns/{bad}")
    assert (row["status"], row["contacts"]["accepted"]) == ("cancelled", 3)
    await counted(admin, 0)
    trail = (await ask(admin, "GET", f"/audit?resource=ops:{bad}"))["items"]
    assert [(one["action"], one["actor"]["id"]) for one in trail] == [
        ("ops.parked_retried", "dev-operator")
    ] * 2


async def counted(admin: httpx.AsyncClient, events: int) -> None:
    """Wait until the diagnostics count as many parked events."""
    shown: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while not shown or sum(one["parked"] for one in shown["projections"]) != events:
            shown = await ask(admin, "GET", "/diagnostics")
            await asyncio.sleep(0.1)


async def test_a_poisoned_entry_is_dropped_and_its_campaign_goes_on(
    started: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    made = (await crew.campaign(await crew.sender()))["id"]
    numbers = phones(10, 1000)
    await crew.uploaded(made, "phone,name\n" + "".join(f"{number},N\n" for number in numbers))
    nc = await nats.connect(started.file().nats_url)
    subject = f"message.{crew.workspace}.{made}.plan_finished"
    await nc.jetstream().publish(subject, b'{"phone": "+447700900123"')
    await nc.close()
    await crew.approve(made)
    other = await crew.launched(phones(10, 2000))
    await crew.until_status(other, "done")
    row = await crew.seen(f"/campaigns/{made}")
    assert row["status"] == "building", "what the dispatcher says waits behind the poison"

    items = await parked(admin, made)
    assert {(item["service"], item["reader"]) for item in items} == {
        ("campaign", "campaign-follows-messages"),
        ("dispatcher", "messages.r2"),
        ("read_model", "messages.r2"),
    }
    code, said = await carillon(started, "parked", "show", items[0]["id"])
    assert (code, "JSONDecodeError" in said) == (0, True)
    for item in items:
        assert "900123" not in json.dumps(item)
        refused = await crew.author.post(f"/ops/parked/{item['id']}/drop")
        assert refused.status_code == 403
    for item in items[:-1]:
        answer = await ask(admin, "POST", f"/ops/parked/{item['id']}/drop")
        assert (answer["failed"], answer["left"]) == (False, None)
    code, said = await carillon(started, "parked", "drop", items[-1]["id"])
    assert (code, said.split()[0]) == (0, "free")
    row = await crew.until_status(made, "done")
    assert row["stats"]["delivered"] == 10
    assert sorted(one["destination"] for one in started.accepted(numbers)) == [
        number.removeprefix("+") for number in numbers
    ]
    records = (await ask(admin, "GET", "/audit?resource=ops"))["items"]
    assert [(one["action"], one["outcome"], one["actor"]["id"]) for one in records] == [
        ("ops.parked_dropped", "done", "dev-operator"),
        *[("ops.parked_dropped", "done", "ada")] * 2,
        *[("ops.parked_dropped", "refused", "ann")] * 3,
    ]
    assert {one["resource"]["id"] for one in records[:3]} == {made}
    logs = "".join(started.log_of(name) for name in ("campaign", "dispatcher", "read_model"))
    assert "900123" not in logs


async def test_what_another_workspace_has_parked_is_not_there(
    started: Platform, admin: httpx.AsyncClient
) -> None:
    stranger = Crew.of(started)
    await refuse(started, {"$ne": "Poison"})
    bad = (await stranger.campaign(await stranger.sender(), name="Poison"))["id"]
    async with started.client(stranger.workspace, "viewer", sub="vic") as viewer:
        items: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not items:
                items = await parked(viewer, bad)
        path = f"/ops/parked/{items[0]['id']}"
        assert (await viewer.get(path)).json()["trace"]
        assert (await viewer.post(f"{path}/retry")).status_code == 403
        assert (await viewer.get("/ops/parked?everywhere=true")).status_code == 403
        assert (await viewer.get("/ops/parked?cursor=nonsense")).status_code == 422
    assert await parked(admin, bad) == []
    for answer in (await admin.get(path), await admin.post(f"{path}/retry")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for nonsense in ("x", "read_model:campaigns.r1", f"nobody:{path}", "read_model:a:b:c"):
        assert (await admin.get(f"/ops/parked/{nonsense}")).status_code == 404
    await refuse(started, {})
    code, said = await carillon(started, "parked", "retry", "--all")
    assert (code, said.split()[0]) == (0, "free")
    await stranger.close()


async def states(started: Platform, version: int) -> None:
    """Have the database of moderation state another schema."""
    async with AsyncMongoClient[dict[str, Any]](started.file().mongo_url) as mongo:
        await mongo["moderation"].schema.update_one({}, {"$set": {"version": version}})


async def schemas(admin: httpx.AsyncClient, *, ok: bool) -> dict[str, Any]:
    """The schemas of all databases, once they are all right or not."""
    shown: dict[str, Any] = {}
    async with asyncio.timeout(30):
        while shown.get("ok") is not ok:
            shown = (await ask(admin, "GET", "/diagnostics"))["db_schema"]
            await asyncio.sleep(0.1)
    return shown


async def test_a_service_waits_for_the_schema_that_it_needs(
    started: Platform, crew: Crew, admin: httpx.AsyncClient
) -> None:
    assert (await schemas(admin, ok=True))["version"] == 1
    await states(started, 0)
    await started.kill("moderation")
    shown = await schemas(admin, ok=False)
    assert shown["services"]["moderation"] == {"version": 0, "expected": 1, "ok": False}
    assert shown["services"]["campaign"]["ok"]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{started.file().services['moderation'].url}/readyz")
    assert answer.status_code == 503
    needed = "the database of moderation has schema 0, this version needs 1: run `carillon migrate`"
    assert answer.json()["schema"] == f"down: {needed}"
    refused = await crew.author.get("/senders")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert "run `carillon migrate`" in refused.json()["detail"]

    code, said = await carillon(started, "migrate")
    assert (code, "moderation: schema 0 to 1" in said) == (0, True)
    await schemas(admin, ok=True)
    await started.all_ready()
    assert (await crew.author.get("/senders")).status_code == 200

    await states(started, 99)
    assert (await schemas(admin, ok=False))["services"]["moderation"]["version"] == 99
    code, said = await carillon(started, "migrate")
    assert (code, "which a newer version has made" in said) == (1, True)
    assert said.count("nothing to do") == 4
    await states(started, 1)
    await schemas(admin, ok=True)
