"""`carillon simulate`: traffic on a platform that uses the simulators, and on no other."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

import forked
from carillon.traffic.demo import fictional_numbers
from stacks import CARILLON, PATIENCE_S, Link, Platform, ask, plain_environment, platform
from voice_campaigns import TELEPHONY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def simulate(data: Path, *options: str) -> tuple[int, str, str]:
    arguments = ("simulate", "--data", str(data), *options)
    return await forked.said(*arguments, environment=plain_environment())


async def campaigns(up: Platform) -> list[dict[str, Any]]:
    async with up.client("demo", "viewer") as viewer:
        return list((await ask(viewer, "GET", "/campaigns"))["items"])


def listen_to_interrupts() -> None:
    """What a shell starts in the background ignores them, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def interrupted(up: Platform) -> tuple[int, str]:
    """Let it begin a campaign, then press Ctrl-C."""
    before = len(await campaigns(up))
    process = await asyncio.create_subprocess_exec(
        *(CARILLON, "simulate", "--data", str(up.data), "--contacts", "5"),
        env=plain_environment(),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=listen_to_interrupts,
    )
    async with asyncio.timeout(PATIENCE_S):
        while len(await campaigns(up)) == before:
            await asyncio.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = await process.communicate()
    return await process.wait(), said.decode()


async def test_it_begins_campaigns_of_both_kinds_to_made_up_people(tmp_path: Path) -> None:
    rate = ("--campaigns-per-min", "60", "--contacts", "20", "--voice-share", "0.5")
    with platform(tmp_path, telephony=TELEPHONY) as up:
        code, said, complained = await simulate(up.data, *rate, "--for", "10s", "--seed", "7")
        assert (code, complained) == (0, "")
        assert "(seed 7)" in said
        assert {row["channel"] for row in await campaigns(up)} == {"sms", "voice"}
        reached = {f"+{line['destination']}" for line in up.accepted()}
        assert reached
        assert reached <= set(fictional_numbers())
        code, said = await interrupted(up)
        assert code == 0
        assert "campaigns begun" in said


async def test_a_platform_with_a_carrier_of_its_own_gets_nothing(tmp_path: Path) -> None:
    with platform(tmp_path, links=[Link("sim")]) as up:
        code, said, complained = await simulate(up.data, "--for", "5s")
        assert (code, said) == (1, "")
        assert "does not use the bundled simulators" in complained
        assert up.accepted() == []


async def test_without_a_platform_it_says_how_to_start_one(tmp_path: Path) -> None:
    code, said, complained = await simulate(tmp_path, "--for", "5s")
    assert (code, said) == (1, "")
    assert complained.startswith("carillon: No platform is running on")
    assert len(complained.splitlines()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        ("--for", "soon"),
        ("--for", "0s"),
        ("--voice-share", "1.5"),
        ("--contacts", "0"),
        ("--contacts", "2001"),
        ("--campaigns-per-min", "0"),
    ],
)
async def test_what_makes_no_sense_is_refused(tmp_path: Path, bad: tuple[str, str]) -> None:
    code, said, _ = await simulate(tmp_path, *bad)
    assert (code, said) == (2, "")
