"""`carillon simulate` on the command line."""

import asyncio
import contextlib
import re
import secrets
from typing import Annotated

import typer
from rich.console import Console

from carillon.command_line import Data
from carillon.stack_file import DEFAULT_FOLDER

MOST_CONTACTS = 2_000
SECONDS = {"s": 1, "m": 60, "h": 3600}

simulating = typer.Typer()


@simulating.command()
def simulate(  # noqa: PLR0913 - one parameter per option
    *,
    data: Data = DEFAULT_FOLDER,
    workspace: Annotated[str, typer.Option(help="Whose campaigns they are.")] = "demo",
    per_minute: Annotated[
        float,
        typer.Option("--campaigns-per-min", help="How many are begun.", min=0.1, max=60),
    ] = 6,
    contacts: Annotated[
        int, typer.Option(help="Made-up people in each campaign.", min=1, max=MOST_CONTACTS)
    ] = 100,
    voice_share: Annotated[
        float, typer.Option(help="How many of them are voice: 0 none, 1 all.", min=0, max=1)
    ] = 0.2,
    for_: Annotated[
        str | None, typer.Option("--for", help="Such as 30s, 5m, 2h. [default: until Ctrl-C]")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed: the same campaigns. [default: any]")
    ] = None,
) -> None:
    """Make traffic for a demo on a platform that runs: campaigns to made-up people.

    Only the bundled simulators ever get it: a platform with a carrier or
    phone network of its own is refused. Ctrl-C ends it; campaigns that
    were begun go on to their ends.

    Example: carillon simulate --campaigns-per-min 12 --voice-share 0.5 --for 5m
    """
    from carillon.traffic.simulate import Tally, Traffic
    from carillon.traffic.simulate import simulate as simulate_it

    for_s = None if for_ is None else _seconds(for_)
    seed = secrets.randbelow(10**6) if seed is None else seed
    traffic = Traffic(workspace, per_minute, contacts, voice_share, seed, for_s)
    out, tally = Console(highlight=False), Tally()
    with out.status(f"seed {seed}") as status, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(simulate_it(data, traffic, tally, lambda it: status.update(it.line())))
    out.print(f"{tally.line()} (seed {seed})", soft_wrap=True)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([1-9]\d{0,5})([smh])", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration: write 30s, 5m or 2h.")
    return float(found[1]) * SECONDS[found[2]]
