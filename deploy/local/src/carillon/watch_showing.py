"""How a watch looks: a board at a time on a terminal, all of them at the end."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from carillon.watching import Verdict, Watch, Watched

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
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@contextmanager
def showing(console: Console) -> Iterator[Callable[[Watch], None]]:
    """Show how the watch goes: live on a terminal, a line now and then anywhere else."""
    began = time.monotonic()
    if not console.is_terminal:
        spoken = [began]

        def line(watch: Watch) -> None:
            if time.monotonic() - spoken[0] > LINE_EVERY_S:
                spoken[0] = time.monotonic()
                console.print(_summary(watch, time.monotonic() - began))

        yield line
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def draw(watch: Watch) -> None:
            passed = time.monotonic() - began
            boards = _by_board(watch)
            names = list(boards)
            name = names[int(passed / BOARD_FOR_S) % len(names)]
            live.update(Group(_summary(watch, passed), table(name, boards[name])), refresh=True)

        yield draw


def show_all(watch: Watch, console: Console) -> None:
    """Show every expression with its values, and why some have none."""
    for name, lines in _by_board(watch).items():
        console.print(table(name, lines))
    for one in watch.everything:
        if one.verdict is Verdict.EMPTY and one.reason is not None:
            console.print(f"empty: {_name(one)}: {one.reason.why}", markup=False, soft_wrap=True)
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
    word = {"bytes": "B", "decbytes": "B", "short": ""}.get(unit, unit)
    for factor, prefix in PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.3g} {prefix}{word}"
    return f"{value:.3g} {word}".rstrip()


def _by_board(watch: Watch) -> dict[str, list[Watched]]:
    boards: dict[str, list[Watched]] = {}
    for one in watch.everything:
        boards.setdefault(one.expression.board, []).append(one)
    return boards


def _summary(watch: Watch, passed_s: float) -> str:
    everything = watch.everything
    counts = {it: sum(one.verdict is it for one in everything) for it in Verdict}
    told = ", ".join(f"{count} {it}" for it, count in counts.items() if count)
    return f"{passed_s:3.0f} s, {len(everything)} expressions: {told}"


def _name(one: Watched) -> str:
    return ": ".join(
        filter(None, (one.expression.board, one.expression.panel, one.expression.legend))
    )
