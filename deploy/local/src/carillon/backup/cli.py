"""`carillon backup` and `carillon restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal

from carillon.command_line import Data
from carillon.stack_file import DEFAULT_FOLDER

backups = typer.Typer()


@backups.command()
def backup(
    folder: Annotated[
        Path, typer.Argument(help="An empty folder, or none yet.", metavar="DIR", file_okay=False)
    ],
    *,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Write everything that the platform knows into a folder; it goes on running meanwhile.

    The log with its positions, MongoDB, and the keys of this data folder: keep it as safe as the
    platform itself, for it holds phones and keys. Links and telephony files are yours to keep.
    """
    from carillon.backup.taking import back_up

    said = Console(stderr=True, highlight=False)
    manifest = asyncio.run(back_up(data, folder, said))
    entries = ", ".join(
        f"{one.state['messages']:,} in {one.name}"
        for one in manifest.streams
        if one.name != "LEASES"
    )
    documents = sum(one.documents for one in manifest.collections)
    said.print(
        f"{folder}: {decimal(manifest.bytes)}, {documents:,} documents, entries: {entries}",
        soft_wrap=True,
    )


@backups.command()
def restore(
    folder: Annotated[
        Path, typer.Argument(help="What `carillon backup` wrote.", metavar="DIR", file_okay=False)
    ],
    *,
    data: Annotated[
        Path, typer.Option("--data", help="An empty folder, or none yet.", file_okay=False)
    ] = DEFAULT_FOLDER,
) -> None:
    """Put a backup into an empty data folder; afterwards start the platform there.

    The backup is checked before anything is touched. What happened after it is not known any more:
    campaigns that were under way go on where they were then.
    """
    from carillon.backup.restoring import restore as put_back

    said = Console(stderr=True, highlight=False)
    going_on = asyncio.run(put_back(data, folder, said))
    said.print(f"restored into {data}; start it: carillon up --data {data}", soft_wrap=True)
    if going_on:
        said.print(
            f"{len(going_on)} campaigns were under way and go on when it starts; whoever they "
            "reached after the backup was made is reached once more:",
            soft_wrap=True,
        )
        for campaign in going_on:
            said.print(f"  {campaign}")
