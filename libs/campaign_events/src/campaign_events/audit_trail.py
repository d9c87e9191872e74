"""The way of an audit record to where it is safe: MongoDB, else the fallback file.

One insert at a time carries all records that came meanwhile (a group commit). While records wait
in the file, new ones queue behind them there, so their order stays; the file is read in again by
the next write or within a second or two of MongoDB's return. A record's id makes that once.
"""

import asyncio
import socket
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import orjson
import pymongo
import structlog
from nats.aio.client import Client
from prometheus_client import Counter
from pymongo import WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, PyMongoError

from campaign_events.audit import Record, document
from campaign_events.audit_file import FallbackFile
from campaign_events.audit_repeats import Repeats
from campaign_events.audit_retention import Retention
from campaign_events.projection import Document
from campaign_events.writings import Writings

PATIENCE_S = 0.3
"""For MongoDB, while an answer waits."""
LIMIT_S = 0.9
"""For everything, while an answer waits: auditing delays none by more than a second."""
DRAIN_PATIENCE_S = 2.0
LOOK_S = 0.5
BATCH = 500
STATE = "audit.state"
DUPLICATE = 11000
NEVER = frozenset((2, 9, 121, 10334))
"""Codes of documents that MongoDB will not take however often they are offered."""

RECORDS = Counter("carillon_audit_records", "Audit records by what became of them", ["fate"])

log = structlog.get_logger(__name__)

type Waiting = tuple[bytes, asyncio.Future[None]]


class Trail:
    """One service's pen for the audit trail."""

    def __init__(
        self,
        records: AsyncCollection[Document],
        file: FallbackFile,
        retention: Retention,
    ) -> None:
        durable = WriteConcern("majority", j=True)
        self._records = records.with_options(write_concern=durable)
        self._file = file
        self.retention = retention
        self._repeats = Repeats()
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._drain = asyncio.Event()
        self._told_late_at = float("-inf")

    async def keep(self, record: Record) -> None:
        """Return when the record is safe, or when it has taken as long as it may; then it says so.

        What cannot be kept at all is written to the service's log.
        """
        safe = self.send(record)
        if not (await asyncio.wait({safe}, timeout=LIMIT_S))[0]:
            self._tell_late()

    async def keep_summed(self, record: Record) -> None:
        """Keep the first of many equal records, and count the others."""
        if self._repeats.is_first(record):
            await self.keep(record)

    def send_summed(self, record: Record) -> None:
        """Do as `keep_summed`, and do not wait."""
        if self._repeats.is_first(record):
            self.send(record)

    def send(self, record: Record) -> asyncio.Future[None]:
        """Put a record on its way; the future ends when it is safe or given up."""
        line = record.line(self.retention.days(record.workspace))
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((line, safe))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="audit writer")
        return safe

    async def close(self) -> None:
        """Keep what is still on its way, and let go of the file."""
        for record in self._repeats.over(ending=True):
            self.send(record)
        if self._writing is not None:
            await self._writing
        self._file.close()

    async def hide(self, writings: Writings, workspace: str | None) -> None:
        """Hide a phone in what waits, of one workspace or of all; what is stored is not ours.

        Raises:
            OSError: the disk does not take it.

        """

        def changed(line: bytes) -> bytes:
            hidden = writings.hidden(line)
            if hidden is None or workspace is None:
                return hidden or line
            return hidden if orjson.loads(line)["workspace"] == workspace else line

        self._waiting = [(changed(line), safe) for line, safe in self._waiting]
        await self._file.rewrite(changed)

    @property
    def state(self) -> dict[str, int]:
        """What waits in the file."""
        return {"bytes": self._file.size, "lines": self._file.lines}

    def work(self, nc: Client, service: str) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the service does, by name."""
        return {
            "audit": self._tend(),
            "audit retention": self.retention.run(),
            "audit state": self._tell(nc, service),
        }

    async def _tend(self) -> None:
        """Read the file in again as soon as that works, and sum up what was repeated."""
        while True:
            for record in self._repeats.over():
                self.send(record)
            if self._file.lines:
                await self._read_in()
            self._drain.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._drain.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(LOOK_S / 5)

    async def _tell(self, nc: Client, service: str) -> None:
        """Tell everybody, every second, what waits here: `/diagnostics` adds it up."""
        place = f"{service}@{socket.gethostname()}:{self._file.path}"
        while True:
            if nc.is_connected:
                await nc.publish(STATE, orjson.dumps({"place": place, **self.state}))
            await asyncio.sleep(1)

    def _tell_late(self) -> None:
        """Say that answers leave before their records are safe, once a second at most."""
        RECORDS.labels("late").inc()
        now = time.monotonic()
        if now - self._told_late_at >= 1:
            self._told_late_at = now
            log.error("audit records are late", waiting=len(self._waiting))

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            lines = [line for line, _ in batch]
            try:
                await self._store(lines)
            except BaseException:
                for line in lines:
                    _give_up(line, "the writer failed")
                raise
            finally:
                for _, safe in batch:
                    if not safe.done():
                        safe.set_result(None)

    async def _store(self, lines: Sequence[bytes]) -> None:
        if self._file.lines:
            await self._set_aside(lines)
            self._drain.set()
            return
        try:
            await self._insert(lines, PATIENCE_S)
        except PyMongoError as error:
            log.warning("audit records go to the fallback file", why=repr(error))
            await self._set_aside(lines)
        else:
            RECORDS.labels("stored").inc(len(lines))

    async def _set_aside(self, lines: Sequence[bytes]) -> None:
        try:
            taken, why = await self._file.append(lines), "the fallback file is full"
        except OSError as error:
            taken, why = 0, repr(error)
        RECORDS.labels("buffered").inc(taken)
        for line in lines[taken:]:
            _give_up(line, why)

    async def _read_in(self) -> None:
        """Move what waits into MongoDB, oldest first, until nothing waits or MongoDB is away."""
        moved = 0
        while lines := await self._file.first(BATCH):
            try:
                await self._insert(lines, DRAIN_PATIENCE_S)
            except PyMongoError as error:
                log.info("audit records wait", lines=self._file.lines, why=repr(error))
                return
            await self._file.done(lines)
            RECORDS.labels("stored").inc(len(lines))
            moved += len(lines)
        log.info("audit records read in", lines=moved)

    async def _insert(self, lines: Sequence[bytes], patience_s: float) -> None:
        """Store each record once: one that is there already stays as it is."""
        documents = []
        for line in lines:
            try:
                documents.append(document(line))
            except ValueError as error:
                _give_up(line, str(error))
        if not documents:
            return
        try:
            with pymongo.timeout(patience_s):
                await self._records.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            refused = [one for one in error.details["writeErrors"] if one["code"] != DUPLICATE]
            if error.details["writeConcernErrors"] or any(
                one["code"] not in NEVER for one in refused
            ):
                raise
            for one in refused:
                _give_up(orjson.dumps(documents[one["index"]], default=str), one["errmsg"])


def _give_up(line: bytes, why: str) -> None:
    """Let a record that nobody can store leave the queue, into the service's log."""
    RECORDS.labels("dropped").inc()
    log.error("audit record dropped", why=why, record=line.decode(errors="replace"))
