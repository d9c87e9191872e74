"""Uploads give way while messages go out."""

import asyncio

import pytest

from campaign.upload_pace import UploadPace

BATCH_S = 0.02


async def batches(pace: UploadPace, count: int, inside: list[int]) -> None:
    for _ in range(count):
        async with pace.turn():
            inside.append(inside[-1] + 1)
            await asyncio.sleep(BATCH_S)
            inside.append(inside[-1] - 1)


async def test_while_messages_go_out_batches_come_one_by_one_with_rests_between() -> None:
    pace, inside = UploadPace(lambda: True, 0.25), [0]
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(batches(pace, 2, inside) for _ in range(2)))
    assert max(inside) == 1
    assert loop.time() - began >= 4 * BATCH_S + 3 * 3 * BATCH_S


@pytest.mark.parametrize(("is_sending", "share"), [(False, 0.25), (True, 1.0)])
async def test_otherwise_all_of_them_go_on_at_once(is_sending: bool, share: float) -> None:
    pace, inside = UploadPace(lambda: is_sending, share), [0]
    await asyncio.gather(*(batches(pace, 2, inside) for _ in range(3)))
    assert max(inside) == 3


async def test_a_batch_that_fails_does_not_keep_the_others_waiting() -> None:
    pace = UploadPace(lambda: True, 0.5)
    with pytest.raises(ValueError, match="no"):
        async with pace.turn():
            raise ValueError("no")
    async with asyncio.timeout(5), pace.turn() as whole:
        assert whole
