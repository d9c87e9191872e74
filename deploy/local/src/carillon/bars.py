"""Bars that show how far a command is: on a terminal, and nothing anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

type Advance = Callable[[int], None]


@contextmanager
def bar(said: Console, what: str, total: int, unit: str = "entries") -> Iterator[Advance]:
    """Show a bar on a terminal, with rate and remaining time, and nothing anywhere else."""
    columns = (
        TextColumn(f"{what:<10}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.completed:>12,.0f} / {task.total:,.0f} " + unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=said, transient=True, disable=not said.is_terminal) as progress:
        task = progress.add_task(what, total=total, rate="")

        def advance(count: int) -> None:
            speed = progress.tasks[0].speed
            rate = "" if speed is None else f"{speed:,.0f}/s"
            progress.update(task, advance=count, rate=rate)

        yield advance
