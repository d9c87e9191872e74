"""How many audit records wait on the disks of all services; each tells it every second."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from campaign_events.audit_trail import STATE

log = structlog.get_logger(__name__)


class _Told(BaseModel):
    place: str
    bytes: int
    lines: int


@dataclass(slots=True)
class Waiting:
    """The sum of what each file's owner said last; what a service that died still holds counts."""

    nc: Client
    _told: dict[str, _Told] = field(default_factory=dict)

    async def run(self) -> None:
        """Listen until cancelled."""
        subscription = await self.nc.subscribe(STATE, cb=self._hear)
        try:
            await asyncio.Event().wait()
        finally:
            if not self.nc.is_closed:
                await subscription.unsubscribe()

    def shown(self) -> dict[str, Any]:
        """Return the sum as the diagnostics show it."""
        lines = sum(told.lines for told in self._told.values())
        return {
            "fallback_bytes": sum(told.bytes for told in self._told.values()),
            "fallback_lines": lines,
            "fallback": "buffering" if lines else "empty",
        }

    async def _hear(self, message: Msg) -> None:
        try:
            told = _Told.model_validate(orjson.loads(message.data))
        except (orjson.JSONDecodeError, ValidationError) as error:
            log.warning("audit state not understood", why=repr(error))
            return
        if told.lines:
            self._told[told.place] = told
        else:
            self._told.pop(told.place, None)
