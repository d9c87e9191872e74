"""The command line `carillon`."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from carillon.backup.cli import backups
from carillon.command_line import Data, console, logs_go_to_stderr
from carillon.deployment.cli import deployment
from carillon.errors import PlainError, about_a_file
from carillon.log.cli import logs
from carillon.ops.erase_cli import erasures
from carillon.ops.migrate_cli import migrations
from carillon.ops.parked_cli import parked
from carillon.ops.projections_cli import projections
from carillon.servers.certificates_cli import certifying
from carillon.stack_file import DEFAULT_FOLDER
from carillon.tokens.identity import DEFAULT_TTL, ROLES, Identity
from carillon.traffic.simulate_cli import simulating
from carillon.watch.cli import watching

INTERRUPTED = 130

app = typer.Typer(
    help="Carillon: outreach campaigns on an event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
campaigns = typer.Typer(help="Campaigns from the shell.", no_args_is_help=True)
app.add_typer(campaigns, name="campaign")
app.add_typer(logs, name="log")
app.add_typer(parked, name="parked")
app.add_typer(migrations)
app.add_typer(projections, name="projections")
app.add_typer(backups)
app.add_typer(certifying)
app.add_typer(erasures)
app.add_typer(simulating)
app.add_typer(watching)
app.add_typer(deployment, name="deployment")


@app.command()
def up(  # noqa: PLR0913 - one parameter per option
    *,
    data: Data = DEFAULT_FOLDER,
    port: Annotated[
        int | None,
        typer.Option(help="The edge's port; 0 for any free one. [default: 8080]", max=65535, min=0),
    ] = None,
    links: Annotated[Path | None, typer.Option(help="Your own carrier links (links.toml).")] = None,
    telephony: Annotated[
        Path | None, typer.Option(help="Your own telephony (telephony.toml).")
    ] = None,
    carrier: Annotated[
        Path | None, typer.Option(help="How the bundled carrier simulator behaves (smsc.toml).")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(help="Servers of NATS and of MongoDB: 1, or 3 of which any may be gone."),
    ] = None,
    processes: Annotated[int, typer.Option(help="Processes of each service.", min=1)] = 1,
    dispatchers: Annotated[int | None, typer.Option(help="Of the dispatcher.", min=1)] = None,
    diallers: Annotated[int | None, typer.Option(help="Of the dialler.", min=1)] = None,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Send a campaign to 2,000 made-up numbers.")
    ] = False,
) -> None:
    """Start the whole platform on this machine; Ctrl-C or SIGTERM ends it."""
    from carillon.services import SERVICES
    from carillon.serving import serve
    from carillon.stack import Options

    wanted = dict.fromkeys(SERVICES, processes)
    wanted |= {"dispatcher": dispatchers or processes, "dialler": diallers or processes}
    options = Options(
        data=data,
        port=port,
        links=links,
        telephony=telephony,
        carrier=carrier,
        nodes=nodes,
        processes=wanted,
    )
    said = Console(stderr=True, highlight=False)
    asyncio.run(serve(options, demo=demo, out=Console(), said=said))


@app.command()
def token(  # noqa: PLR0913 - one parameter per option
    *,
    data: Data = DEFAULT_FOLDER,
    workspace: Annotated[str, typer.Option(help="The workspace the person belongs to.")] = "demo",
    sub: Annotated[str, typer.Option(help="The person's id.")] = "dev",
    name: Annotated[str, typer.Option(help="The person's name.")] = "Developer",
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated.")],
    ttl: Annotated[float, typer.Option(help="Hours until it expires.", min=0.001)] = (
        DEFAULT_TTL / timedelta(hours=1)
    ),
) -> None:
    """Print a token of the development issuer, and nothing else."""
    _known(role)
    from carillon.tokens.issuer import DevelopmentIssuer

    issuer = DevelopmentIssuer.load(data / "issuer")
    typer.echo(issuer.mint(Identity(sub, name, workspace, role), timedelta(hours=ttl)))


@app.command(name="sign-in")
def sign_in(
    *,
    data: Data = DEFAULT_FOLDER,
    workspace: Annotated[str, typer.Option(help="The workspace the person belongs to.")] = "demo",
    sub: Annotated[str, typer.Option(help="The person's id.")] = "dev-admin",
    name: Annotated[str, typer.Option(help="The person's name.")] = "Local Admin",
    role: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated. [default: admin]"),
    ] = None,
) -> None:
    """Print a link that signs one person in to the dashboard, once, and nothing else."""
    roles = _known(role or ["admin"])
    from carillon.stack_file import read_stack_file
    from carillon.tokens.issuer import DevelopmentIssuer
    from carillon.tokens.sign_in import Links

    links = Links.of(data, DevelopmentIssuer.load(data / "issuer"))
    typer.echo(links.make(read_stack_file(data).url, Identity(sub, name, workspace, roles)))


@app.command()
def doctor(*, data: Data = DEFAULT_FOLDER) -> None:
    """Say what is missing on this machine, and what to do about it."""
    from carillon.doctor import examine, show

    findings = asyncio.run(examine(data))
    show(findings, console())
    if any(finding.is_fatal for finding in findings):
        raise typer.Exit(1)


@campaigns.command()
def run(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(help=".csv with a header, or .txt.", metavar="FILE")],
    *,
    data: Data = DEFAULT_FOLDER,
    text: Annotated[str, typer.Option(help="The message; {{variable}} takes a column's value.")],
    sender: Annotated[str, typer.Option(help="Made when it is missing.")] = "Carillon",
    name: Annotated[str | None, typer.Option(help="The campaign's name.")] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve it as a second development identity.")
    ] = False,
    link: Annotated[str, typer.Option(help="The carrier link.")] = "sim",
    mode: Annotated[str, typer.Option(help="on_demand or on_time.")] = "on_demand",
    starts_at: Annotated[str | None, typer.Option(help="For on_time: an RFC 3339 time.")] = None,
    workspace: Annotated[str, typer.Option(help="The workspace.")] = "demo",
    region: Annotated[
        str | None, typer.Option(help="For numbers without country code, for example DE.")
    ] = None,
) -> None:
    """Send a campaign to the numbers in FILE and follow it; exit code 0 when it is done."""
    from carillon.traffic.campaign_run import Wish
    from carillon.traffic.display import run_shown

    wish = Wish(
        file=file,
        text=text,
        name=name or f"{file.stem} {datetime.now(UTC):%Y-%m-%d %H:%M}",
        sender=sender,
        link=link,
        mode=mode,
        starts_at=starts_at,
        workspace=workspace,
        region=region,
        approve=approve,
    )
    if asyncio.run(run_shown(data, wish)).status != "done":
        raise typer.Exit(1)


def _known(roles: list[str]) -> list[str]:
    if unknown := sorted(set(roles) - set(ROLES)):
        raise typer.BadParameter(f"{', '.join(unknown)}: known roles are {', '.join(ROLES)}")
    return roles


def main() -> None:
    """The console script: an error that a person can act on is shown as its text."""
    logs_go_to_stderr()
    try:
        app()
    except PlainError as error:
        _complain(str(error))
        raise SystemExit(1) from None
    except OSError as error:
        if (told := about_a_file(error)) is None:
            raise
        _complain(told)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _complain(text: str) -> None:
    Console(stderr=True, highlight=False).print(f"carillon: {text}", markup=False, soft_wrap=True)
