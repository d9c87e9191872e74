"""From the socket to the campaign's audience: one pass, bounded memory, all or nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from campaign.audience import Audiences, AudienceWriter
from campaign.campaign import campaign_decider
from campaign.commands import AcceptContacts
from campaign.suppressed import SuppressionList
from campaign.upload_pace import UploadPace
from campaign_events.envelope import Actor, Address, Origin, Position
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.uploads.files import UploadedFile
from campaign_events.uploads.reading import Reading, Report
from campaign_events.uploads.rows import Unreadable


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way to one campaign."""

    address: Address
    file: UploadedFile
    default_region: str | None
    by: Actor
    origin: Origin


class Uploads:
    """Takes files in. Until the log says so, the earlier audience stays the campaign's."""

    def __init__(
        self,
        log: EventLog,
        audiences: Audiences,
        suppressions: SuppressionList,
        pace: UploadPace,
    ) -> None:
        self._log = log
        self._audiences = audiences
        self._suppressions = suppressions
        self._pace = pace

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
        reading = Reading(upload.file, upload.default_region)
        try:
            async for contacts in reading.batches(body):
                async with self._pace.turn() as whole:
                    await writer.add(contacts)
                    if whole:
                        await writer.settled()
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
        if report.empty:
            raise Unreadable("the file holds no rows")
        return report
