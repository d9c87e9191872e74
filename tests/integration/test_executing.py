"""Decisions of processes that remember histories, while others go on with them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.client import Client

from campaign_events.campaign import CampaignPaused, CampaignResumed
from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Actor, Address, Event, Origin, Recorded, new_id
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute

BY = Actor(id="ann", name="Ann")


def decide(state: str, wanted: str) -> Sequence[Event]:
    if wanted == "sending" and state != "paused":
        raise Refused("it is not paused")
    if state == wanted:
        return ()
    paused, resumed = CampaignPaused(was="sending", by=BY), CampaignResumed(was="paused", by=BY)
    return (paused if wanted == "paused" else resumed,)


def evolve(_: str, event: Event) -> str:
    return "paused" if isinstance(event, CampaignPaused) else "sending"


SWITCH: Decider[str, Event, str] = Decider("", decide, evolve)


@pytest.fixture
def address(workspace: str) -> Address:
    return Address(workspace, new_id())


async def wish(log: EventLog, address: Address, wanted: str, command: str = "") -> str:
    origin = Origin(command or new_id(), datetime.now(UTC), "test")
    state, _ = await execute(log, SWITCH, address, wanted, origin)
    return state


async def test_a_yes_on_an_old_memory_is_decided_again(
    log: EventLog, nc: Client, address: Address
) -> None:
    other = EventLog(nc)
    await wish(log, address, "paused")
    await wish(other, address, "sending")
    await wish(other, address, "paused")

    assert await wish(log, address, "sending") == "sending"
    kinds = [type(one.event).__name__ for one in await EventLog(nc).load(address)]
    assert kinds == ["CampaignPaused", "CampaignResumed", "CampaignPaused", "CampaignResumed"]


async def test_nothing_to_do_on_an_old_memory_is_asked_about(
    log: EventLog, nc: Client, address: Address
) -> None:
    await wish(log, address, "paused")
    await wish(EventLog(nc), address, "sending")

    assert await wish(log, address, "paused") == "paused"
    assert len(await EventLog(nc).load(address)) == 3


async def test_a_no_on_an_old_memory_is_asked_about(
    log: EventLog, nc: Client, address: Address
) -> None:
    await wish(log, address, "paused")
    await wish(log, address, "sending")
    await wish(EventLog(nc), address, "paused")

    assert await wish(log, address, "sending") == "sending"
    with pytest.raises(Refused):
        await wish(log, address, "sending")


async def test_who_repeats_a_command_is_told_how_it_is_now(
    log: EventLog, nc: Client, address: Address
) -> None:
    command = new_id()
    await wish(log, address, "paused", command)
    await wish(EventLog(nc), address, "sending")

    assert await wish(log, address, "paused", command) == "sending"


async def test_a_command_that_another_process_has_done_is_not_done_again(
    log: EventLog, nc: Client, address: Address
) -> None:
    await wish(log, address, "paused")
    command = new_id()
    await wish(EventLog(nc), address, "sending", command)

    assert await wish(log, address, "sending", command) == "sending"
    assert len(await EventLog(nc).load(address)) == 2


async def test_a_yes_about_something_that_this_process_has_never_heard_of_is_decided_again(
    log: EventLog, nc: Client, address: Address
) -> None:
    await wish(log, address, "paused")
    command = new_id()

    assert await wish(EventLog(nc), address, "paused") == "paused"
    assert await wish(EventLog(nc), address, "sending", command) == "sending"
    assert await wish(EventLog(nc), address, "paused") == "paused"
    assert await wish(EventLog(nc), address, "sending", command) == "paused"
    kinds = [type(one.event).__name__ for one in await EventLog(nc).load(address)]
    assert kinds == ["CampaignPaused", "CampaignResumed", "CampaignPaused"]


async def test_something_new_is_not_read_before_it_is_decided_about(
    log: EventLog, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(_: Address) -> list[Recorded[Any]]:
        raise AssertionError("read")

    monkeypatch.setattr(log, "load", load)
    assert await wish(log, address, "paused") == "paused"
    assert await wish(log, address, "sending") == "sending"


async def test_of_many_processes_that_make_the_same_thing_one_does(
    nc: Client, address: Address
) -> None:
    states = await asyncio.gather(*(wish(EventLog(nc), address, "paused") for _ in range(5)))

    assert states == ["paused"] * 5
    assert len(await EventLog(nc).load(address)) == 1


async def test_who_repeats_the_first_command_after_a_lost_answer_makes_it_once(
    nc: Client, address: Address
) -> None:
    command = new_id()
    for _ in range(3):
        assert await wish(EventLog(nc), address, "paused", command) == "paused"
    assert len(await EventLog(nc).load(address)) == 1
