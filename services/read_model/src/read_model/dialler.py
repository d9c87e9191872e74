"""What the dialler sees of a campaign right now: no view can know it, so it is asked."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client

from campaign_events.seen import HOLDS_S, Seen

SUBJECT = "dialler.live"
PATIENCE_S = 0.3
MOST = 10_000
"""Answers held at most; beyond that all are let go and asked for again."""

type Live = dict[str, Any]


@dataclass(slots=True)
class Dialler:
    """Asks about one campaign at most once a second, however many want to know."""

    nc: Client
    _seen: dict[str, Seen[Live | None]] = field(default_factory=dict)

    async def live(self, workspace: str, campaign_id: str) -> Live | None:
        """Return the `live` block of a campaign (product: section 6); None without an answer."""
        if campaign_id not in self._seen:
            if len(self._seen) >= MOST:
                self._seen.clear()
            self._seen[campaign_id] = Seen(partial(self._ask, workspace, campaign_id), None)
        return await self._seen[campaign_id].get(HOLDS_S)

    async def _ask(self, workspace: str, campaign_id: str) -> Live | None:
        question = orjson.dumps({"workspace": workspace, "campaign": campaign_id})
        try:
            reply = await self.nc.request(SUBJECT, question, timeout=PATIENCE_S)
            answer = orjson.loads(reply.data)
        except (nats.errors.Error, TimeoutError, orjson.JSONDecodeError):
            return None
        return answer if isinstance(answer, dict) and answer else None
