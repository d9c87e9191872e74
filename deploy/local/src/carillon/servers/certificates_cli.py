"""`carillon certificates`, `carillon nkeys`: how servers and services prove who they are."""

import re
from pathlib import Path
from typing import Annotated

import typer

HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?")

certifying = typer.Typer()


@certifying.command()
def certificates(
    folder: Annotated[Path, typer.Argument(help="Made if missing.", file_okay=False)],
    *,
    server: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=HOST,HOST: a server and what it is called; may be repeated. "
            "[default: those of deploy/compose.yml]"
        ),
    ] = None,
) -> None:
    """Make a private authority and the servers' certificates; again later, those that end soon."""
    from carillon.servers.certificates import SERVERS, make_certificates

    wanted = dict(_said(one) for one in server) if server else SERVERS
    for file in make_certificates(folder, wanted):
        typer.echo(file.name)


@certifying.command()
def nkeys(
    folder: Annotated[Path, typer.Argument(help="Made if missing.", file_okay=False)],
) -> None:
    """Make the services' keys for NATS; print what nats-server needs in its environment."""
    from carillon.servers.credentials import made_seeds
    from carillon.servers.nats_rights import RIGHTS
    from carillon.servers.nkey import public_of

    for user, seed in made_seeds(folder, ("admin", *RIGHTS)).items():
        typer.echo(f"NKEY_{user.upper()}={public_of(seed.read_text())}")


def _said(server: str) -> tuple[str, tuple[str, ...]]:
    name, _, hosts = server.partition("=")
    called = tuple(host.strip() for host in hosts.split(",") if host.strip())
    hosts_are_good = called and all(HOST.fullmatch(host) for host in called)
    if not hosts_are_good or not name.replace("-", "").isalnum() or name == "ca":
        raise typer.BadParameter(f"{server}: say a name and its hosts, as in nats=nats,localhost")
    return name, called
