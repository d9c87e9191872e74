"""Reading a table as it arrives: bytes in, rows out, nothing kept but an unfinished record."""

import csv
import io
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

MAX_RECORD = 256 * 1024
"""Characters in one record. A longer one is no contact, and would fill the memory."""

MAX_COLUMNS = 200
PHONE_COLUMNS = ("phone", "phone_number", "msisdn", "number")
DELIMITERS = ",;\t"
SEPARATOR = ["sep=", ""]
"""A first line `sep=;`, cut by the delimiter that it names: Excel writes, obeys and hides it."""
BEGINNINGS = {
    b"\x1f\x8b": "the file is compressed (gzip): unpack it and send what is in it",
    b"PK\x03\x04": "the file is an archive or a spreadsheet: unpack it, or save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "the file is a spreadsheet: save it as CSV UTF-8",
}
"""How files begin that people send in place of the table that is in them, and what to do."""
_BEGINNING = max(map(len, BEGINNINGS))


class Unreadable(ValueError):
    """The file is not the table that it should be; the message is safe to show."""


type Row = tuple[int, str, dict[str, str]]
"""A record: the physical line on which it begins, its phone cell, and its other columns.

A plain tuple, since millions of them are made one by one.
"""


class TextReader:
    """UTF-8 that arrives in pieces, as pieces of whole lines."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8-sig")()
        self._rest = ""
        self._beginning = b""

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """Return the text up to the last line end that has arrived, or to the end of the file.

        Raises:
            Unreadable: not UTF-8 text, or a line without an end.

        """
        self._beginning += data[: _BEGINNING - len(self._beginning)]
        try:
            text = self._rest + self._decoder.decode(data, final=last)
        except UnicodeDecodeError as error:
            raise self._no_text("the file is not UTF-8 text: save it as CSV UTF-8") from error
        if "\0" in text:
            raise self._no_text("the file is not text: it holds zero bytes")
        cut = len(text) if last else _behind_last_line(text)
        text, self._rest = text[:cut], text[cut:]
        if len(self._rest) > MAX_RECORD:
            raise Unreadable(f"a line is longer than {MAX_RECORD} characters")
        return text

    def _no_text(self, why: str) -> Unreadable:
        begins = self._beginning.startswith
        return Unreadable(next((what for how, what in BEGINNINGS.items() if begins(how)), why))


def _behind_last_line(text: str) -> int:
    """Return where the last whole line ends; a CR at the very end may be half of a line end."""
    return text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1


class NumberList:
    """A `.txt`: one number per line."""

    def __init__(self) -> None:
        self._line = 0

    def rows(self, text: str, *, last: bool = False) -> Iterator[Row]:  # noqa: ARG002 - as a table
        """Return the rows of some whole lines."""
        number = self._line
        for number, line in enumerate(io.StringIO(text, newline=""), self._line + 1):
            if not line.isspace():
                yield number, line.strip(), {}
        self._line = number


@dataclass(frozen=True, slots=True)
class _Columns:
    phone: int
    variables: tuple[tuple[int, str], ...]

    def row(self, line: int, cells: Sequence[str]) -> Row:
        variables = {
            name: unmarked(cells[index]) for index, name in self.variables if index < len(cells)
        }
        return line, cells[self.phone] if self.phone < len(cells) else "", variables


class _More(Exception):
    """A record goes on beyond the lines that have arrived."""


@dataclass(slots=True)
class Table:
    """A `.csv` with a header. Quoted fields may hold delimiters, quotes and line ends."""

    _line: int = 0
    _delimiter: str = ""
    _columns: _Columns | None = None
    _unfinished: list[str] = field(default_factory=list)

    def rows(self, text: str, *, last: bool = False) -> Iterator[Row]:
        """Return the rows of some whole lines, and of those that an earlier call left unfinished.

        Raises:
            Unreadable: a quote that does not end, or columns that can not be told apart.

        """
        for line, cells in self._records(text, last=last):
            if not any(map(str.strip, cells)):
                continue
            if self._columns is None:
                if [cell.casefold() for cell in cells] != SEPARATOR:
                    self._columns = _columns(cells)
            else:
                yield self._columns.row(line, cells)

    def _records(self, text: str, *, last: bool) -> Iterator[tuple[int, list[str]]]:
        lines = self._unfinished + list(io.StringIO(text, newline=""))
        if not self._delimiter:
            self._delimiter = _delimiter(lines)
        reader = csv.reader(chain(lines, _more()), delimiter=self._delimiter or ",")
        done = 0
        try:
            for cells in reader:
                yield self._line + done + 1, cells
                done = reader.line_num
        except csv.Error as error:
            raise self._unclosed(done) from error
        except _More:
            self._line += done
            self._unfinished = lines[done:]
        if self._unfinished and (last or sum(map(len, self._unfinished)) > MAX_RECORD):
            raise self._unclosed(0)

    def _unclosed(self, done: int) -> Unreadable:
        return Unreadable(f"line {self._line + done + 1}: a quoted field does not end")


def _more() -> Iterator[str]:
    yield from ()
    raise _More


def _delimiter(lines: Sequence[str]) -> str:
    """Return what separates the columns of the first line that holds anything."""
    header = next((line for line in lines if line.strip()), "")
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count) if header else ""


def _columns(header: Sequence[str]) -> _Columns:
    names = [unmarked(cell).strip() for cell in header]
    if len(names) > MAX_COLUMNS:
        raise Unreadable(f"the header has more than {MAX_COLUMNS} columns")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise Unreadable(f"the header names the column {twice[:60]!r} twice")
    folded = [name.casefold() for name in names]
    phone = next((folded.index(name) for name in PHONE_COLUMNS if name in folded), 0)
    variables = zip(count(), names, strict=False)
    return _Columns(phone, tuple((i, name) for i, name in variables if name and i != phone))


def unmarked(cell: str) -> str:
    """Return a cell as text: no formula, and no mark that kept a spreadsheet from making one.

    An apostrophe that begins a word (`'t Hart`) is part of it.
    """
    if cell[:1] not in ("=", "'"):
        return cell
    if cell[0] == "'":
        return cell[1:] if cell[1:2] in tuple("=+-@0123456789") else cell
    inner = cell.lstrip("=")
    quoted = len(inner) > 1 and inner[0] == inner[-1] == '"'
    return inner[1:-1].replace('""', '"') if quoted else inner
