"""What was seen a moment ago: nobody who asks often waits, and one look serves all who do."""

import asyncio

from campaign_events.seen import HOLDS_S, Seen
from looks import Look


async def test_all_who_ask_during_one_look_share_it_also_when_the_first_of_them_leaves() -> None:
    look = Look()
    look.may.clear()
    seen = Seen(look, 0)
    asking = [asyncio.create_task(seen.get()) for _ in range(3)]
    await asyncio.sleep(0)

    asking[0].cancel()
    await asyncio.sleep(0)
    look.may.set()
    assert [await one for one in asking[1:]] == [1, 1]


async def test_who_asks_often_waits_for_no_look_after_the_first() -> None:
    look = Look()
    seen = Seen(look, 0)
    assert await seen.get() == 1
    look.may.clear()
    seen._known_at -= HOLDS_S + 0.1

    assert [await seen.get(), await seen.get()] == [1, 1]
    strict = asyncio.create_task(seen.get(HOLDS_S))
    await asyncio.sleep(0)
    look.may.set()
    assert (await strict, look.times) == (2, 2)


async def test_what_was_seen_long_ago_is_looked_at_again() -> None:
    look = Look()
    seen = Seen(look, 0)
    await seen.get()
    seen._known_at -= 60

    assert await seen.get() == 2
