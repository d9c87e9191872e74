"""`carillon erase`."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from carillon.command_line import Data
from carillon.stack_file import DEFAULT_FOLDER

erasures = typer.Typer()


@erasures.command()
def erase(
    *,
    phone: Annotated[str, typer.Option(help="Whose data: +49…, or with --region as dialled.")],
    data: Data = DEFAULT_FOLDER,
    workspace: Annotated[
        str | None, typer.Option(help="Only in this workspace; else in all of them.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="For a number without country code, for example DE.")
    ] = None,
) -> None:
    """Erase one person's data: contacts, messages, calls, reports, opted-out phones, answers.

    Campaigns under way do not reach them any more. Numbers and statuses stay, so all counts still
    add up, and who opted out stays opted out. Backups made before still hold the person: erase
    again after restoring one. Exit code 1 when something readable is left; it says where.
    """
    from carillon.ops.erase import erase as erase_person

    said = Console(highlight=False, soft_wrap=True)
    gone = asyncio.run(erase_person(data, phone, region=region, workspace=workspace))
    counts = ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in gone.erased.items())
    said.print(f"erased: {counts or 'nothing was there'}")
    for place, count in gone.left.items():
        said.print(f"still readable in {count} documents of {place}: somebody wrote it there")
    if gone.left:
        raise typer.Exit(1)
