"""The book that an outside observer trusts: JSON Lines, only ever appended to.

Every line has `event` and `at` (Unix seconds). Events: `accepted` (a submit_sm that the carrier
took, with its fate), `refused`, `throttled`, `receipt` (sent and acknowledged), `inbound` (a
person's message, sent and acknowledged). Lines are written before the bytes of the same loop turn
leave for the ESME, so whoever got an answer is in the book, also after kill -9.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

type Line = dict[str, Any]

_ENDED = orjson.OPT_APPEND_NEWLINE


class Ledger:
    """Lines gathered during a loop turn and written at its end."""

    def __init__(self, path: Path | None) -> None:
        self._pending: list[bytes] = []
        self._file = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            _cut_torn_line(self._file)

    def put(self, line: Line) -> None:
        """Keep a line until the next flush."""
        if self._file >= 0:
            self._pending.append(orjson.dumps(line, option=_ENDED))

    def flush(self) -> None:
        """Hand all kept lines to the operating system."""
        if self._pending:
            left = memoryview(b"".join(self._pending))
            self._pending.clear()
            while left:
                left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Flush and let go of the file."""
        self.flush()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def lines(path: Path | None) -> Iterator[Line]:
    """Every line written so far, one at a time."""
    if path is None or not path.exists():
        return
    with path.open("rb") as book:
        for line in book:
            if line.endswith(b"\n"):
                yield orjson.loads(line)


def _cut_torn_line(file: int) -> None:
    """Drop what a death in the middle of a write left behind the last line's end."""
    size = os.fstat(file).st_size
    end = size
    while end:
        begin = max(0, end - 65536)
        newline = os.pread(file, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            end = begin + newline + 1
            break
        end = begin
    if end != size:
        os.ftruncate(file, end)
