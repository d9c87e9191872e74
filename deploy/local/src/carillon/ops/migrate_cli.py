"""`carillon migrate`: the databases of all services, brought to what this version needs."""

import asyncio

import typer

from carillon.command_line import Data
from carillon.stack_file import DEFAULT_FOLDER

migrations = typer.Typer()


@migrations.command()
def migrate(*, data: Data = DEFAULT_FOLDER) -> None:
    """Bring the databases to the schema that this version needs; doing it again changes nothing.

    `carillon up` does the same before it starts the services.
    """
    from carillon.ops.migrate import migrate_running

    asyncio.run(migrate_running(data, typer.echo))
