"""The book that an outside observer trusts: JSON Lines, only ever appended to.

Every line has `event`, `at` (Unix seconds), `telephony` and `call_id`. Events: `dialled` (with
`phone`, `caller_id`, and `nth` call of that phone), `repeated` (asked for again, not rung again),
`answered`, and `ended` (`phone`, `outcome`, `cause`, `by`, and when it was `dialled_at`,
`ringing_at`, `ringing_until`, `answered_at`, `attached_at`). A line is written before anybody is
told, so whoever heard of a call is in the book, also after kill -9.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

type Line = dict[str, Any]


class Ledger:
    """Appends lines to a file, or to nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _end_torn_line(path)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def put(self, lines: list[Line]) -> None:
        """Hand lines to the operating system."""
        if self._file >= 0 and lines:
            left = memoryview(b"".join(_packed(line) for line in lines))
            while left:
                left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def lines(path: Path | None) -> Iterator[Line]:
    """Every whole line written so far, one at a time."""
    if path is None or not path.exists():
        return
    with path.open("rb") as book:
        for line in book:
            if line.endswith(b"}\n"):
                yield orjson.loads(line)


def _packed(line: Line) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _end_torn_line(path: Path) -> None:
    """Close the line that a death in the middle of a write left open; reading skips it."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as book:
        book.seek(-1, os.SEEK_END)
        if book.read(1) != b"\n":
            book.write(b"\n")
