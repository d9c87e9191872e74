"""Everything that the Grafana boards and the alerts ask a real Prometheus, during two campaigns."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from carillon.servers.prometheus import BadExpressionError, running_prometheus
from carillon.traffic.display import PlainLines
from carillon.watch.boards import Expression, empty_states
from carillon.watch.judging import Verdict, Watch
from carillon.watch.watch import watch
from prometheus_programs import debian_program
from stacks import CARILLON, Platform, plain_environment, platform

IN_A_HURRY = """
[[telephony]]
id = "sim"
type = "simulator"
seed = 5
time_scale = 10
answer = 0.5
"""
WITHIN_S = 120
"""Tests share two cores with others; mostly it takes 25 s."""

pytestmark = [pytest.mark.slow, pytest.mark.serial, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    debian_program("prometheus")
    with platform(tmp_path_factory.mktemp("watched"), telephony=IN_A_HURRY) as started:
        yield started


async def test_every_panel_and_every_alert_returns_data_during_campaigns_or_says_why_not(
    up: Platform,
) -> None:
    seen: list[int] = []
    watched = await watch(
        up.data,
        campaigns=True,
        within_s=WITHIN_S,
        display=PlainLines(Console()),
        shown=lambda watch: seen.append(len(watch.everything)),
    )
    assert [(one.expression.place, one.expression.text) for one in watched.unexplained] == []
    assert watched.needless == []
    assert len(watched.lines) > 60
    assert len(watched.alerts) > 10
    assert seen[-1] == len(watched.lines) + len(watched.alerts)
    firing = [
        one.expression.panel for one in watched.alerts.values() if one.verdict is Verdict.FIRING
    ]
    assert firing == []


async def test_an_expression_or_an_alert_about_nothing_is_found_out(
    up: Platform, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yml"
    wrong = [f"  - {{alert: {name}, expr: {name.lower()} > 1}}" for name in ("Carillon_None", "Up")]
    rules.write_text("\n".join(["groups:", "- name: wrong", "  rules:", *wrong, ""]))
    nothing = Expression("board", "panel", "", "rate(carillon_no_such_thing_total[15s])")
    fine = Expression("board", "panel", "other", "up")
    async with running_prometheus(up.file(), tmp_path / "seen", print, rules) as prometheus:
        watched = Watch.of(prometheus, [nothing, fine], empty_states())
        async with asyncio.timeout(60):
            while not any(one.values for one in watched.lines) or not watched.alerts:
                await watched.look()
        found = {one.expression.panel: one.verdict for one in watched.alerts.values()}
        assert found == {"Carillon_None": Verdict.NOTHING, "Up": Verdict.QUIET}
        assert {one.expression for one in watched.unexplained} >= {nothing}
        assert set(watched.needless) == set(empty_states())
        with pytest.raises(BadExpressionError, match="parse error"):
            await prometheus.values("sum by (link (x)")


async def carillon(up: Platform, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(CARILLON, "watch", "--data", str(up.data), *arguments),
        env=plain_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_watch_that_ends_too_soon_lists_what_returned_nothing(up: Platform) -> None:
    code, said = await carillon(up, "--no-campaigns", "--within", "1")
    assert code == 1, said
    assert "nothing: dispatch: Throttled: " in said
