"""What a measure found: rows of the table and lines of the plots, as every measure hands them over.

A measure is a module of this package that ends with `rows.measured(name, measure)`. It runs alone
(`python -m bench.NAME`), or as one of all (`python -m bench`); either way in a process of its own.
"""

import asyncio
import os
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import orjson
from pydantic import BaseModel

SHORT = os.environ.get("BENCH_SHORT") == "1"
"""Whether a measure shall only show that it works: small sizes, one run, worthless figures."""
FINDINGS = Path(os.environ.get("BENCH_FINDINGS", ".bench"))
"""The folder that findings are written to, one `NAME.json` per measure."""


class Row(BaseModel, frozen=True):
    """One line of the table: what was measured of Carillon, and what beside it in the same run."""

    what: str
    unit: str
    ours: tuple[float, ...]
    """One figure per run; the table shows their median."""
    beside: str = ""
    """What it is compared with; empty where there is nothing to compare it with."""
    theirs: tuple[float, ...] = ()
    aim: str = ""
    """What is to be reached, in words."""
    reached: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over theirs, medians of all runs."""
        if not self.theirs:
            return None
        return statistics.median(self.ours) / statistics.median(self.theirs)


class Line(BaseModel, frozen=True):
    """One line of a plot."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class Plot(BaseModel, frozen=True):
    """A plot of the page; `logarithmic` scales by powers of ten."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    logarithmic: bool = True


class Findings(BaseModel, frozen=True):
    """All that one measure found, and how it looked for it."""

    title: str
    method: str
    """What ran, with which settings (durability, windows, sizes), in whole sentences."""
    rows: tuple[Row, ...]
    plots: tuple[Plot, ...] = ()
    seconds: float = 0.0


def say(line: str) -> None:
    """Tell whoever watches how far it is."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie, to a thousandth."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def measured(name: str, measure: Callable[[], Awaitable[Findings]]) -> None:
    """Run a measure, write its findings to `FINDINGS/NAME.json` and say them."""
    findings = asyncio.run(_timed(measure))
    FINDINGS.mkdir(parents=True, exist_ok=True)
    (FINDINGS / f"{name}.json").write_bytes(
        orjson.dumps(findings.model_dump(), option=orjson.OPT_INDENT_2)
    )
    for row in findings.rows:
        ratio = "" if row.ratio is None else f", {row.ratio:.2f} times {row.beside}"
        ours = f"{statistics.median(row.ours):,.1f} {row.unit}{ratio}"
        say(f"{row.what}: {ours}  aim {row.aim}: {row.reached}")


async def _timed(measure: Callable[[], Awaitable[Findings]]) -> Findings:
    loop = asyncio.get_running_loop()
    began = loop.time()
    findings = await measure()
    return findings.model_copy(update={"seconds": loop.time() - began})
