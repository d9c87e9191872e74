"""What commands have in common: options that several take, and how they answer."""

import json
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

WIDE = 200  # columns where no terminal says how many there are

Data = Annotated[Path, typer.Option("--data", help="The folder of the platform.", file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for jq and scripts.")]


def console(*, soft_wrap: bool = False) -> Console:
    """Return standard output: as wide as the terminal, or as any line where there is none."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, highlight=False, soft_wrap=soft_wrap)


def logs_go_to_stderr() -> None:
    """Keep what libraries log out of standard output, which holds the answer only."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def print_json(found: object) -> None:
    """Print an answer as it came."""
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
