"""The page about what was measured: docs/benchmarks.md, with its plots, from the findings."""

import os
import platform
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import matplotlib as mpl
import psutil
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from rich.table import Table

from bench.rows import FINDINGS, Findings, Plot, Row
from carillon.servers.binaries import MONGO, NATS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"
PLOTS = DOCS / "benchmarks"
PACKAGES = ("nats-py", "pymongo", "uvloop", "fastapi", "uvicorn", "faststream", "eventsourcing")
INK, GRID = "#334155", "#e2e8f0"
DECADES = 20
"""From so many times the smallest value on the vertical axis is logarithmic too."""
ROOM = 1.5
"""Space for the legend above the lines."""
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed")
HEAD = """# Benchmarks

Written by `make bench`; where the time goes and what the next limits are is on
[a page of its own](performance.md). Everything runs on one machine over loopback: the servers, the
simulated carrier, the peers and whoever measures share its processors. Figures are medians of the
runs, peers were measured in the same run, and ratios are ours over theirs.
"""


def findings(names: Sequence[str]) -> Iterator[tuple[str, Findings]]:
    """Give what each measure found, in this order; without those that found nothing."""
    for name in names:
        path = FINDINGS / f"{name}.json"
        if path.exists():
            yield name, Findings.model_validate_json(path.read_bytes())


def table(names: Sequence[str]) -> Table:
    """Return all rows as a table for the terminal."""
    shown = Table("what", "Carillon", "beside", "ratio", "aim", "reached")
    for _, found in findings(names):
        for row in found.rows:
            shown.add_row(*_cells(row))
        shown.add_section()
    return shown


def write(names: Sequence[str], failed: Sequence[str]) -> None:
    """Write the page and its plots."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    found = list(findings(names))
    parts = [
        HEAD,
        _machine(),
        "## All in one table\n",
        _markdown([r for _, f in found for r in f.rows]),
    ]
    parts += [f"**{name} failed in the last run, its figures are missing.**\n" for name in failed]
    for name, one in found:
        parts.append(f"## {one.title}\n\n{one.method}\n\n_{one.seconds:,.0f} s of measuring._\n")
        parts.append(_markdown(one.rows))
        parts += [f"- {row.what}: {row.note}\n" for row in one.rows if row.note]
        for number, plot in enumerate(one.plots, start=1):
            file = PLOTS / f"{name}-{number}.svg"
            draw(plot, file)
            parts.append(f"\n![{plot.title}]({file.relative_to(DOCS)})\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def draw(plot: Plot, file: Path) -> None:
    """Draw lines with their points as SVG; the same lines give the same file."""
    mpl.rcParams.update({"svg.hashsalt": "carillon", "font.family": "sans-serif"})
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    for line, colour in zip(plot.lines, COLOURS, strict=False):
        axes.plot(line.x, line.y, marker="o", color=colour, label=line.name)
    values = [value for line in plot.lines for value in line.y]
    if plot.logarithmic:
        axes.set_xscale("log")
    if plot.logarithmic and max(values) > DECADES * min(values):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, ROOM * max(values))
    plain = FuncFormatter(lambda value, _: f"{value:,.10g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.set_title(plot.title, color=INK, loc="left", fontsize=11)
    axes.set_xlabel(plot.x, color=INK)
    axes.set_ylabel(plot.y, color=INK)
    axes.grid(color=GRID)
    axes.legend(frameon=False)
    figure.savefig(file, format="svg", metadata={"Date": None})


def _markdown(rows: Sequence[Row]) -> str:
    lines = ["| what | Carillon | beside | ratio | aim | reached |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join([*lines, ""])


def _cells(row: Row) -> tuple[str, ...]:
    ours = f"{_number(statistics.median(row.ours))} {row.unit}{_spread(row.ours)}"
    theirs = f"{row.beside} {_number(statistics.median(row.theirs))}" if row.theirs else row.beside
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    reached = {True: "yes", False: "no", None: ""}[row.reached]
    return row.what, ours, theirs, ratio, row.aim, reached


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return ""
    return f" ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    """Three figures that matter, and no decimals behind larger numbers."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine() -> str:
    facts = {
        "when": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} processors",
        "memory": f"{psutil.virtual_memory().total / 1024**3:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "servers": f"{_said(str(NATS.runnable()))}, {_said(str(MONGO.runnable()))}",
        "packages": ", ".join(filter(None, map(_package, PACKAGES))),
        "durability": "NATS fsyncs every write before it answers (`sync_interval: always`), "
        "MongoDB answers writes once they are in its journal on a majority (of one)",
    }
    lines = ["| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items()), ""]
    return "\n".join(lines)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def _said(program: str) -> str:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[0].strip()
