"""Processes are kept alive, ended in order, and never outlive their launcher."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from carillon.supervisor import NotPreparedError, NotReadyError, Program, Supervised

# Says that it is ready, then waits; {ignore} may make it deaf for SIGTERM.
PATIENT = """
import signal, sys, time, pathlib
{ignore}
pathlib.Path("ready").touch()
time.sleep(60)
"""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def program(folder: Path, script: str, *, patience: float = 5, within: float = 10) -> Program:
    async def ready() -> bool:
        return (folder / "ready").exists()

    return Program(
        name="child",
        command=(sys.executable, "-c", script),
        url="none",
        log=folder / "child.log",
        folder=folder,
        ready=ready,
        environment=dict(os.environ),
        patience=patience,
        start_within=within,
    )


@asynccontextmanager
async def kept(it: Program) -> AsyncIterator[tuple[Supervised, asyncio.Queue[str]]]:
    news: asyncio.Queue[str] = asyncio.Queue()
    supervised = Supervised(it, news.put_nowait)
    await supervised.start()
    try:
        yield supervised, news
    finally:
        await supervised.stop()


async def heard(news: asyncio.Queue[str], start: str) -> str:
    while not (line := await news.get()).startswith(start):
        pass
    return line


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    async with kept(program(tmp_path, PATIENT.format(ignore=""))) as (child, news):
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert "SIGKILL" in await heard(news, "was ended")
        await heard(news, "started again")
        await heard(news, "ready again")
        assert child.pid not in (None, first)


async def test_the_pause_before_a_new_start_grows(tmp_path: Path) -> None:
    (tmp_path / "ready").touch()
    async with kept(program(tmp_path, "raise SystemExit(3)")) as (_, news):
        pauses = [(await heard(news, "ended with exit code 3")).split()[-2] for _ in range(3)]
    assert pauses == ["0.2", "0.4", "0.8"]


async def test_a_process_that_dies_while_it_is_being_prepared_is_started_again(
    tmp_path: Path,
) -> None:
    prepared: list[int | None] = []

    async def prepare() -> None:
        prepared.append(child.pid if prepared else None)
        if len(prepared) == 2:
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            raise NotPreparedError("it went away")

    fragile = replace(program(tmp_path, PATIENT.format(ignore="")), prepare=prepare)
    async with kept(fragile) as (child, news):
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await heard(news, "was ended by SIGKILL")
        await heard(news, "was ended by SIGKILL")
        await heard(news, "ready again")
        assert prepared[-1] == child.pid
        assert len(set(prepared)) == 3


async def test_an_ended_process_is_not_started_again(tmp_path: Path) -> None:
    async with kept(program(tmp_path, PATIENT.format(ignore=""))) as (child, news):
        pid = child.pid
        assert pid is not None
    assert not runs(pid)
    assert child.pid is None
    assert news.empty()


async def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = program(tmp_path, PATIENT.format(ignore=DEAF), patience=0.3)
    async with kept(deaf) as (child, news):
        pid = child.pid
        assert pid is not None
    assert not runs(pid)
    assert "was killed" in news.get_nowait()


async def test_a_process_that_cannot_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Supervised(program(tmp_path, "raise ValueError('no such link')"), lambda _: None)
    with pytest.raises(NotReadyError, match=r"ended before it was ready(?s:.*)no such link"):
        await child.start()
    await child.stop()


async def test_a_process_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    slow = Supervised(program(tmp_path, "import time; time.sleep(60)", within=0.5), lambda _: None)
    with pytest.raises(NotReadyError, match="was not ready in time"):
        await slow.start()
    await slow.stop()
    assert slow.pid is None


LAUNCHER = """
import asyncio, os, sys
from pathlib import Path
from carillon.supervisor import Program, Supervised

async def ready():
    return True

async def main():
    folder = Path(sys.argv[1])
    child = Supervised(Program(
        name="child", command=(sys.executable, "-c", "import time; time.sleep(60)"), url="none",
        log=folder / "log", folder=folder, ready=ready, environment=dict(os.environ)), print)
    await child.start()
    (folder / "pid.part").write_text(str(child.pid))
    (folder / "pid.part").rename(folder / "pid")
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a killed parent")
async def test_children_do_not_outlive_a_killed_launcher(tmp_path: Path) -> None:
    launcher = await asyncio.create_subprocess_exec(sys.executable, "-c", LAUNCHER, str(tmp_path))
    await until((tmp_path / "pid").exists)
    child = int((tmp_path / "pid").read_text())
    assert runs(child)
    launcher.kill()
    await launcher.wait()
    await until(lambda: not runs(child))


async def test_after_a_thousand_deaths_in_a_row_it_is_still_started_again(tmp_path: Path) -> None:
    async with kept(program(tmp_path, PATIENT.format(ignore=""))) as (supervised, news):
        supervised._deaths = 5_000
        assert supervised.pid is not None
        os.kill(supervised.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            assert "starting it again in 10.0 s" in await heard(news, "was ended")
