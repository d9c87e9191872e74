"""Files of numbers for the opt-out list: taken in whole or not at all, in bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo.errors import BulkWriteError

from campaign_events.envelope import new_id
from campaign_events.message import BATCH
from campaign_events.projection import Database, Document
from campaign_events.uploads.contacts import Contact
from campaign_events.uploads.files import UploadedFile
from campaign_events.uploads.reading import Reading, Report
from campaign_events.uploads.rows import Unreadable
from dispatcher.suppressions import Suppressions

AT_ONCE = 4
DUPLICATE_KEY = 11000
STAGED = "suppression_uploads"
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SuppressionFile:
    """One file on its way to a workspace's list."""

    workspace: str
    file: UploadedFile
    default_region: str | None


class SuppressionFiles:
    """Stages the numbers of a file, then puts them on the list."""

    def __init__(self, suppressions: Suppressions, db: Database) -> None:
        self._suppressions = suppressions
        self._staged = db[STAGED]

    async def prepare(self) -> None:
        """Remove what uploads that died have left: their names tell when they began."""
        began = (datetime.now(UTC) - KEPT).timestamp() * 1000
        high, low = divmod(int(began), 0x10000)
        await self._staged.delete_many({"_id": {"$lt": f"{high:08x}-{low:04x}"}})

    async def take(self, upload: SuppressionFile, body: AsyncIterator[bytes]) -> tuple[Report, int]:
        """Add the numbers of a body to the list; return what became of them, and how far it is.

        Raises:
            Unreadable: the file is not what it should be; nothing has changed.

        """
        name = new_id()
        reading = Reading(upload.file, upload.default_region)
        duplicate = 0
        try:
            async for contacts in reading.batches(body):
                duplicate += await self._stage(name, contacts)
            staged = await self._staged.count_documents(_of(name))
            accepted, seq = await self._put(upload.workspace, name)
        finally:
            await self._staged.delete_many(_of(name))
        report = Report(accepted, reading.invalid, duplicate, staged - accepted, reading.bad_rows)
        if report.empty:
            raise Unreadable("the file holds no rows")
        await self._suppressions.shown(seq)
        return report, max(seq, self._suppressions.seq)

    async def _stage(self, name: str, contacts: Sequence[Contact]) -> int:
        """Keep the numbers until the whole file is read; return how many were there already."""
        rows: list[Document] = [
            {"_id": f"{name}/{phone}", "phone": phone} for phone in {phone for phone, _ in contacts}
        ]
        known = len(contacts) - len(rows)
        try:
            await self._staged.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            errors = (error.details or {}).get("writeErrors", [])
            if any(one["code"] != DUPLICATE_KEY for one in errors) or not errors:
                raise
            known += len(errors)
        return known

    async def _put(self, workspace: str, name: str) -> tuple[int, int]:
        """Put all staged numbers on the list; return how many are new there, and the place."""
        accepted, last = 0, 0
        pieces: list[list[str]] = []
        async for piece in self._pieces(name):
            pieces.append(piece)
            if len(pieces) == AT_ONCE:
                accepted, last = await self._put_all(workspace, pieces, accepted, last)
                pieces = []
        return await self._put_all(workspace, pieces, accepted, last)

    async def _put_all(
        self, workspace: str, pieces: Sequence[Sequence[str]], accepted: int, last: int
    ) -> tuple[int, int]:
        done = await asyncio.gather(
            *(
                self._suppressions.put(workspace, piece, reason=None, source="upload")
                for piece in pieces
            )
        )
        accepted += sum(len(fresh) for fresh, _ in done)
        return accepted, max([last, *(seq for _, seq in done)])

    async def _pieces(self, name: str) -> AsyncIterator[list[str]]:
        async with self._staged.find(_of(name), {"_id": 0, "phone": 1}, batch_size=BATCH) as rows:
            piece: list[str] = []
            async for row in rows:
                piece.append(row["phone"])
                if len(piece) == BATCH:
                    yield piece
                    piece = []
            if piece:
                yield piece


def _of(name: str) -> Document:
    """Return what chooses the numbers of one upload."""
    return {"_id": {"$gt": f"{name}/", "$lt": f"{name}0"}}
