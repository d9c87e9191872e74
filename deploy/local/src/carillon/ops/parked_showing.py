"""How parked events look on a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from carillon.ops.parked import End

type Item = dict[str, Any]


def show_all(found: dict[str, Any], console: Console) -> None:
    """A table, and the services that did not answer."""
    if found["items"]:
        table = Table("id", "event", "position", "waiting", "tries", "last", "error", box=None)
        table.columns[0].overflow = table.columns[6].overflow = "fold"
        table.columns[0].no_wrap = True
        for item in found["items"]:
            numbers = (str(item["waiting"]), str(item["tries"]))
            place = (item["id"], item["type"], item["position"])
            table.add_row(*place, *numbers, _moment(item["last_at"]), item["error"])
        console.print(table)
    elif not found["unanswered"]:
        console.print("nothing is parked")
    if found["unanswered"]:
        services = ", ".join(found["unanswered"])
        console.print(f"no answer from {services}: what they have parked is not shown")


def show_one(item: Item, console: Console) -> None:
    """Every fact on a line, then the way to the error."""
    for name in (
        *("id", "service", "reader", "kind", "state", "workspace", "thing", "type", "position"),
        *("waiting", "tries", "first_at", "last_at", "error"),
    ):
        console.print(f"{name:<10} {item[name]}", markup=False, soft_wrap=True)
    for place in item["trace"]:
        console.print(f"  {place}", markup=False, soft_wrap=True)
    stream, seq = item["stream"], item["seq"]
    console.print(f"the event is entry {seq} of {stream}: carillon log show {item['position']}")


def show_end(end: End, console: Console) -> None:
    """One line: free again, or why not."""
    done = f"{end.done} event{'' if end.done == 1 else 's'} dealt with"
    if end.left is None:
        line = f"free     {end.id}  {done}"
    else:
        left = end.left
        line = f"failed   {end.id}  {done}, {left['waiting']} wait; {left['error']}"
    console.print(line, markup=False, soft_wrap=True)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
