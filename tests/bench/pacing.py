"""Pacing, measured in a simulated room, without servers; draws docs/pacing.svg.

Each row is one kind of day in the simulated room (`bench.room`), over a few seeds: the mean seat
occupancy, the mean share of people abandoned and the worst run's, beside one call per free seat
(progressive) and a fixed number of calls per free seat, the best of a few chosen in hindsight.
The first table is of full days, the others are of shorter ones.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.plot import Series, draw
from bench.room import HOUR, Day, Event, Outcome, Pacer, Room
from bench.rows import SHORT, Findings, Row, measured, say
from dialler.pacing import PredictivePacer, ProgressivePacer

HOURS, SHORT_HOURS = (0.5, 0.25) if SHORT else (8.0, 4.0)
LIMIT = 0.03
MOST_LOST = 100 * LIMIT
METHOD = f"""\
The pacer alone in a simulated room (`bench/room.py`): {HOURS:g} h, 30 % of dials are answered by a
person, the limit on abandoned calls is 3 %; seats, ringing, talk and wrap-up as
`deploy/simulators/telephony` has them, cold starts counted. The fixed ratio is the best of a few,
chosen in hindsight. Means over one to three days.
"""
SEEDS = range(1, 3)
SIZES = {10: range(1, 4), 30: range(1, 3), 100: range(1, 2)}
RATIOS = {10: (1.5, 1.75, 2.0), 30: (2.5, 3.0), 100: (4.0, 5.0)}
PLOT = Path(__file__).parents[2] / "docs" / "pacing.svg"

type Make = Callable[[float], Pacer]


class FixedRatioPacer:
    """So many calls in flight per free seat, whatever happens."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def on_event(self, event: Event) -> None:
        """Learn nothing."""

    def calls_to_place(self, _now: float, room: Any) -> int:
        flying = len(room.dialling) + len(room.amd) + len(room.waiting)
        wanted: int = math.floor(self._ratio * room.idle + 0.5)
        return max(wanted - flying, 0)


def runs(day: Day, make: Make, seeds: Sequence[int] = SEEDS) -> list[Outcome]:
    return [Room(day, make(day.target), seed).run() for seed in seeds]


def row(name: str, outcomes: Sequence[Outcome]) -> tuple[float, float]:
    busy = 100 * statistics.fmean(outcome.occupancy for outcome in outcomes)
    lost = 100 * statistics.fmean(outcome.abandonment for outcome in outcomes)
    worst = 100 * max(outcome.abandonment for outcome in outcomes)
    cost = statistics.fmean(outcome.decision_us for outcome in outcomes)
    say(f"{name:<38}{busy:>7.1f} %{lost:>9.2f} %{worst:>9.2f} %{cost:>8.0f} µs")
    return busy, lost


def head(title: str) -> None:
    say(f"\n{title:<38}{'occupancy':>9}{'abandoned':>11}{'worst run':>11}{'decision':>11}")


def fixed_ratio(day: Day) -> tuple[float, list[Outcome]]:
    """The best of a few ratios that kept the limit on average, known only afterwards."""
    best: tuple[float, list[Outcome]] | None = None
    for ratio in RATIOS[day.seats]:
        outcomes = runs(day, lambda _, ratio=ratio: FixedRatioPacer(ratio))  # type: ignore[misc]
        kept = statistics.fmean(outcome.abandonment for outcome in outcomes) <= day.target
        if best is None or kept:
            best = ratio, outcomes
    if best is None:
        raise RuntimeError("there are ratios for every size")
    return best


def days(plain: Day) -> dict[str, Day]:
    """The same room on other days."""
    noon = plain.hours * HOUR / 2

    def surge(at: float) -> float:
        return 2.0 if at % HOUR > HOUR - 300 else 1.0

    return {
        "answers step up 40 %": replace(plain, factor=lambda at: 1.4 if at > noon else 1.0),
        "answers step down 40 %": replace(plain, factor=lambda at: 0.6 if at > noon else 1.0),
        "answers drift ±40 %": replace(
            plain, factor=lambda at: 1 + 0.4 * math.sin(math.pi * at / noon)
        ),
        "answers double for 5 min an hour": replace(plain, factor=surge),
        "a third on break each hour": replace(plain, breaks=True),
        "talk 120 s, then 60 s": replace(plain, talk_s=lambda at: 60.0 if at > noon else 120.0),
        "talk 120 s, then 240 s": replace(plain, talk_s=lambda at: 240.0 if at > noon else 120.0),
        "constant talk": replace(plain, constant_talk=True),
        "no detection": replace(plain, amd_on=False),
        "no wrap-up": replace(plain, wrap_s=0.0),
        "memoryless": replace(plain, memoryless=True),
    }


def by_size() -> tuple[Row, ...]:
    busy: dict[str, list[float]] = {"predictive": [], "fixed ratio": [], "progressive": []}
    lost: dict[str, list[float]] = {"predictive": [], "fixed ratio": []}
    head(f"30 % answer, limit 3 %, {HOURS:g} h")
    for seats, seeds in SIZES.items():
        day = Day(seats, hours=HOURS)
        occupancy, _ = row(f"{seats} seats, progressive", runs(day, ProgressivePacer, seeds))
        busy["progressive"].append(occupancy)
        ratio, outcomes = fixed_ratio(day)
        occupancy, abandoned = row(f"{seats} seats, {ratio:g} per free seat", outcomes)
        busy["fixed ratio"].append(occupancy)
        lost["fixed ratio"].append(abandoned)
        occupancy, abandoned = row(f"{seats} seats, predictive", runs(day, PredictivePacer, seeds))
        busy["predictive"].append(occupancy)
        lost["predictive"].append(abandoned)
    if not SHORT:
        draw(
            PLOT,
            [f"{seats} seats" for seats in SIZES],
            Series("Seats busy, %", busy, 60.0, 100.0),
            Series("People abandoned, % (limit 3)", lost, 0.0, 4.0),
        )
    return tuple(
        Row(
            what=f"{seats} seats: busy with predictive pacing",
            unit="%",
            ours=(busy["predictive"][place],),
            beside=beside,
            theirs=(busy[beside][place],),
            aim=f"more, with at most {MOST_LOST:g} % abandoned",
            reached=busy["predictive"][place] > busy[beside][place]
            and lost["predictive"][place] <= MOST_LOST,
            note=f"{lost['predictive'][place]:.2f} % abandoned",
        )
        for place, seats in enumerate(SIZES)
        for beside in ("fixed ratio", "progressive")
    )


async def measure() -> Findings:
    """Run all days; the further ones are only said."""
    rows = by_size()
    further_days()
    return Findings(title="Pacing", method=METHOD, rows=rows)


def further_days() -> None:
    head(f"other rates and limits, {SHORT_HOURS:g} h")
    for answers in (0.2, 0.5):
        row(
            f"10 seats, {answers:.0%} answer",
            runs(Day(10, answers, hours=SHORT_HOURS), PredictivePacer),
        )
    for target in (0.01, 0.005):
        day = Day(10, target=target, hours=SHORT_HOURS)
        row(f"10 seats, limit {100 * target:g} %", runs(day, PredictivePacer))
    row("5 seats", runs(Day(5, hours=SHORT_HOURS), PredictivePacer))
    head(f"10 seats, other days, {SHORT_HOURS:g} h")
    for name, day in days(Day(10, hours=SHORT_HOURS)).items():
        row(name, runs(day, PredictivePacer, SEEDS[:1]))


if __name__ == "__main__":
    measured("pacing", measure)
