"""`carillon parked`: events that a projection or a reaction could not digest."""

import asyncio
from typing import Annotated

import typer

from carillon.command_line import Data, Json, console, print_json
from carillon.stack_file import DEFAULT_FOLDER

parked = typer.Typer(
    help="Events that could not be digested; later ones of the same thing wait behind them.",
    no_args_is_help=True,
)

ParkedId = Annotated[str, typer.Argument(metavar="ID", help="As `carillon parked list` shows it.")]


@parked.command("list")
def list_(*, data: Data = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """Show what is parked, of all services and workspaces."""
    from carillon.ops.parked import listed
    from carillon.ops.parked_showing import show_all

    found = asyncio.run(listed(data))
    if as_json:
        print_json(found)
    else:
        show_all(found, console())


@parked.command()
def show(parked_id: ParkedId, *, data: Data = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """Show one of them, with its error and the way there."""
    from carillon.ops.parked import one
    from carillon.ops.parked_showing import show_one

    found = asyncio.run(one(data, parked_id))
    if as_json:
        print_json(found)
    else:
        show_one(found, console())


@parked.command()
def retry(
    parked_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Which one.")] = None,
    *,
    data: Data = DEFAULT_FOLDER,
    everything: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
) -> None:
    """Offer it again, then what waits behind it, in order; exit code 1 when any fails again."""
    from carillon.ops.parked import retried
    from carillon.ops.parked_showing import show_end

    if (parked_id is None) is not everything:
        raise typer.BadParameter("name an ID as `carillon parked list` shows it, or say --all")
    free = asyncio.run(retried(data, parked_id, lambda end: show_end(end, console())))
    if not free:
        raise typer.Exit(1)


@parked.command()
def drop(parked_id: ParkedId, *, data: Data = DEFAULT_FOLDER) -> None:
    """Pass over the event that failed, for good; what waits behind it is worked off."""
    from carillon.ops.parked import dropped
    from carillon.ops.parked_showing import show_end

    end = asyncio.run(dropped(data, parked_id))
    show_end(end, console())
    if end.failed:
        raise typer.Exit(1)
