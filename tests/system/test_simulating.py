"""`carillon simulate`: traffic on a platform that uses the simulators, and on no other."""

import asyncio
import signal
from pathlib import Path

import pytest

import forked
from carillon.demo import fictional_numbers
from stacks import CARILLON, Link, ask, plain_environment, platform
from voice_campaigns import TELEPHONY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def simulate(data: Path, *options: str) -> tuple[int, str, str]:
    arguments = ("simulate", "--data", str(data), *options)
    return await forked.said(*arguments, environment=plain_environment())


async def interrupted(data: Path) -> tuple[int, str]:
    """Let it make traffic until Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(CARILLON, "simulate", "--data", str(data), "--contacts", "5"),
        env=plain_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    await asyncio.sleep(5)
    process.send_signal(signal.SIGINT)
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    return await process.wait(), said.decode()


async def test_it_begins_campaigns_of_both_kinds_to_made_up_people(tmp_path: Path) -> None:
    rate = ("--campaigns-per-min", "60", "--contacts", "20", "--voice-share", "0.5")
    with platform(tmp_path, telephony=TELEPHONY) as up:
        code, said, complained = await simulate(up.data, *rate, "--for", "10s", "--seed", "7")
        assert (code, complained) == (0, "")
        assert "(seed 7)" in said
        async with up.client("demo", "viewer") as viewer:
            rows = (await ask(viewer, "GET", "/campaigns"))["items"]
        assert {row["channel"] for row in rows} == {"sms", "voice"}
        reached = {f"+{line['destination']}" for line in up.accepted()}
        assert reached
        assert reached <= set(fictional_numbers())
        code, said = await interrupted(up.data)
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
