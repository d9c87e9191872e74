"""Answers that are held: never older than what whoever asks may expect, and read once for all."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from campaign_events.projector import Projector
from looks import Look
from read_model.kept import MOST, Kept


def projector(seq: int = 1, *, live: bool = True) -> Any:
    view = SimpleNamespace(generation=1)
    return SimpleNamespace(live=object() if live else None, seq=seq, turn=0, view=view)


def kept_of(*projectors: Any) -> Kept[int]:
    return Kept([cast("Projector", one) for one in projectors])


async def test_an_answer_holds_until_one_of_its_views_moves() -> None:
    campaigns, messages = projector(), projector()
    kept, read = kept_of(campaigns, messages), Look()

    assert [await kept.get("w", read), await kept.get("w", read)] == [1, 1]
    messages.seq += 1
    assert await kept.get("w", read) == 2
    campaigns.turn += 1
    assert await kept.get("w", read) == 3
    campaigns.view.generation += 1
    assert await kept.get("w", read) == 4


async def test_an_answer_is_over_with_its_moment() -> None:
    kept, read = kept_of(projector()), Look()

    assert [await kept.get("w", read, second) for second in (1, 1, 2)] == [1, 1, 2]


async def test_nobody_is_given_the_answer_of_another() -> None:
    kept, read = kept_of(projector()), Look()

    assert [await kept.get("one", read), await kept.get("two", read)] == [1, 2]


async def test_a_view_that_another_process_keeps_is_read_each_time() -> None:
    kept, read = kept_of(projector(), projector(live=False)), Look()

    assert [await kept.get("w", read), await kept.get("w", read)] == [1, 2]


async def test_all_who_ask_before_a_reading_begins_share_it() -> None:
    kept, read = kept_of(projector(live=False)), Look()

    assert await asyncio.gather(*(kept.get("w", read) for _ in range(9))) == [1] * 9


async def begun(kept: Kept[int], read: Look) -> asyncio.Task[int]:
    """Ask, and return when the reading has begun; it ends when it may."""
    read.may.clear()
    first = asyncio.create_task(kept.get("w", read))
    while not read.times:
        await asyncio.sleep(0)
    return first


async def test_who_asks_after_a_view_has_moved_waits_for_a_reading_that_begins_then() -> None:
    moving, read = projector(), Look()
    kept = kept_of(moving)
    first = await begun(kept, read)
    moving.seq += 1
    later = [asyncio.create_task(kept.get("w", read)) for _ in range(9)]
    await asyncio.sleep(0)
    read.may.set()

    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 9


async def test_who_asks_while_a_reading_goes_on_shares_it_when_nothing_has_moved() -> None:
    kept, read = kept_of(projector()), Look()
    first = await begun(kept, read)
    later = [asyncio.create_task(kept.get("w", read)) for _ in range(9)]
    await asyncio.sleep(0)
    read.may.set()

    assert await asyncio.gather(first, *later) == [1] * 10


async def test_while_another_process_keeps_a_view_nobody_shares_a_reading_that_has_begun() -> None:
    kept, read = kept_of(projector(live=False)), Look()
    first = await begun(kept, read)
    later = asyncio.create_task(kept.get("w", read))
    await asyncio.sleep(0)
    read.may.set()

    assert (await first, await later) == (1, 2)


async def test_an_answer_is_wanted_ahead_when_two_have_asked_since_the_last_move() -> None:
    kept, read = kept_of(projector()), Look()

    assert not kept.is_wanted("w")
    await kept.get("w", read)
    assert not kept.is_wanted("w")
    for _ in range(2):
        await kept.get("w", read)
    assert kept.is_wanted("w")
    assert not kept.is_wanted("w")


async def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    kept, read = kept_of(projector()), Look()
    first = await begun(kept, read)
    second = asyncio.create_task(kept.get("w", read))
    await asyncio.sleep(0)
    first.cancel()
    read.may.set()

    assert await second == 1


async def test_a_failure_is_told_and_not_held() -> None:
    kept, read = kept_of(projector()), Look()

    async def fail() -> int:
        raise OSError("away")

    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            await kept.get("w", fail)
    assert await kept.get("w", read) == 1


async def test_what_is_held_does_not_grow_for_ever() -> None:
    kept, read = kept_of(projector()), Look()

    for number in range(MOST + 1):
        await kept.get(f"w{number}", read)
    assert await kept.get("w0", read) == MOST + 2
