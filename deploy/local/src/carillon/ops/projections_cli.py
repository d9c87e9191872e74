"""`carillon projections`: how views stand, growing them anew, and comparing them with the log."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from carillon.command_line import Data, Json, console, print_json
from carillon.stack_file import DEFAULT_FOLDER

projections = typer.Typer(
    help="Views of the log: how they stand, growing them anew, comparing them with the log.",
    no_args_is_help=True,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="As `carillon projections list` shows it.")
]
Generation = Annotated[int | None, typer.Option(help="Which generation.", min=1)]


@projections.command("list")
def list_(*, data: Data = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """Show every projection of every service."""
    from carillon.ops.projections import listed
    from carillon.ops.projections_showing import show_all

    found = asyncio.run(listed(data))
    if as_json:
        print_json(found)
    else:
        show_all(found, console())


@projections.command()
def rebuild(
    name: Name,
    *,
    data: Data = DEFAULT_FOLDER,
    switch: Annotated[
        bool, typer.Option("--switch/--no-switch", help="Have readers see it in the end.")
    ] = True,
) -> None:
    """Grow a new view beside the live one, which answers all the while, and switch to it.

    Ctrl-C ends only the watching; the same command watches again.
    """
    _carry_out(data, name, "rebuild", {"switch": switch})


@projections.command()
def switch(name: Name, *, data: Data = DEFAULT_FOLDER, generation: Generation = None) -> None:
    """Have readers see another generation, the newest by default, once it has caught up."""
    _carry_out(data, name, "switch", {"generation": generation})


@projections.command()
def rollback(name: Name, *, data: Data = DEFAULT_FOLDER) -> None:
    """Have readers see the generation from before the last switch, once it has caught up."""
    _carry_out(data, name, "rollback", {})


@projections.command()
def drop(name: Name, *, data: Data = DEFAULT_FOLDER, generation: Generation = None) -> None:
    """Remove a generation that is not live; an unfinished one is given up."""
    from carillon.ops.projections import dropped
    from carillon.ops.projections_showing import show_standing

    stands = asyncio.run(dropped(data, name, generation))
    console().print(f"dropped generation {stands['dropped']} of {stands['name']}")
    show_standing(stands, console())


@projections.command()
def verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One only.")] = None,
    *,
    data: Data = DEFAULT_FOLDER,
    as_json: Json = False,
) -> None:
    """Fold the whole log afresh and compare it with what is stored; exit code 1 if they differ."""
    from carillon.ops.projections import verified
    from carillon.ops.projections_showing import print_checked, show_checked, watching

    async def run() -> bool:
        agree = True
        with watching(Console(stderr=True)) as watch:
            async for checked in verified(data, name, watch):
                agree &= not checked.differing
                if as_json:
                    print_checked(checked)
                else:
                    show_checked(checked, console())
        return agree

    if not asyncio.run(run()):
        raise typer.Exit(1)


def _carry_out(data: Path, name: str, wish: str, body: dict[str, object]) -> None:
    from carillon.ops.projections import carried_out
    from carillon.ops.projections_showing import show_standing, watching

    with watching(Console(stderr=True, highlight=False)) as watch:
        stands = asyncio.run(carried_out(data, name, wish, body, watch))
    show_standing(stands, console())
