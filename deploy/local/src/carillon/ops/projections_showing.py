"""How projections look on a terminal, and as plain lines anywhere else."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table

from carillon.ops.projections import Checked, Watch

LINE_EVERY_S = 2.0
LATE_S = 10.0


def print_checked(checked: Checked) -> None:
    """Print what was found in one projection as one line of JSON."""
    sys.stdout.write(json.dumps(asdict(checked)) + "\n")


def show_all(found: Mapping[str, Any], console: Console) -> None:
    """Show every projection in a table, and who did not answer."""
    table = Table(box=None, pad_edge=False)
    for title in ("projection", "position", "lag", "seconds", "parked", "state", "generations"):
        table.add_column(
            title, justify="right" if title in ("lag", "seconds", "parked") else "left"
        )
    for item in found["items"]:
        table.add_row(
            item["name"],
            item["position"],
            _number(item["lag"]),
            _number(item["lag_s"]),
            _number(item["parked"]),
            item["state"].replace("_", " "),
            _generations(item),
            style="yellow" if item["parked"] or (item["lag_s"] or 0) > LATE_S else None,
        )
    console.print(table)
    for name in sorted({name for item in found["items"] for name in item["skipped"] or ()}):
        without = [item["name"] for item in found["items"] if name in (item["skipped"] or ())]
        console.print(
            f"{name} is said by a newer version only; went without it: {', '.join(without)}. "
            "Update Carillon, then rebuild them.",
            markup=False,
            soft_wrap=True,
        )
    for service in found["unanswered"]:
        console.print(f"{service} does not answer: see logs/{service}.log in the data folder")


def show_standing(stands: Mapping[str, Any], console: Console) -> None:
    """Show in one line which generations there are now."""
    console.print(f"{stands['name']} at {stands['position']}: {_generations(stands)}")


def show_checked(checked: Checked, console: Console) -> None:
    """Show what was found in one projection: one line, and one for each field that differs."""
    if not checked.differing:
        console.print(f"{checked.name}: {checked.documents:,} documents as folded")
        return
    console.print(
        f"{checked.name}: {checked.differing:,} of {checked.documents:,} documents differ",
        style="red",
    )
    for one in checked.differences:
        console.print(
            f"  {one['collection']} {one['id']} {one['field']}: "
            f"stored {one['stored']}, folded {one['folded']}",
            markup=False,
            soft_wrap=True,
        )
    console.print(
        f"  To have it as folded: carillon projections rebuild {checked.name}", markup=False
    )


@contextmanager
def watching(console: Console) -> Iterator[Watch]:
    """Show how a build goes: a bar on a terminal, a line now and then anywhere else."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        watched = _Watched(console, progress)
        yield watched.watch


class _Watched:
    """Remembers what was shown last."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._bars: dict[str, TaskID] = {}
        self._spoken_at = float("-inf")

    def watch(self, stands: Mapping[str, Any]) -> None:
        job = stands["job"]
        told = job["progress"] or {"position": 0, "target": 0, "events_per_s": 0}
        line = _told(job, told)
        if self._console.is_terminal:
            if job["id"] not in self._bars:
                title = f"{job.get('kind', '')} {stands['name']}"
                self._bars[job["id"]] = self._progress.add_task(title, total=None, told="")
            done = job["state"] == "done"
            self._progress.update(
                self._bars[job["id"]],
                completed=told["target"] if done else told["position"],
                total=told["target"] or None,
                told=line,
            )
        elif job["state"] == "done" or time.monotonic() - self._spoken_at > LINE_EVERY_S:
            self._spoken_at = time.monotonic()
            self._console.print(f"{stands['name']}: {line}", markup=False, soft_wrap=True)


def _told(job: Mapping[str, Any], progress: Mapping[str, int]) -> str:
    state, trouble = job["state"], job.get("trouble")
    if job["progress"] is None and state == "growing":
        return trouble or "starting"
    at, target, rate = (progress[key] for key in ("position", "target", "events_per_s"))
    words = f"{state}, {at:,} of {target:,} events"
    if rate:
        words += f", {rate:,} events/s"
        if state == "growing" and target > at:
            words += f", {(target - at) / rate:,.0f} s left"
    return words if trouble is None else f"{words}; {trouble}"


def _generations(item: Mapping[str, Any]) -> str:
    if item["generations"] is None:
        return "unknown while MongoDB is away"
    return ", ".join(
        f"{one['generation']}"
        + (" live" if one["live"] else f" at {one['position']}")
        + (" (former)" if one["previous"] else "")
        for one in item["generations"]
    )


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
