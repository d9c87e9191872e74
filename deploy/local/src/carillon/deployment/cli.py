"""`carillon deployment`: what `deploy/compose.yml` runs besides the services."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from carillon.stack_file import DEFAULT_FOLDER

deployment = typer.Typer(
    help="Parts of a deployment in containers: secrets, preparing, a development issuer.",
    no_args_is_help=True,
)


@deployment.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="Made if missing.", file_okay=False)],
    mongo: Annotated[
        str, typer.Option(help="Where MongoDB is, if not beside: HOST:PORT, several by commas.")
    ] = "",
) -> None:
    """Make the passwords and keys of a deployment; what is there stays as it is."""
    from carillon.deployment.secrets import write_secrets

    for file in write_secrets(folder, mongo.split(",") if mongo else ()):
        typer.echo(file.relative_to(folder))


@deployment.command()
def prepare(
    *,
    edge: Annotated[
        Path | None, typer.Option(help="Where the edge's files go.", file_okay=False)
    ] = None,
    tools: Annotated[
        Path | None, typer.Option(help="Where stack.json goes.", file_okay=False)
    ] = None,
) -> None:
    """Make streams, users and the edge's files; migrate. Doing it again changes nothing."""
    from carillon.deployment.preparing import prepare_all

    prepare_all(edge, tools, typer.echo)


@deployment.command()
def pages(
    folder: Annotated[Path, typer.Argument(help="Where the edge's files go.", file_okay=False)],
) -> None:
    """Write the dashboard's pages and the edge's configuration, and nothing else."""
    from carillon.deployment.preparing import edge_of, write_edge

    write_edge(folder, edge_of(os.environ))


@deployment.command()
def issuer(
    *,
    data: Annotated[Path, typer.Option(help="Where the key is.", file_okay=False)] = DEFAULT_FOLDER,
    url: Annotated[str, typer.Option(help="The edge, as people see it.")],
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where it listens.", min=1, max=65535)] = 8080,
) -> None:
    """Be the identity provider of a deployment that is tried out; not for a real one."""
    from carillon.deployment.issuer import serve_issuer

    asyncio.run(serve_issuer(data, url, host, port))
