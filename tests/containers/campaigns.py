"""Campaigns from outside, over HTTP, and what the carrier saw of them."""

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from rich.console import Console

from carillon.traffic.campaign_run import Standing, UploadReport, Wish, run_campaign
from carillon.traffic.display import PlainLines
from containers.composition import Composition


@dataclass(slots=True)
class Killing:
    """Follows a campaign, and kills one process once when it is well under way."""

    console: Console
    composition: Composition
    service: str | None
    killed_at: int | None = None
    _lines: PlainLines = field(init=False)

    def __post_init__(self) -> None:
        self._lines = PlainLines(self.console)

    def say(self, line: str) -> None:
        """Show a line."""
        self._lines.say(line)

    def uploading(self, done: int, size: int) -> None:
        """Say nothing: the report follows."""

    def uploaded(self, report: UploadReport) -> None:
        """Show what became of the rows."""
        self._lines.uploaded(report)

    def standing(self, standing: Standing) -> None:
        """Show a change; kill when a tenth is delivered."""
        self._lines.standing(standing)
        if self.service is None or self.killed_at is not None or standing.is_final:
            return
        if standing.delivered * 10 >= standing.total > 0:
            self.killed_at = standing.delivered
            # The process itself, as a fault would: what the engine is told to end, it leaves ended.
            pid = int(self.composition.inspect(self.service)["State"]["Pid"])
            os.kill(pid, signal.SIGKILL)
            self.say(f"killed {self.service} (process {pid}) with {standing.delivered} delivered")


async def sent(data: Path, file: Path, name: str, display: Killing) -> tuple[Standing, float]:
    """Send a campaign to the numbers of a file; how it ended, and after how long."""
    wish = Wish(file=file, text="Hello {{name}}, from a container", name=name, approve=True)
    began = time.monotonic()
    return await run_campaign(data, wish, display), time.monotonic() - began


def mistakes(standing: Standing, numbers: list[str], accepted: Counter[str]) -> list[str]:
    """Everything in which the campaign's end differs from what was uploaded and what was sent."""
    wrong = []
    if standing.status != "done":
        wrong.append(f"the campaign is {standing.status}")
    if standing.total != len(numbers):
        wrong.append(f"{standing.total} messages for {len(numbers)} numbers")
    if standing.delivered + standing.failed != standing.total:
        wrong.append(f"delivered {standing.delivered} + failed {standing.failed} is not all")
    wrong += [
        f"{number} got {accepted[number]} messages" for number in numbers if accepted[number] > 1
    ]
    reached = sum(1 for number in numbers if accepted[number])
    if reached < standing.delivered:
        wrong.append(f"{standing.delivered} delivered, but the carrier accepted {reached}")
    return wrong


def accepted(book: Path) -> Counter[str]:
    """How many messages the carrier took for each number, by its own ledger."""
    lines = (orjson.loads(line) for line in book.read_bytes().splitlines())
    return Counter(f"+{line['destination']}" for line in lines if line["event"] == "accepted")
