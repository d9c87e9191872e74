"""How a campaign run looks: live bars on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from carillon.traffic.campaign_run import Display, Standing, UploadReport, Wish, run_campaign

LINE_EVERY = 1.0
SHARES: tuple[tuple[str, str, Callable[[Standing], int]], ...] = (
    ("queued", "grey62", lambda it: it.queued),
    ("in flight", "cyan", lambda it: it.in_flight),
    ("delivered", "green", lambda it: it.delivered),
    ("failed", "red", lambda it: it.failed),
    ("skipped", "yellow", lambda it: it.skipped),
)


async def run_shown(data: Path, wish: Wish) -> Standing:
    """Run the campaign, shown on standard output, and return its last standing."""
    with display_on(Console(highlight=False)) as display:
        return await run_campaign(data, wish, display)


@contextmanager
def display_on(console: Console) -> Iterator[Display]:
    """The display that fits where the output goes."""
    if not console.is_terminal:
        yield PlainLines(console)
        return
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=40),
        TextColumn("{task.completed:>9,.0f} / {task.total:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield LiveBars(console, progress)


class PlainLines:
    """One line per news, at most one per second while the campaign runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Standing | None = None
        self._spoken_at = 0.0

    def say(self, line: str) -> None:
        """Show a line that stays."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def uploading(self, done: int, size: int) -> None:
        """Say nothing: the report follows."""

    def uploaded(self, report: UploadReport) -> None:
        """Show what became of the rows."""
        for line in report_lines(report):
            self.say(line)

    def standing(self, standing: Standing) -> None:
        """Show a change; the last line is the totals."""
        if standing.is_final:
            self.say(standing.totals())
            return
        now = time.monotonic()
        if standing != self._last and now - self._spoken_at >= LINE_EVERY:
            self._last, self._spoken_at = standing, now
            parts = ", ".join(f"{share(standing)} {name}" for name, _, share in SHARES)
            self.say(f"{standing.status}: {parts} of {standing.total}")


class LiveBars:
    """One bar for each share of the messages."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._upload: TaskID | None = None
        self._bars: dict[str, TaskID] = {}

    def say(self, line: str) -> None:
        """Show a line that stays above the bars."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def uploading(self, done: int, size: int) -> None:
        """Show how much of the file has been sent, in bytes."""
        if self._upload is None:
            self._upload = self._progress.add_task("upload", total=size)
        self._progress.update(self._upload, completed=done)

    def uploaded(self, report: UploadReport) -> None:
        """Show what became of the rows, in place of the upload's bar."""
        if self._upload is not None:
            self._progress.remove_task(self._upload)
        for line in report_lines(report):
            self.say(line)

    def standing(self, standing: Standing) -> None:
        """Move the bars; at the end the totals stay below them."""
        total = max(standing.total, 1)
        for name, colour, share in SHARES:
            if name not in self._bars:
                label = f"[{colour}]{name}[/]"
                self._bars[name] = self._progress.add_task(label, total=total)
            self._progress.update(self._bars[name], completed=share(standing), total=total)
        if standing.is_final:
            self.say(standing.totals())


def report_lines(report: UploadReport) -> Iterator[str]:
    """The upload report in words, the bad rows below it."""
    yield (
        f"uploaded: {report.accepted} accepted, {report.invalid} invalid, "
        f"{report.duplicate} duplicate, {report.suppressed} suppressed"
    )
    for line, reason in report.bad_rows:
        yield f"  line {line}: {reason}"
    if report.invalid > len(report.bad_rows):
        yield f"  and {report.invalid - len(report.bad_rows)} more invalid rows"
