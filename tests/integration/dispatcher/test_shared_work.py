"""Several processes of one service: who owns what, and what one that was replaced can say."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from copy import copy

import httpx
import pytest
from nats.aio.client import Client

import servers
from campaign_events.campaign import CampaignPaused
from campaign_events.decider import Conflict
from campaign_events.envelope import Address, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.leases import Lease, held
from campaign_events.message import MessagesUndecided
from campaign_events.shares import Shares
from dispatcher.outcomes import origin
from dispatcher.ownership import Ownership
from dispatching import BY, QUICK, Rig, answering, moves, phone

SUPPRESSIONS = "/api/v1/suppressions"


async def test_of_two_owners_of_a_link_only_the_later_one_can_say_anything(
    log: EventLog, workspace: str
) -> None:
    first = await Ownership.declare(log, workspace, Lease("one", epoch=1, seq=1))

    def lost() -> Fact:
        event = MessagesUndecided(link=workspace, numbers=(1,))
        return Fact(event, Address(workspace, "c"), new_id())

    await first.append_fact(lost(), origin())
    second = await Ownership.declare(log, workspace, Lease("two", epoch=2, seq=2))

    with pytest.raises(Conflict):
        await first.append_fact(lost(), origin())
    assert await second.append_fact(lost(), origin()) > second.seq


async def test_a_process_of_the_same_name_takes_its_lease_up_at_once(
    nc: Client, workspace: str
) -> None:
    left = {"Nats-Expected-Last-Subject-Sequence": "0", "Nats-TTL": "60"}
    await nc.jetstream().publish(f"lease.{workspace}", b"me", headers=left)

    async with asyncio.timeout(5), held(nc, workspace, "me") as lease:
        assert lease.is_good


async def test_who_owns_less_goes_first_and_who_owns_two_more_gives_one_up(
    nc: Client, workspace: str
) -> None:
    mine, theirs = ["a", "b"], list[str]()
    one = Shares(nc, workspace, "one", lambda: mine)
    two = Shares(nc, workspace, "two", lambda: theirs)
    assert one.may()
    running = [asyncio.create_task(shares.run()) for shares in (one, two)]
    try:
        async with asyncio.timeout(15):
            while one.may() or not one.too_many():
                await asyncio.sleep(0.05)
        assert two.may()
        assert not two.too_many()
        theirs.append(mine.pop())
        two.changed()
        async with asyncio.timeout(5):
            while not one.may():
                await asyncio.sleep(0.05)
        assert not one.too_many()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextmanager
def second(rig: Rig) -> Iterator[Rig]:
    """Another dispatcher of the same links, seen like the first."""
    port = servers.free_port()
    other = copy(rig)
    other.http_port = port
    with other.dispatcher(audit_fallback=rig.folder / f"audit-{port}.jsonl"):
        yield other


@pytest.mark.timeout(120)
async def test_a_second_dispatcher_serves_waits_and_takes_over(rig: Rig) -> None:
    rig.rate = 60
    with rig.carrying(QUICK), rig.dispatcher() as owner:
        async with answering(rig, "admin") as first:
            campaign = await rig.approve(900)
            await rig.start(campaign)
            await rig.until(campaign, "message.submitted")
            with second(rig) as standby:
                async with answering(standby, "admin") as admin:
                    await until_up(admin, rig.link)
                    assert (await first.get("/readyz")).status_code == 200
                    answer = await admin.post(SUPPRESSIONS, json={"phone": phone(880)})
                    assert answer.status_code == 201, answer.text
                owner.kill()
                owner.wait(10)
                died = time.time()
                facts = await rig.until(campaign, "message.finished", 60)
        accepted = rig.carrier.lines("accepted")

    after = [line["at"] for line in accepted if line["at"] > died]
    assert after
    assert min(after) < died + 12
    assert max(rig.accepted().values()) == 1
    assert (phone(880)[1:], 1) not in rig.accepted()
    told = moves(facts)
    assert told["delivered"] + told["unknown"] == 899
    assert told["skipped"] == 1
    assert told["unknown"] <= rig.window


@pytest.mark.timeout(120)
async def test_an_owner_hears_what_another_dispatcher_was_told(rig: Rig) -> None:
    other_link = f"{rig.link}b"
    rig.rate = 100
    async with AsyncExitStack() as running:
        running.enter_context(rig.carrying(QUICK))
        rig.link_lines = (
            f'\n[[links]]\nid = "{other_link}"\ntype = "smpp"\nhost = "127.0.0.1"\n'
            f'port = {rig.carrier.port}\nsystem_id = "carillon"\npassword = "secret"\n'
            "window = 50\nsegments_per_second = 100\n"
        )
        running.enter_context(rig.dispatcher())
        owner = running.enter_context(second(rig))
        async with answering(rig, "author") as keeper, answering(owner, "author") as client:
            rig.link = await owned(client, (rig.link, other_link))
            pushed = await rig.approve(0, mode="trigger")
            await rig.start(pushed)
            began = time.monotonic()
            path = f"/api/v1/campaigns/{pushed}/messages"
            push = {"phone": phone(1), "variables": {"name": "Ada"}, "key": "one"}
            while not (await keeper.post(path, json=push)).is_success:
                await asyncio.sleep(0.05)
            await rig.until(pushed, "message.submitted")
            took = time.monotonic() - began

            campaign = await rig.approve(500, first=2)
            await rig.start(campaign)
            await rig.until(campaign, "message.submitted")
            await rig.say(campaign, CampaignPaused(was="sending", by=BY))
            paused = time.time()
            await asyncio.sleep(2)
        accepted = [line["at"] for line in rig.carrier.lines("accepted")]

    assert took < 5
    assert 1 < len(accepted) < 400
    assert max(accepted) < paused + 1


async def owned(client: httpx.AsyncClient, links: tuple[str, ...]) -> str:
    """Wait until this dispatcher owns one of the links; which."""
    async with asyncio.timeout(30):
        while True:
            told = (await client.get("/metrics")).text
            for link in links:
                if f'carillon_link_up{{link="{link}"}} 1.0' in told:
                    return link
            await asyncio.sleep(0.1)


async def until_up(admin: httpx.AsyncClient, link: str) -> None:
    """Wait until a dispatcher that does not own the link knows from its owner that it is up."""
    async with asyncio.timeout(60):
        while True:
            items = (await admin.get("/api/v1/links")).json()["items"]
            if [one["state"] for one in items if one["id"] == link] == ["up"]:
                return
            await asyncio.sleep(0.1)
