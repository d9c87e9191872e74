import asyncio
import time

import pytest

from smsc.agenda import Agenda

GRAIN_MS = 50


class Diary:
    """Notes when each lot came, and what was in it."""

    def __init__(self) -> None:
        self.lots: list[tuple[float, list[float]]] = []
        self._noted = asyncio.Event()

    def note(self, lot: list[float]) -> None:
        self.lots.append((time.monotonic(), lot))
        self._noted.set()

    async def holds(self, count: int) -> None:
        async with asyncio.timeout(5):
            while sum(len(lot) for _, lot in self.lots) < count:
                self._noted.clear()
                await self._noted.wait()


@pytest.mark.parametrize("grain_ms", [1, GRAIN_MS])
async def test_nothing_is_handed_over_before_its_time(grain_ms: int) -> None:
    diary = Diary()
    agenda = Agenda(asyncio.get_running_loop(), diary.note, grain_ms)
    for after in (0.031, 0.0004, 0.0112, 0.02, 0.0119, 0.0):
        due = time.monotonic() + after
        agenda.put(due, due)
        await asyncio.sleep(0.0007)
    await diary.holds(6)
    assert all(at >= due for at, lot in diary.lots for due in lot)
    assert not len(agenda)


async def test_what_falls_into_one_moment_comes_together_and_moments_come_in_order() -> None:
    diary = Diary()
    agenda = Agenda(asyncio.get_running_loop(), diary.note, GRAIN_MS)
    next_moment = (time.monotonic() * 1000 // GRAIN_MS + 1) * GRAIN_MS / 1000
    for after in (0.11, 0.01, 0.06, 0.011, 0.061):
        agenda.put(next_moment + after, after)
    await diary.holds(5)
    lots = [lot for _, lot in diary.lots]
    assert [after for lot in lots for after in lot] == [0.01, 0.011, 0.06, 0.061, 0.11]
    assert all((0.01 in lot) == (0.011 in lot) and (0.06 in lot) == (0.061 in lot) for lot in lots)


async def test_an_agenda_that_was_held_up_catches_up_at_once_and_goes_on() -> None:
    diary = Diary()
    agenda = Agenda(asyncio.get_running_loop(), diary.note)
    now = time.monotonic()
    for after in (0.001, 0.002, 0.1):
        agenda.put(now + after, after)
    time.sleep(0.01)  # noqa: ASYNC251 - its timer is behind
    agenda.catch_up()
    assert [lot for _, lot in diary.lots] == [[0.001, 0.002]]
    await diary.holds(3)
    agenda.put(time.monotonic() + 0.01, 0.01)
    agenda.close()
    await asyncio.sleep(0.02)
    assert [lot for _, lot in diary.lots] == [[0.001, 0.002], [0.1]]
