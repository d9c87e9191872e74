"""Reading links.toml, so that a mistake is told with its line, its field and what to do."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dispatcher.links.settings import LinkSettings

_TABLE: Final = re.compile(r"\s*\[\[\s*links\s*\]\]")
_OTHER_TABLE: Final = re.compile(r"\s*\[")
_EXAMPLE: Final = 'an example: [[links]], then lines like id = "acme" and host = "127.0.0.1"'
_FIXES: Final[Mapping[str, str]] = {
    "id": "use 1 to 64 letters, digits, - and _",
    "type": 'the only type is "smpp"; leave it out or write that',
    "bind": 'Carillon binds as "transceiver" only: submits and reports need one session; '
    "leave it out or write that",
    "on_unknown": 'write "fail" (never sent again) or "resend" (may reach a person twice)',
    "dlr_ids": 'write "auto", "hex" or "decimal"',
    "errors": 'write errors = { "0x401" = "temporary" }: a name or number of a command status, and '
    '"throttled", "temporary" or "permanent"',
}


class LinksFileError(ValueError):
    """links.toml cannot be used; the text says where and what to do."""


def load_links(path: Path) -> list[LinkSettings]:
    """The links that a file describes, in its order.

    Raises:
        LinksFileError: it cannot be read, or it has a key or a value that makes no sense.

    """
    try:
        text = path.read_text("utf-8")
        tables = _tables(path, tomllib.loads(text))
    except OSError as error:
        raise LinksFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LinksFileError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise LinksFileError(f"{path}: is not TOML: {error}") from error
    places = _Places(path, text)
    links: list[LinkSettings] = []
    wrong: list[str] = []
    for index, table in enumerate(tables):
        try:
            links.append(LinkSettings.model_validate(table))
        except ValidationError as error:
            wrong += (places.tell(index, table, one) for one in error.errors())
    wrong += _twice(places, tables)
    if wrong:
        raise LinksFileError("\n".join(wrong))
    return links


def _tables(path: Path, whole: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    others = sorted(set(whole) - {"links"})
    if others:
        raise LinksFileError(f"{path}: unknown at the top: {', '.join(others)}; {_EXAMPLE}")
    tables = whole.get("links", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise LinksFileError(f"{path}: write each link as a table of its own; {_EXAMPLE}")
    if not tables:
        raise LinksFileError(f"{path}: there is no link in it; {_EXAMPLE}")
    return tables


class _Places:
    """Where each field of each table stands."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._tables: list[tuple[int, dict[str, int]]] = []
        for number, line in enumerate(text.splitlines(), 1):
            if _TABLE.match(line):
                self._tables.append((number, {}))
            elif self._tables and not _OTHER_TABLE.match(line) and "=" in line:
                key = line.partition("=")[0].strip().strip("\"'")
                self._tables[-1][1].setdefault(key.partition(".")[0], number)

    def of(self, index: int, field: str) -> str:
        """Return `file:line` of a field, or of its table."""
        if index >= len(self._tables):
            return str(self._path)
        header, fields = self._tables[index]
        return f"{self._path}:{fields.get(field, header)}"

    def tell(self, index: int, table: Mapping[str, Any], wrong: ErrorDetails) -> str:
        """Return one line about one mistake."""
        field = str(wrong["loc"][0]) if wrong["loc"] else ""
        where = f"{self.of(index, field)}: link {_name(index, table)}"
        if wrong["type"] == "extra_forbidden":
            return f"{where}: unknown field {field}; {_instead(field)}"
        if wrong["type"] == "missing":
            return f"{where}: {field} is missing; add a line {field} = …"
        fix = _FIXES.get(field)
        said = wrong["msg"][:1].lower() + wrong["msg"][1:]
        return f"{where}: {field}: {said}" + (f"; {fix}" if fix else "")


def _name(index: int, table: Mapping[str, Any]) -> str:
    name = table.get("id")
    return f'"{name}"' if isinstance(name, str) else f"number {index + 1}"


def _instead(field: str) -> str:
    known = list(LinkSettings.model_fields)
    close = get_close_matches(field, known, 1)
    return f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"


def _twice(places: _Places, tables: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen: dict[object, int] = {}
    for index, table in enumerate(tables):
        name = table.get("id")
        if not isinstance(name, str):
            continue
        if name in seen:
            first = places.of(seen[name], "id")
            yield (
                f'{places.of(index, "id")}: two links are called "{name}" (the first: {first}); '
                "give one of them another id"
            )
        seen.setdefault(name, index)
