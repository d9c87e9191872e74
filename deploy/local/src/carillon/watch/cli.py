"""`carillon watch` on the command line."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from carillon.command_line import Data
from carillon.stack_file import DEFAULT_FOLDER

watching = typer.Typer()


@watching.command()
def watch(
    *,
    data: Data = DEFAULT_FOLDER,
    campaigns: Annotated[
        bool,
        typer.Option(help="Send demo campaigns, of 2,000 SMS and 300 calls, all simulated."),
    ] = True,
    within: Annotated[float, typer.Option(help="Seconds until it gives up.", min=1)] = 180,
) -> None:
    """Show what every panel and alert of the Grafana boards asks, with its values, live.

    Starts Prometheus beside the platform that runs on the data folder, or
    beside one of its own in a temporary folder when none runs, sends demo
    campaigns, and evaluates every expression every two seconds. Ends as
    soon as each has returned data, or is documented as empty with a reason
    (grafana/empty_states.toml). The columns: how many series, the highest
    of them now, and the highest that was seen.

    Exit code 0: so it is. 1: some returned nothing and nobody said why;
    they are listed at the end. A firing alert is shown, and no failure.

    Needs the program prometheus: `make prometheus`, or Debian's package.
    """
    from carillon.traffic.display import PlainLines
    from carillon.watch.showing import WIDE, show_all, showing
    from carillon.watch.watch import watch as watch_it

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    with showing(console) as shown:
        seen = asyncio.run(
            watch_it(
                data,
                campaigns=campaigns,
                within_s=within,
                display=PlainLines(console),
                shown=shown,
            )
        )
    show_all(seen, console)
    if not seen.is_complete:
        raise typer.Exit(1)
