"""`carillon log`: look at the event log, take it out, put it back."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console

from carillon.command_line import Data, console
from carillon.stack_file import DEFAULT_FOLDER

if TYPE_CHECKING:
    from carillon.log.reading import Entry

READ_BY_JQ = "one JSON object per line, for jq and scripts"

logs = typer.Typer(
    help="The event log: the only truth. Nothing here changes it, but for `import`.",
    no_args_is_help=True,
)

Workspace = Annotated[str | None, typer.Option(help="Only of this workspace.")]
Campaign = Annotated[
    str | None, typer.Option(help="Only about this campaign (or sender), by its whole id.")
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", help="Only this type, `campaign.created`, or kind, `message`; repeat."),
]
Since = Annotated[
    str | None, typer.Option(help="From this time on: 2026-11-22T09:00Z, or 15m, 2h, 3d ago.")
]
Until = Annotated[str | None, typer.Option(help="Before this time, written as for --since.")]
Positions = Annotated[
    str | None,
    typer.Option(help="Behind a position, c12 or c12-m3, or a range: c12..c40. Only its streams."),
]


@logs.command()
def tail(  # noqa: PLR0913 - one parameter per option
    *,
    data: Data = DEFAULT_FOLDER,
    workspace: Workspace = None,
    campaign: Campaign = None,
    types: Types = None,
    since: Since = None,
    until: Until = None,
    position: Positions = None,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print {READ_BY_JQ}.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for what comes, or end there.")
    ] = True,
    limit: Annotated[int, typer.Option(help="End after so many entries; 0: never.", min=0)] = 0,
) -> None:
    """Show entries as they come; with --since or --position also earlier ones, by their time.

    Example: carillon log tail --since 15m --type campaign --type message.sending_failed
    """
    from carillon.log.filtering import filter_of
    from carillon.log.showing import json_line, line
    from carillon.log.tasks import tail_log

    wanted = filter_of(
        workspace=workspace,
        campaign=campaign,
        types=types or (),
        since=since or ("0s" if follow and not position else None),
        until=until,
        position=position,
    )
    out = console(soft_wrap=True)

    def shown(entry: "Entry") -> None:
        if as_json:
            _write(json_line(entry))
        else:
            out.print(line(entry))

    asyncio.run(tail_log(data, wanted, shown, follow=follow, limit=limit))


@logs.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="POSITION|EVENT_ID", help="c12, c12-m3, or an event's id.")
    ],
    *,
    data: Data = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print {READ_BY_JQ}.")] = False,
) -> None:
    """Show everything of one entry, by its position or by the id of the event.

    An id of a command (the audit trail has them) shows all events that came of it.
    """
    from carillon.log.finding import find
    from carillon.log.showing import json_line, show_whole

    entries = asyncio.run(find(data, name))
    out = console(soft_wrap=True)
    for number, entry in enumerate(entries):
        if as_json:
            _write(json_line(entry))
            continue
        if number:
            out.print()
        show_whole(entry, out)


@logs.command()
def export(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(help="NAME.jsonl or NAME.parquet.", metavar="FILE")],
    *,
    data: Data = DEFAULT_FOLDER,
    workspace: Workspace = None,
    campaign: Campaign = None,
    types: Types = None,
    since: Since = None,
    until: Until = None,
    position: Positions = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write the log, or a part of it, into a file; phones are not in it, for they never are.

    A JSON Lines file of the whole log can be imported again. Parquet is for analysis:
    duckdb -c "select type, count(*) from 'log.parquet' group by 1"
    """
    from carillon.log.exporting import format_of
    from carillon.log.filtering import filter_of
    from carillon.log.tasks import export_log

    format_of(file)
    wanted = filter_of(
        workspace=workspace,
        campaign=campaign,
        types=types or (),
        since=since,
        until=until,
        position=position,
    )
    said = Console(stderr=True, highlight=False)
    written = asyncio.run(export_log(data, wanted, file, replace=force, said=said))
    said.print(f"{written:,} entries in {file}", soft_wrap=True)


@logs.command(name="import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder that `carillon backup` made, or a .jsonl file of the whole log.",
            metavar="FILE|DIR",
        ),
    ],
    *,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Put a log into the empty log of a platform that does not run; positions stay the same.

    Only the log: contacts, phones and other personal data are not in it. `carillon restore`
    brings back everything.
    """
    from carillon.log.tasks import import_log

    said = Console(stderr=True, highlight=False)
    for stream, last in asyncio.run(import_log(data, source, said)).items():
        said.print(f"{stream}: {last:,} entries")


@logs.command()
def stats(
    *,
    data: Data = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print {READ_BY_JQ}.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Ask the server only; do not read and count types.")
    ] = False,
) -> None:
    """Say how much the log holds: entries, facts, bytes and their limit, times, types."""
    from carillon.log.stats import show as show_stats
    from carillon.log.tasks import gather_stats

    said = Console(stderr=True, highlight=False)
    found = asyncio.run(gather_stats(data, said, quick=quick))
    if as_json:
        for one in found:
            _write(orjson.dumps(one.shown()) + b"\n")
        return
    show_stats(found, console(soft_wrap=True))


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
