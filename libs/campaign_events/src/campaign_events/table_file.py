"""TOML files that list things of one sort, so that a mistake is told with line, field and cure."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_ANY_TABLE: Final = re.compile(r"\s*\[")


class TableFileError(ValueError):
    """The file cannot be used; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class TableFile[Item: BaseModel]:
    """A file of tables `[[table]]`, each of which is an item.

    `kinds` has the model for each value of `type`; the one that None names is for tables without
    a type, or with one that the model itself judges. `fixes` says per field what to write.
    """

    table: str
    noun: str
    plural: str
    example: str
    fixes: Mapping[str, str]
    kinds: Mapping[str | None, type[Item]]

    def load(self, path: Path) -> list[Item]:
        """Return what a file describes, in its order.

        Raises:
            TableFileError: it cannot be read, or it has a key or a value that makes no sense.

        """
        try:
            text = path.read_text("utf-8")
            tables = self._tables(path, tomllib.loads(text))
        except OSError as error:
            raise TableFileError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TableFileError(f"{path}: is not UTF-8; save it as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            raise TableFileError(f"{path}: is not TOML: {error}") from error
        places = _Places(path, text, self.table)
        items: list[Item] = []
        wrong: list[str] = []
        for index, table in enumerate(tables):
            where = f"{self.noun} {_name(index, table)}"
            kind = self.kinds.get(str(table.get("type")), self.kinds.get(None))
            if kind is None:
                wrong.append(f"{places.of(index, 'type')}: {where}: {self._untyped(table)}")
                continue
            try:
                items.append(kind.model_validate(table))
            except ValidationError as error:
                for one in error.errors():
                    field = str(one["loc"][0]) if one["loc"] else ""
                    told = self._told(field, one, kind)
                    wrong.append(f"{places.of(index, field)}: {where}: {told}")
        wrong += self._twice(places, tables)
        if wrong:
            raise TableFileError("\n".join(wrong))
        return items

    def _tables(self, path: Path, whole: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        others = sorted(set(whole) - {self.table})
        if others:
            named = ", ".join(others)
            raise TableFileError(f"{path}: unknown at the top: {named}; {self.example}")
        tables = whole.get(self.table, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise TableFileError(
                f"{path}: write each {self.noun} as a table of its own; {self.example}"
            )
        if not tables:
            raise TableFileError(f"{path}: there is no {self.noun} in it; {self.example}")
        return tables

    def _untyped(self, table: Mapping[str, Any]) -> str:
        said = "type is missing" if "type" not in table else f"type: {table['type']!r} is unknown"
        return f"{said}; {self.fixes['type']}"

    def _told(self, field: str, wrong: ErrorDetails, kind: type[Item]) -> str:
        if wrong["type"] == "extra_forbidden":
            return f"unknown field {field}; {_instead(field, kind)}"
        if wrong["type"] == "missing":
            return f"{field} is missing; add a line {field} = …"
        fix = self.fixes.get(field)
        said = wrong["msg"][:1].lower() + wrong["msg"][1:]
        return f"{field}: {said}" + (f"; {fix}" if fix else "")

    def _twice(self, places: "_Places", tables: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        seen: dict[str, int] = {}
        for index, table in enumerate(tables):
            name = table.get("id")
            if not isinstance(name, str):
                continue
            if name in seen:
                first = places.of(seen[name], "id")
                yield (
                    f'{places.of(index, "id")}: two {self.plural} are called "{name}" '
                    f"(the first: {first}); give one of them another id"
                )
            seen.setdefault(name, index)


class _Places:
    """Where each field of each table stands."""

    def __init__(self, path: Path, text: str, table: str) -> None:
        self._path = path
        self._tables: list[tuple[int, dict[str, int]]] = []
        header = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
        inside = False
        for number, line in enumerate(text.splitlines(), 1):
            if header.match(line):
                self._tables.append((number, {}))
                inside = True
            elif _ANY_TABLE.match(line):
                inside = False
            elif inside and "=" in line:
                key = line.partition("=")[0].strip().strip("\"'")
                self._tables[-1][1].setdefault(key.partition(".")[0], number)

    def of(self, index: int, field: str) -> str:
        """Return `file:line` of a field, or of its table."""
        if index >= len(self._tables):
            return str(self._path)
        header, fields = self._tables[index]
        return f"{self._path}:{fields.get(field, header)}"


def _name(index: int, table: Mapping[str, Any]) -> str:
    name = table.get("id")
    return f'"{name}"' if isinstance(name, str) else f"number {index + 1}"


def _instead(field: str, kind: type[BaseModel]) -> str:
    known = list(kind.model_fields)
    close = get_close_matches(field, known, 1)
    return f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
