"""For how long each workspace wants its audit records kept: in memory, told by the log."""

import asyncio

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from campaign_events.campaign import SETTINGS, SettingsChanged
from campaign_events.directread import ReadFailed
from campaign_events.eventlog import EventLog

SUBJECT = f"campaign.*.{SETTINGS}.settings_changed"
AGAIN_S = 60.0
"""How often the log is asked when nothing was heard: a word may be missed while disconnected."""
STORED_AFTER_S = 0.2
"""A fact is heard by subscribers a moment before the log has it, also when the log refuses it."""

log = structlog.get_logger(__name__)


class Retention:
    """Days per workspace; `default_days` where nobody has said otherwise."""

    def __init__(self, nc: Client, store: EventLog, default_days: int) -> None:
        self.default_days = default_days
        self._nc = nc
        self._store = store
        self._days: dict[str, int] = {}
        self._read_to = 0
        self._news = asyncio.Event()

    def days(self, workspace: str) -> int:
        """Return for how many days a record of this workspace is kept."""
        return self._days.get(workspace, self.default_days)

    async def run(self) -> None:
        """Know every workspace's wish, and hear of changes at once."""
        subscription = await self._nc.subscribe(SUBJECT, cb=self._heard)
        try:
            while True:
                await self._read()
                await self._something()
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def _read(self) -> None:
        try:
            news = await self._store.load_subject("CAMPAIGNS", SUBJECT, after=self._read_to)
        except (ReadFailed, ValueError) as error:
            log.warning("retention not read", why=repr(error))
            return
        for recorded in news:
            self._read_to = recorded.seq
            if isinstance(recorded.event, SettingsChanged):
                days = recorded.event.settings.retention_days
                self._days[recorded.address.workspace] = days or self.default_days

    async def _something(self) -> None:
        try:
            async with asyncio.timeout(AGAIN_S):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()
        await asyncio.sleep(STORED_AFTER_S)

    async def _heard(self, _: Msg) -> None:
        self._news.set()
