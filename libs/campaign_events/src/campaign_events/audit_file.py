"""Where audit records wait while MongoDB is away: one file, fsynced, read in again in order."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from prometheus_client import Gauge

CAP = 200 * 1024**2
WARN_AT = 50 * 1024**2
BYTES = Gauge("carillon_audit_fallback_bytes", "Bytes of audit records that wait for MongoDB")
RECORDS = Gauge("carillon_audit_fallback_records", "Audit records that wait for MongoDB")
_BLOCK = 1024**2

log = structlog.get_logger(__name__)


class FallbackTaken(Exception):
    """Another process keeps its records in this very file: each needs one of its own."""


class FallbackFile:
    """Lines that are on disk when `append` returns, and leave it when they are `done`.

    When it is full, new lines are refused and the old ones stay: what led to a trouble is worth
    more than its end, and the order has no hole in the middle.
    """

    def __init__(self, path: Path, *, cap: int = CAP, warn_at: int = WARN_AT) -> None:
        """Open the file and count what an earlier process has left in it.

        Raises:
            FallbackTaken: another process works with it.

        """
        self._path = path
        self._cap = cap
        self._warn_at = warn_at
        self._file = _opened(path)
        self._end = self._whole_lines()
        self._next = 0
        self._warned = False
        self._turn = asyncio.Lock()
        self.lines = self._count()
        self._show()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return self._end - self._next

    async def append(self, lines: Sequence[bytes]) -> int:
        """Put lines on disk and return how many of them, from the first on, had room.

        Raises:
            OSError: the disk takes nothing; none of the lines is kept.

        """
        async with self._turn:
            block, taken = bytearray(), 0
            for line in lines:
                if self._end + len(block) + len(line) + 1 > self._cap:
                    break
                block += line + b"\n"
                taken += 1
            if block:
                await asyncio.to_thread(self._write, bytes(block))
                self._end += len(block)
                self.lines += taken
                self._show()
            return taken

    async def first(self, most: int) -> list[bytes]:
        """Return the oldest lines that wait."""
        data = await asyncio.to_thread(os.pread, self._file, min(_BLOCK, self.size), self._next)
        return data.split(b"\n")[:-1][:most]

    async def done(self, lines: Sequence[bytes]) -> None:
        """Forget the oldest lines; the file is emptied when none is left."""
        async with self._turn:
            self._next += sum(len(line) + 1 for line in lines)
            self.lines -= len(lines)
            if self._next >= self._end:
                await asyncio.to_thread(self._empty)
                self._next = self._end = self.lines = 0
                self._warned = False
            self._show()

    async def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Change what lines say, where they are: each must stay as long as it is.

        Raises:
            OSError: the disk does not take it.

        """
        async with self._turn:
            await asyncio.to_thread(self._rewrite, change)

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)

    def _write(self, block: bytes) -> None:
        """Write all of a block behind the last whole line, or none of it."""
        try:
            written = 0
            while written < len(block):
                written += os.pwrite(self._file, block[written:], self._end + written)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise

    def _rewrite(self, change: Callable[[bytes], bytes]) -> None:
        place = self._next
        while place < self._end:
            block = os.pread(self._file, min(_BLOCK, self._end - place), place)
            block = block[: block.rindex(b"\n") + 1]
            changed = b"\n".join(change(line) for line in block.split(b"\n"))
            if len(changed) != len(block):
                raise ValueError("a line must stay as long as it is")
            if changed != block:
                os.pwrite(self._file, changed, place)
            place += len(block)
        os.fsync(self._file)

    def _empty(self) -> None:
        os.ftruncate(self._file, 0)
        os.fsync(self._file)

    def _whole_lines(self) -> int:
        """Cut off a line that a power cut has torn; return where the last whole one ends."""
        size = os.fstat(self._file).st_size
        end = self._last_line_end(size)
        if end < size:
            log.warning("torn audit record cut off", file=str(self._path), bytes=size - end)
            os.ftruncate(self._file, end)
            os.fsync(self._file)
        return end

    def _last_line_end(self, size: int) -> int:
        for start in range((size - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
            found = os.pread(self._file, _BLOCK, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
        return 0

    def _count(self) -> int:
        return sum(
            os.pread(self._file, _BLOCK, place).count(b"\n")
            for place in range(0, self._end, _BLOCK)
        )

    def _show(self) -> None:
        BYTES.set(self.size)
        RECORDS.set(self.lines)
        if self._end >= self._warn_at and not self._warned:
            self._warned = True
            log.warning("audit fallback file is large", bytes=self._end, cap=self._cap)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise FallbackTaken(f"{path} belongs to another process") from error
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    return file
