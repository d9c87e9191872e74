"""Every measure, one after the other, and the page about them: `make bench`.

Each measure is a process of its own (`python -m bench.NAME`), so none inherits another's memory.
One that fails is named on the page; the others are on it all the same, and the exit code is 1.
"""

import os
import subprocess
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import page
from bench.rows import FINDINGS

MEASURES = (
    "sending",
    "uploads",
    "million",
    "appending",
    "rebuilding",
    "pages",
    "overview",
    "calls",
    "pacing",
    "growth",
)
LOGS = FINDINGS / "logs"


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Which measures: {', '.join(MEASURES)}.")
    ] = None,
) -> None:
    """Measure Carillon beside its peers, print the table, write docs/benchmarks.md.

    Some forty minutes for all of it; with names only these are measured anew, and the page keeps
    what was found of the others before.
    """
    console = Console(stderr=True)
    chosen = names or list(MEASURES)
    if unknown := set(chosen) - set(MEASURES):
        raise typer.BadParameter(f"no such measure: {', '.join(sorted(unknown))}")
    LOGS.mkdir(parents=True, exist_ok=True)
    failed = []
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(chosen))
        for name in chosen:
            progress.update(task, description=name)
            if not _measure(name, console):
                failed.append(name)
            progress.advance(task)
    page.write(MEASURES, failed)
    Console().print(page.table(MEASURES))
    console.print(f"{page.PAGE} and its plots are new")
    for name in failed:
        console.print(f"[red]{name} failed:[/red] see {LOGS / f'{name}.log'}")
    raise typer.Exit(1 if failed else 0)


def _measure(name: str, console: Console) -> bool:
    """Run one measure, showing and keeping what it says; False when it failed."""
    (FINDINGS / f"{name}.json").unlink(missing_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", f"bench.{name}"]
    environment = os.environ | {"BENCH_FINDINGS": str(FINDINGS.resolve())}
    with (
        (LOGS / f"{name}.log").open("w") as log,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            console.print(f"  {line.rstrip()}", highlight=False, markup=False)
    console.print(f"{name}: {time.monotonic() - began:.0f} s", highlight=False)
    return process.returncode == 0


if __name__ == "__main__":
    typer.run(main)
