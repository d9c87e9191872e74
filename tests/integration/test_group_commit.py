"""Appends that are asked for at once, some of which the log refuses, or while the server dies."""

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client

import servers
from campaign_events.campaign import CampaignApproved, CampaignPaused, CampaignResumed
from campaign_events.decider import Conflict
from campaign_events.envelope import Actor, Address, Event, Origin, Position, new_id
from campaign_events.eventlog import EventLog, Rejected
from campaign_events.group_commit import LEAST, MOST, PORTION

BY = Actor(id="ann", name="Ann")
PAUSED, RESUMED = CampaignPaused(was="sending", by=BY), CampaignResumed(was="paused", by=BY)
MANY = MOST + LEAST + 9
"""A full batch, one more, and the first, which goes alone."""
TURNS = 25


def origin(command_id: str | None = None) -> Origin:
    return Origin(command_id or new_id(), datetime.now(UTC), "test")


@pytest.fixture
def addresses(workspace: str) -> list[Address]:
    return [Address(workspace, new_id()) for _ in range(MANY)]


def at(position: Position) -> int:
    return position.seqs[0][1]


async def appended(
    log: EventLog,
    addresses: Sequence[Address],
    changed: dict[int, Event] | None = None,
    origins: dict[int, Origin] | None = None,
) -> list[Position | BaseException]:
    """Ask for an append behind nothing to each thing, all at once."""
    events, wishes = changed or {}, origins or {}
    return await asyncio.gather(
        *(
            log.append([events.get(index, PAUSED)], address, wishes.get(index, origin()), after=0)
            for index, address in enumerate(addresses)
        ),
        return_exceptions=True,
    )


async def stored(nc: Client, addresses: Sequence[Address]) -> dict[Address, list[int]]:
    """Return what the log has of each thing, as somebody reads it who remembers nothing."""
    log = EventLog(nc)
    return {
        address: [recorded.seq for recorded in await log.load(address)] for address in addresses
    }


async def test_appends_of_one_moment_are_stored_together_and_each_is_told_its_place(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    places = await appended(log, addresses)

    assert [[at(place)] for place in places if isinstance(place, Position)] == list(
        (await stored(nc, addresses)).values()
    )
    entries = [
        await nc.jetstream().get_msg("CAMPAIGNS", at(place))
        for place in places
        if isinstance(place, Position)
    ]
    batches = {(entry.headers or {}).get("Nats-Batch-Id") for entry in entries}
    assert len(batches) == 3  # alone, a full batch, and the rest


async def test_who_asks_again_when_answered_is_together_again(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    """Answers are handed out in portions; the batch that the first ones begin takes in the last."""

    async def pause_and_resume(address: Address) -> int:
        after = at(await log.append([PAUSED], address, origin(), after=0))
        return at(await log.append([RESUMED], address, origin(), after=after))

    places = await asyncio.gather(*(pause_and_resume(one) for one in addresses[: PORTION * 3]))

    entries = [await nc.jetstream().get_msg("CAMPAIGNS", place) for place in places[1:]]
    assert len({(entry.headers or {})["Nats-Batch-Id"] for entry in entries}) == 1


async def test_few_appends_of_one_moment_are_not_worth_a_batch(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    for place in await appended(log, addresses[:LEAST]):
        assert isinstance(place, Position)
        entry = await nc.jetstream().get_msg("CAMPAIGNS", at(place))
        assert "Nats-Batch-Id" not in (entry.headers or {})


async def test_a_conflict_is_that_of_one_append_alone(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    first = at(await log.append([PAUSED], addresses[7], origin(), after=0))

    outcomes = await appended(log, addresses)

    assert [index for index, one in enumerate(outcomes) if isinstance(one, Conflict)] == [7]
    places = [[at(one)] if isinstance(one, Position) else [first] for one in outcomes]
    assert places == list((await stored(nc, addresses)).values())


async def test_a_repeated_command_is_told_its_place_among_others(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    wish = origin()
    first = await log.append([PAUSED], addresses[7], wish, after=0)

    outcomes = await appended(log, addresses, origins={7: wish})

    assert outcomes[7] == first
    assert all(len(seqs) == 1 for seqs in (await stored(nc, addresses)).values())


async def test_of_two_decisions_on_one_history_in_one_moment_one_wins(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    outcomes = await appended(log, addresses + addresses)

    assert sum(isinstance(one, Conflict) for one in outcomes) == len(addresses)
    assert all(len(seqs) == 1 for seqs in (await stored(nc, addresses)).values())


async def test_what_is_too_large_keeps_nothing_else_out(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    most = CampaignApproved(was="new", by=BY, note="x" * nc.max_payload)

    outcomes = await appended(log, addresses, changed={7: most})

    assert isinstance(outcomes[7], (Rejected, nats.errors.MaxPayloadError))
    places = [[at(one)] if isinstance(one, Position) else [] for one in outcomes]
    assert places == list((await stored(nc, addresses)).values())


async def test_who_is_cancelled_leaves_the_others_their_answers(
    nc: Client, log: EventLog, addresses: list[Address]
) -> None:
    asking = [
        asyncio.create_task(log.append([PAUSED], address, origin(), after=0))
        for address in addresses
    ]
    await asyncio.sleep(0)
    asking[7].cancel()

    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    places = [at(one) for one in outcomes if isinstance(one, Position)]
    assert len(places) == len(addresses) - 1
    seen = await stored(nc, addresses)
    assert sorted(seq for seqs in seen.values() for seq in seqs if seq in places) == sorted(places)


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def test_a_killed_server_keeps_each_append_once(tmp_path: Path, ending: ExitStack) -> None:
    """What is in hand then is asked for again, with the same ids, when there is a server again."""
    port = servers.free_port()
    server = await asyncio.to_thread(ending.enter_context, servers.nats_server(tmp_path, port))
    if not isinstance(server, subprocess.Popen):
        pytest.skip("a container is not started again in its place")
    nc = await nats.connect(
        f"nats://127.0.0.1:{port}", max_reconnect_attempts=-1, reconnect_time_wait=0.05
    )
    log, half = EventLog(nc), asyncio.Event()
    addresses = [Address("demo", new_id()) for _ in range(50)]

    async def switch(address: Address) -> list[int]:
        places: list[int] = []
        for turn in range(TURNS):
            event = RESUMED if turn % 2 else PAUSED
            after = places[-1] if places else 0
            places.append(at(await log.append([event], address, origin(), after=after)))
            if turn == TURNS // 2:
                half.set()
        return places

    switching = [asyncio.create_task(switch(address)) for address in addresses]
    await half.wait()
    server.kill()
    await asyncio.to_thread(server.wait)
    await asyncio.to_thread(ending.enter_context, servers.nats_server(tmp_path, port))

    told = await asyncio.gather(*switching)
    assert dict(zip(addresses, told, strict=True)) == await stored(nc, addresses)
    await nc.close()
