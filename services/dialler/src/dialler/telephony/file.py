"""Reading telephony.toml, so that a mistake is told with its line, its field and what to do."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dialler.telephony.settings import AsteriskSettings, SimulatorSettings, TelephonySettings

_TYPES: Final[Mapping[str, type[SimulatorSettings | AsteriskSettings]]] = {
    "simulator": SimulatorSettings,
    "asterisk": AsteriskSettings,
}
_TABLE: Final = re.compile(r"\s*\[\[\s*telephony\s*\]\]")
_OTHER_TABLE: Final = re.compile(r"\s*\[")
_EXAMPLE: Final = 'an example: [[telephony]], then lines like id = "sim" and type = "simulator"'
_FIXES: Final[Mapping[str, str]] = {
    "id": "use 1 to 64 letters, digits, - and _",
    "type": 'write "simulator" or "asterisk"',
    "url": 'write where its HTTP server is, as "http://127.0.0.1:8088"',
    "app": "use 1 to 64 letters, digits, -, _ and .",
    "amd_context": "use 1 to 64 letters, digits, -, _ and .",
}


class TelephonyFileError(ValueError):
    """telephony.toml cannot be used; the text says where and what to do."""


def load_telephony(path: Path) -> list[TelephonySettings]:
    """The ways to the phone network that a file describes, in its order.

    Raises:
        TelephonyFileError: it cannot be read, or it has a key or a value that makes no sense.

    """
    try:
        text = path.read_text("utf-8")
        tables = _tables(path, tomllib.loads(text))
    except OSError as error:
        raise TelephonyFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TelephonyFileError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise TelephonyFileError(f"{path}: is not TOML: {error}") from error
    places = _Places(path, text)
    found: list[TelephonySettings] = []
    wrong: list[str] = []
    for index, table in enumerate(tables):
        kind = _TYPES.get(str(table.get("type")))
        if kind is None:
            wrong.append(places.untyped(index, table))
            continue
        try:
            found.append(kind.model_validate(table))
        except ValidationError as error:
            wrong += (places.tell(index, table, one, kind) for one in error.errors())
    wrong += _twice(places, tables)
    if wrong:
        raise TelephonyFileError("\n".join(wrong))
    return found


def _tables(path: Path, whole: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    others = sorted(set(whole) - {"telephony"})
    if others:
        raise TelephonyFileError(f"{path}: unknown at the top: {', '.join(others)}; {_EXAMPLE}")
    tables = whole.get("telephony", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise TelephonyFileError(f"{path}: write each as a table of its own; {_EXAMPLE}")
    if not tables:
        raise TelephonyFileError(f"{path}: there is no telephony in it; {_EXAMPLE}")
    return tables


class _Places:
    """Where each field of each table stands."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._tables: list[tuple[int, dict[str, int]]] = []
        inside = False
        for number, line in enumerate(text.splitlines(), 1):
            if _TABLE.match(line):
                inside = True
                self._tables.append((number, {}))
            elif _OTHER_TABLE.match(line):
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

    def untyped(self, index: int, table: Mapping[str, Any]) -> str:
        """Return one line about a table that does not say what it is."""
        where = f"{self.of(index, 'type')}: telephony {_name(index, table)}"
        said = "type is missing" if "type" not in table else f"type: {table['type']!r} is unknown"
        return f"{where}: {said}; {_FIXES['type']}"

    def tell(
        self, index: int, table: Mapping[str, Any], wrong: ErrorDetails, kind: type[Any]
    ) -> str:
        """Return one line about one mistake."""
        field = str(wrong["loc"][0]) if wrong["loc"] else ""
        where = f"{self.of(index, field)}: telephony {_name(index, table)}"
        if wrong["type"] == "extra_forbidden":
            return f"{where}: unknown field {field}; {_instead(field, kind)}"
        if wrong["type"] == "missing":
            return f"{where}: {field} is missing; add a line {field} = …"
        fix = _FIXES.get(field)
        said = wrong["msg"][:1].lower() + wrong["msg"][1:]
        return f"{where}: {field}: {said}" + (f"; {fix}" if fix else "")


def _name(index: int, table: Mapping[str, Any]) -> str:
    name = table.get("id")
    return f'"{name}"' if isinstance(name, str) else f"number {index + 1}"


def _instead(field: str, kind: type[Any]) -> str:
    known = list(kind.model_fields)
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
                f'{places.of(index, "id")}: two telephonies are called "{name}" '
                f"(the first: {first}); give one of them another id"
            )
        seen.setdefault(name, index)
