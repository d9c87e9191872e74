"""telephony.toml of a stack: what was asked for, with a free port for the bundled phone network."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SIMULATED = "simulator"

type Table = dict[str, Any]


def needs_simulator(file: Path) -> bool:
    """Whether a table wants a simulated network without saying where one already runs."""
    return any(_is_bundled(table) for table in _tables(file))


def with_port(file: Path, port: int) -> str:
    """The text of the same file, whose simulated networks without a port are found at this one."""
    here = {"host": "127.0.0.1", "port": port}
    return "\n".join(
        _written({**table, **here} if _is_bundled(table) else table) for table in _tables(file)
    )


def _tables(file: Path) -> list[Table]:
    tables: list[Table] = tomllib.loads(file.read_text("utf-8")).get("telephony", [])
    return tables


def _is_bundled(table: Table) -> bool:
    return table.get("type") == SIMULATED and "port" not in table


def _written(table: Table) -> str:
    return "".join(
        ("[[telephony]]\n", *(f"{_key(key)} = {_value(one)}\n" for key, one in table.items()))
    )


def _key(key: str) -> str:
    return json.dumps(key)


def _value(value: object) -> str:
    """A JSON value is a TOML value too, but for tables (and dates, which nothing here has)."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
