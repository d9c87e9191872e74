"""How entries of the log look on a terminal: one line each, or everything of one."""

from datetime import datetime
from typing import Any

import orjson
from rich.console import Console
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from campaign_events.envelope import Position
from carillon.log.entries import NEVER, UNREADABLE
from carillon.log.reading import Entry

COLOURS = {
    "campaign": "cyan",
    "moderation": "magenta",
    "sender": "blue",
    "message": "green",
    "suppression": "yellow",
    "call": "bright_blue",
    UNREADABLE: "bold red",
}
BAD = frozenset(("failed", "refused", "rejected", "undecided", "sending_failed", "plan_failed"))
LONGEST = 90
"""Characters of an event's data on one line."""
SHORT_ID = 8


def line(entry: Entry) -> Text:
    """Return an entry as one line."""
    kind, _, fact = entry.event.type.partition(".")
    colour = "red" if fact in BAD else COLOURS.get(kind, "white")
    return Text.assemble(
        (_clock(entry.time), "dim"),
        " ",
        (f"{place(entry):>9}", "bold"),
        " ",
        (f"{entry.event.type:<27}", colour),
        " ",
        f"{entry.address.workspace}/{entry.address.thing[-SHORT_ID:]:<{SHORT_ID}}",
        " ",
        (_summary(entry.event.data), "dim"),
    )


def place(entry: Entry) -> str:
    """Return where an entry is, as positions are written."""
    return str(Position.of(entry.stream, entry.seq))


def json_line(entry: Entry) -> bytes:
    """Return an entry as one line of JSON, as `export` writes it."""
    shown: dict[str, Any] = {"stream": entry.stream, "seq": entry.seq}
    if entry.event.type == UNREADABLE:
        shown |= {"subject": entry.event.data["subject"], "unreadable": entry.event.payload.hex()}
    else:
        shown["event"] = orjson.Fragment(entry.event.payload)
    return orjson.dumps(shown) + b"\n"


def show_whole(entry: Entry, console: Console) -> None:
    """Show everything of one entry."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("position", f"{place(entry)} (entry {entry.seq} of {entry.stream})")
    if entry.event.type == UNREADABLE:
        table.add_row("subject", Text(entry.event.data["subject"]))
        table.add_row("unreadable", "this entry is no event envelope; its bytes:")
        console.print(table)
        console.print(repr(entry.event.payload), markup=False, soft_wrap=True)
        return
    envelope = orjson.loads(entry.event.payload)
    for name in ("type", "time", "workspace", "subject", "id", "source", "correlationid"):
        table.add_row(name, Text(str(envelope.get(name, ""))))
    if "causationid" in envelope:
        table.add_row("causationid", Text(str(envelope["causationid"])))
    console.print(table)
    console.print(JSON(orjson.dumps(envelope["data"]).decode()), soft_wrap=True)


def _clock(time: datetime) -> str:
    return "-" * 23 if time == NEVER else time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _summary(data: dict[str, Any]) -> str:
    """Return the beginning of an event's data; long lists only by how long they are."""
    parts = []
    for name, value in data.items():
        if value is None or value in ([], {}):
            continue
        if isinstance(value, list):
            parts.append(f"{name}[{len(value)}]")
        elif isinstance(value, dict):
            parts.append(f"{name}={value.get('name') or '{…}'}")
        else:
            parts.append(f"{name}={value}")
    text = " ".join(parts).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
