"""How far the views of all services are: each service tells of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nats.errors
from nats.aio.client import Client

from campaign_events import ops
from campaign_events.envelope import Position
from campaign_events.eventlog import EventLog, Unavailable
from campaign_events.problems import Problem
from campaign_events.projector import Projector
from campaign_events.standing import placed

OWN = "read_model"
PATIENCE_S = 0.5

type Filter = tuple[str, str]
"""A stream, and the kind of subject in it that a view follows."""


@dataclass(slots=True)
class Places:
    """Of a service that does not answer the last word holds, and the lag grows."""

    nc: Client
    log: EventLog
    projectors: Sequence[Projector]
    parked: Callable[[Projector], int] = lambda _: 0
    """How many events a view could not digest, with those that wait behind them."""
    _known: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    async def shown(self) -> tuple[list[dict[str, Any]], bool]:
        """Return every view with its lag, and whether the log answers."""
        self._known[OWN] = [placed(one, self.parked(one)) for one in self.projectors]
        if self.nc.is_connected:
            others = [service for service in ops.OWNERS if service != OWN]
            await asyncio.gather(*(self._ask(service) for service in others))
        ends = await self._ends()
        views = [
            _shown(service, view, ends)
            for service in sorted(self._known, key=lambda name: (name != OWN, name))
            for view in self._known[service]
        ]
        return views, bool(ends)

    async def _ask(self, service: str) -> None:
        try:
            self._known[service] = await ops.ask(self.nc, service, "places", within_s=PATIENCE_S)
        except Problem:
            return

    async def _ends(self) -> Mapping[Filter, int]:
        """Return the last sequence of what views follow; nothing when the log does not answer."""
        followed = sorted(
            {(view["stream"], view["subject"]) for some in self._known.values() for view in some}
        )
        if not self.nc.is_connected:
            return {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                ends = await asyncio.gather(*(self.log.last_seq(*each) for each in followed))
        except (nats.errors.Error, Unavailable, TimeoutError):
            return {}
        return dict(zip(followed, ends, strict=True))


def _shown(service: str, view: Mapping[str, Any], ends: Mapping[Filter, int]) -> dict[str, Any]:
    end = ends.get((view["stream"], view["subject"]), view["seq"])
    return {
        "name": f"{service}.{view['name']}",
        "position": str(Position.of(view["stream"], view["seq"])),
        "lag": max(0, end - view["seq"]),
        "parked": view["parked"],
    }
