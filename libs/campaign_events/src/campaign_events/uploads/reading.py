"""From a body to its rows, and what became of them: one pass, bounded memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from campaign_events.uploads.contacts import BadRow, Contact, ContactReader
from campaign_events.uploads.files import UploadedFile
from campaign_events.uploads.rows import NumberList, Table

BATCH = 2000
PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows; the four counts are disjoint."""

    accepted: int
    invalid: int
    duplicate: int
    suppressed: int
    bad_rows: tuple[BadRow, ...]

    @property
    def empty(self) -> bool:
        """Whether the file held no rows."""
        return not any((self.accepted, self.invalid, self.duplicate, self.suppressed))

    def shown(self) -> dict[str, Any]:
        """Return the report as every upload answers it."""
        return {
            "accepted": self.accepted,
            "invalid": self.invalid,
            "duplicate": self.duplicate,
            "suppressed": self.suppressed,
            "bad_rows": [row._asdict() for row in self.bad_rows],
        }


class Reading:
    """Reads the file in threads, piece by piece, so that the event loop goes on turning."""

    def __init__(self, file: UploadedFile, default_region: str | None) -> None:
        self._file = file
        self._region = default_region
        self._reader: ContactReader | None = None

    @property
    def invalid(self) -> int:
        """How many rows so far held no valid number."""
        return self._reader.invalid if self._reader else 0

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        """The first of those."""
        return tuple(self._reader.bad_rows) if self._reader else ()

    async def batches(self, body: AsyncIterator[bytes]) -> AsyncIterator[list[Contact]]:
        """Yield the contacts, at most `BATCH` at once, and none held back behind a long piece.

        Raises:
            Unreadable: the file is not what it should be.

        """
        waiting: list[Contact] = []
        async for piece in _pieces(body):
            waiting += await asyncio.to_thread(self._feed, piece)
            heavy = len(piece) >= PIECE
            while len(waiting) >= BATCH or (heavy and waiting):
                yield waiting[:BATCH]
                del waiting[:BATCH]
        waiting += await asyncio.to_thread(self._end)
        while waiting:
            yield waiting[:BATCH]
            del waiting[:BATCH]

    def _feed(self, piece: bytes) -> list[Contact]:
        data = self._file.feed(piece)
        return self._contact_reader().feed(data) if data else []

    def _end(self) -> list[Contact]:
        self._file.finish()
        return self._contact_reader().feed(b"", last=True)

    def _contact_reader(self) -> ContactReader:
        if self._reader is None:
            table = NumberList() if self._file.kind == "txt" else Table()
            self._reader = ContactReader(table, self._region)
        return self._reader


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the body in pieces that are worth a thread's while."""
    gathered = bytearray()
    async for data in body:
        gathered += data
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
