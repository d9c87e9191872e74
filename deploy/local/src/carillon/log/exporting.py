"""Writing the log, or a part of it, into one file: JSON Lines or Parquet, in small memory."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

import orjson
from nats.aio.client import Client

from carillon.errors import PlainError
from carillon.log.entries import UNREADABLE
from carillon.log.filtering import Filter
from carillon.log.reading import Entry, Selection, history
from carillon.log.showing import json_line, place

if TYPE_CHECKING:
    import pyarrow as pa

type Format = Literal["jsonl", "parquet"]

FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
ROW_GROUP = 20_000
ROW_GROUP_BYTES = 16 * 1024**2
OWNER_ONLY = 0o600


class BadExportError(PlainError):
    """The file can not be written as it was asked for."""


class Writer(Protocol):
    """Takes entries in log order."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Write these behind the earlier ones."""
        ...

    def end(self) -> None:
        """Write what is still in hand."""
        ...


def format_of(file: Path) -> Format:
    """Return what a file's name says that it holds.

    Raises:
        BadExportError: it says nothing known.
    """
    found = FORMATS.get(file.suffix)
    if found is None:
        raise BadExportError(f"{file}: name it .jsonl (JSON Lines) or .parquet.")
    return found


async def export(
    nc: Client,
    wanted: Filter,
    chosen: Sequence[Selection],
    writer: Writer,
    read: Callable[[int], None],
) -> int:
    """Write what was there when the selections were made; return how many entries that are."""
    written = 0
    for selection in chosen:
        async for piece in history(nc, wanted, selection):
            writer.write(piece.entries)
            written += len(piece.entries)
            read(piece.read)
    writer.end()
    return written


@contextmanager
def writing(file: Path, *, replace: bool) -> Iterator[Writer]:
    """Give a writer; the file is there when the block is over, and not before.

    Raises:
        BadExportError: it is there already, or can not be made.
    """
    kind = format_of(file)
    if file.exists() and not replace:
        raise BadExportError(f"{file} is there already: choose another name, or add --force.")
    part = file.with_name(f".{file.name}.part")
    try:
        with open(part, "wb", opener=_owner_only) as out:
            try:
                yield JsonLines(out) if kind == "jsonl" else Parquet(out)
                out.flush()
                os.fsync(out.fileno())
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BadExportError(f"{file} can not be written: {error.strerror or error}.") from error
    part.replace(file)


class JsonLines:
    """One line per entry: `{"stream", "seq", "event": {…}}`, the event byte for byte."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, entries: Sequence[Entry]) -> None:
        """Write a line for each."""
        self._out.write(b"".join(json_line(entry) for entry in entries))

    def end(self) -> None:
        """Nothing is in hand."""


class Parquet:
    """One row per entry; what an event says is a column of JSON."""

    def __init__(self, out: BinaryIO) -> None:
        import pyarrow as pa  # noqa: PLC0415 - takes half a second, which other commands need not
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._pa = pa
        self._schema = _schema()
        self._file = pq.ParquetWriter(out, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    def write(self, entries: Sequence[Entry]) -> None:
        """Take in rows; a group is written when there are enough."""
        for entry in entries:
            self._rows.append(_row(entry))
            self._bytes += len(entry.event.payload)
            if len(self._rows) >= ROW_GROUP or self._bytes >= ROW_GROUP_BYTES:
                self._flush()

    def end(self) -> None:
        """Write the last group and the index behind it."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0


def _schema() -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415

    texts = ("type", "id", "workspace", "subject", "source", "correlationid", "causationid", "data")
    return pa.schema(
        [
            ("stream", pa.dictionary(pa.int8(), pa.string())),
            ("seq", pa.int64()),
            ("position", pa.string()),
            ("time", pa.timestamp("us", tz="UTC")),
            *((name, pa.string()) for name in texts),
        ]
    )


def _row(entry: Entry) -> dict[str, Any]:
    known = {"stream": entry.stream, "seq": entry.seq, "position": place(entry)}
    if entry.event.type == UNREADABLE:
        return known | {"type": UNREADABLE, "data": entry.event.payload.hex()}
    envelope = orjson.loads(entry.event.payload)
    texts = {name: envelope.get(name) for name in ("type", "id", "workspace", "subject", "source")}
    links = {name: envelope.get(name) for name in ("correlationid", "causationid")}
    data = orjson.dumps(envelope["data"]).decode()
    return {**known, "time": entry.time, **texts, **links, "data": data}


def _owner_only(name: str, flags: int) -> int:
    return os.open(name, flags, OWNER_ONLY)
