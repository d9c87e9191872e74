"""From the socket to the campaign's audience: one pass, bounded memory, all or nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from campaign.audience import Audiences, AudienceWriter
from campaign.campaign import campaign_decider
from campaign.commands import AcceptContacts
from campaign.contacts import BadRow, Contact, ContactReader
from campaign.files import UploadedFile
from campaign.rows import NumberList, Table, Unreadable
from campaign.suppressed import SuppressionList
from campaign_events.envelope import Actor, Address, Origin, Position
from campaign_events.eventlog import EventLog, execute

BATCH = 2000
PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way to one campaign."""

    address: Address
    file: UploadedFile
    default_region: str | None
    by: Actor
    origin: Origin


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows; the four counts are disjoint."""

    accepted: int
    invalid: int
    duplicate: int
    suppressed: int
    bad_rows: tuple[BadRow, ...]


class Uploads:
    """Takes files in. Until the log says so, the earlier audience stays the campaign's."""

    def __init__(self, log: EventLog, audiences: Audiences, suppressions: SuppressionList) -> None:
        self._log = log
        self._audiences = audiences
        self._suppressions = suppressions

    async def take(self, upload: Upload, body: AsyncIterator[bytes]) -> tuple[Report, Position]:
        """Store the contacts of a body and make them the campaign's audience.

        Raises:
            Unreadable: the file is not what it should be; nothing has changed.
            Refused: the campaign can not be given contacts any more.
            UploadLost: the upload stood still for too long.

        """
        audience = upload.origin.command_id
        async with self._audiences.writing(audience, upload.address):
            report = await self._store(upload, audience, body)
            await self._audiences.seal(audience)
            await self._audiences.expect_change(upload.address.thing)
            command = AcceptContacts(
                audience,
                report.accepted,
                report.invalid,
                report.duplicate,
                report.suppressed,
                upload.by,
            )
            _, position = await execute(
                self._log, campaign_decider, upload.address, command, upload.origin
            )
        await self._audiences.doubt_all(upload.address.thing)
        return report, position

    async def _store(self, upload: Upload, audience: str, body: AsyncIterator[bytes]) -> Report:
        workspace = upload.address.workspace
        writer = AudienceWriter(self._audiences, self._suppressions, workspace, audience)
        reading = _Reading(upload)
        try:
            async for contacts in reading.batches(body):
                await writer.add(contacts)
            await writer.settled()
        finally:
            await writer.abandon()
        report = Report(
            writer.accepted,
            reading.invalid,
            writer.duplicate,
            writer.suppressed,
            reading.bad_rows,
        )
        if not any((report.accepted, report.invalid, report.suppressed)):
            raise Unreadable("the file holds no rows")
        return report


class _Reading:
    """Reads the file in threads, piece by piece, so that the event loop goes on turning."""

    def __init__(self, upload: Upload) -> None:
        self._file = upload.file
        self._region = upload.default_region
        self._reader: ContactReader | None = None

    @property
    def invalid(self) -> int:
        return self._reader.invalid if self._reader else 0

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        return tuple(self._reader.bad_rows) if self._reader else ()

    async def batches(self, body: AsyncIterator[bytes]) -> AsyncIterator[list[Contact]]:
        """Yield the contacts, at most `BATCH` at once, and none held back behind a long piece."""
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
