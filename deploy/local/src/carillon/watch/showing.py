"""How a watch looks: a board at a time on a terminal, all of them at the end."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from carillon.watch.judging import Verdict, Watch, Watched

BOARD_FOR_S = 4.0
LINE_EVERY_S = 5.0
WIDE = 160  # columns where no terminal says how many there are
COLOURS = {
    Verdict.DATA: "green",
    Verdict.QUIET: "green",
    Verdict.EMPTY: "grey62",
    Verdict.FIRING: "yellow",
    Verdict.NOTHING: "red",
}
WORDS = {
    "short": "",
    "bytes": "B",
    "decbytes": "B",
    "ops": "/s",
    "reqps": "requests/s",
    "eps": "events/s",
}
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@contextmanager
def showing(console: Console) -> Iterator[Callable[[Watch], None]]:
    """Show how the watch goes: live on a terminal, a line now and then anywhere else."""
    if not console.is_terminal:
        yield _Lines(console).show
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield _Pages(live).show


@dataclass(slots=True)
class _Clock:
    """Begins when it is looked at."""

    _began: float | None = None

    def passed_s(self) -> float:
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        return now - self._began


@dataclass(slots=True)
class _Lines:
    """A line every few seconds."""

    console: Console
    _clock: _Clock = field(default_factory=_Clock)
    _due_s: float = 0.0

    def show(self, watch: Watch) -> None:
        passed = self._clock.passed_s()
        if passed >= self._due_s:
            self._due_s = passed + LINE_EVERY_S
            self.console.print(f"{passed:3.0f} s, {_counts(watch)}")


@dataclass(slots=True)
class _Pages:
    """One board after the other, each for a few seconds."""

    live: Live
    _clock: _Clock = field(default_factory=_Clock)

    def show(self, watch: Watch) -> None:
        passed = self._clock.passed_s()
        boards = list(_by_board(watch).items())
        page = table(*boards[int(passed / BOARD_FOR_S) % len(boards)])
        self.live.update(Group(f"{passed:3.0f} s, {_counts(watch)}", page), refresh=True)


def show_all(watch: Watch, console: Console) -> None:
    """Show every expression with its values, why some have none, and how many are how."""
    for name, lines in _by_board(watch).items():
        console.print(table(name, lines))
    for one in watch.everything:
        if one.verdict is Verdict.EMPTY and one.reason is not None:
            console.print(f"empty: {_name(one)}: {one.reason.why}", markup=False, soft_wrap=True)
    console.print(_counts(watch))
    for one in watch.unexplained:
        console.print(
            f"nothing: {_name(one)}: {one.expression.text}",
            style="red",
            markup=False,
            soft_wrap=True,
        )


def table(board: str, lines: Sequence[Watched]) -> Table:
    """One board: a row for each line of a panel."""
    made = Table(title=board, title_justify="left", box=None, pad_edge=False)
    for title in ("panel", "line"):
        made.add_column(title, no_wrap=True)
    for title in ("series", "now", "highest"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("state", no_wrap=True)
    for one in lines:
        unit = one.expression.unit
        made.add_row(
            *(one.expression.panel, one.expression.legend),
            str(len(one.values)) if one.values else "",
            spelled(max(one.values), unit) if one.values else "",
            spelled(one.highest, unit) if one.highest is not None else "",
            Text(one.verdict, style=COLOURS[one.verdict]),
        )
    return made


def spelled(value: float, unit: str) -> str:
    """A number with its unit, as Grafana would show it."""
    if math.isinf(value):
        return "∞"
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit == "bool_on_off":
        return "up" if value else "down"
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"
    word = WORDS.get(unit, unit)
    for factor, prefix in PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.3g} {prefix}{word}"
    return f"{value:.3g} {word}".rstrip()


def _by_board(watch: Watch) -> dict[str, list[Watched]]:
    boards: dict[str, list[Watched]] = {}
    for one in watch.everything:
        boards.setdefault(one.expression.board, []).append(one)
    return boards


def _counts(watch: Watch) -> str:
    verdicts = Counter(one.verdict for one in watch.everything)
    told = ", ".join(f"{verdicts[it]} {it}" for it in Verdict if verdicts[it])
    return f"{verdicts.total()} expressions: {told}"


def _name(one: Watched) -> str:
    return ": ".join(
        filter(None, (one.expression.board, one.expression.panel, one.expression.legend))
    )
