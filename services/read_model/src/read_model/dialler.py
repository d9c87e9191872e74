"""What the dialler sees of a campaign right now: no view can know it, so it is asked."""

import time
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client

SUBJECT = "dialler.live"
PATIENCE_S = 0.3
HOLDS_S = 1.0
MOST = 10_000
"""Answers held at most; beyond that all are let go and asked for again."""

type Live = dict[str, Any]


@dataclass(slots=True)
class Dialler:
    """Asks about one campaign at most once a second, however many want to know."""

    nc: Client
    _held: dict[str, tuple[float, Live | None]] = field(default_factory=dict)

    async def live(self, workspace: str, campaign_id: str) -> Live | None:
        """Return the `live` block of a campaign (product: section 6); None without an answer."""
        now = time.monotonic()
        held = self._held.get(campaign_id)
        if held is not None and now - held[0] < HOLDS_S:
            return held[1]
        answer = await self._ask(workspace, campaign_id)
        if len(self._held) >= MOST:
            self._held.clear()
        self._held[campaign_id] = now, answer
        return answer

    async def _ask(self, workspace: str, campaign_id: str) -> Live | None:
        question = orjson.dumps({"workspace": workspace, "campaign": campaign_id})
        try:
            reply = await self.nc.request(SUBJECT, question, timeout=PATIENCE_S)
            answer = orjson.loads(reply.data)
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError):
            return None
        return answer if isinstance(answer, dict) and answer else None
