"""Asking the carrier about messages whose report is overdue (`query_sm`).

Nothing is indexed for it that a report would have to change: campaigns are found by when they were
submitted to last, and their messages are walked in row order, a stretch at a time. What the carrier
says comes back as a report. A message whose submit was not answered has no id to ask by.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import structlog
from prometheus_client import Counter
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.backoff import Backoff
from campaign_events.projection import Document
from dispatcher.blocks import block_ids, messages_in
from dispatcher.links.link import Link, Question, Source, Told
from dispatcher.links.settings import LinkSettings

QUERIES = Counter("carillon_link_queries", "Overdue messages asked about", ["link", "told"])

ASKED_FOR: Final = timedelta(hours=24)
"""So long after its last submission a campaign's messages are asked about."""
STRETCH: Final = 2_000
MOST_AT_ONCE: Final = 10
SHARE_OF_WINDOW: Final = 0.1
SHARE_OF_RATE: Final = 0.25
PASSES_PER_WAIT: Final = 2
SHORTEST_PAUSE_S: Final = 0.5
FEW: Final = 5
"""So many questions in a row without any news, and the carrier is left alone for a while."""
LEFT_ALONE_S: Final = 3600.0

log = structlog.get_logger(__name__)


class Seen(Protocol):
    """The views that say what is overdue."""

    @property
    def blocks(self) -> AsyncCollection[Document]:
        """Every message of which something is known."""
        ...

    @property
    def sendings(self) -> AsyncCollection[Document]:
        """Per campaign, how far sending is."""
        ...

    @property
    def deferred(self) -> AsyncCollection[Document]:
        """Messages that wait to be tried again."""
        ...

    @property
    def campaigns(self) -> AsyncCollection[Document]:
        """Every campaign."""
        ...

    async def source(self, campaign: Document) -> Source | None:
        """Return whom a campaign's messages come from."""
        ...


@dataclass(slots=True)
class Walk:
    """The way through one campaign's messages; before `floor` nothing waits for a report."""

    campaign: str
    source: Source
    at: int
    to: int
    floor: int

    @property
    def over(self) -> bool:
        """Whether all that was taken has been looked at."""
        return self.at >= self.to


@dataclass(slots=True)
class Querying:
    """Asks about the overdue messages of one link, gently."""

    link: Link
    settings: LinkSettings
    views: Seen
    _floor: dict[str, int] = field(default_factory=dict)
    """Per campaign, the number before which nothing waits for a report any more."""
    _backoff: Backoff = field(default_factory=Backoff)
    _in_vain: int = 0
    _left_alone_until: float = float("-inf")

    @property
    def at_once(self) -> int:
        """How many questions may be unanswered together."""
        share = int(self.settings.unanswered * SHARE_OF_WINDOW)
        return max(1, min(MOST_AT_ONCE, share))

    @property
    def pause_s(self) -> float:
        """How long between two looks at what is overdue."""
        return max(self.settings.query_after_s / PASSES_PER_WAIT, SHORTEST_PAUSE_S)

    async def run(self) -> None:
        """Look and ask until cancelled; do nothing on a link that never asks."""
        if not self.settings.query_after_s:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(self.pause_s)
            if self.link.up and time.monotonic() >= self._left_alone_until:
                await self.look()

    async def look(self) -> None:
        """Ask once about every message that is overdue now, the campaigns in turn."""
        walks = await self._walks()
        while walks:
            for walk in list(walks):
                goes_on = True
                with self._backoff.guarding(walk.campaign):
                    goes_on = await self._step(walk)
                if not goes_on:
                    return
                if self._backoff.rests(walk.campaign):
                    walks.remove(walk)
                elif walk.over:
                    self._floor[walk.campaign] = min(walk.floor, walk.to)
                    walks.remove(walk)

    async def _walks(self) -> list[Walk]:
        """Return the way through each of this link's campaigns with reports to come."""
        now = datetime.now(UTC)
        wanted = {"last_submitted_at": {"$gt": now - ASKED_FOR}, "submitted": {"$gt": 0}}
        found = self.views.sendings.find(wanted, {"_id": 1})
        names = [row["_id"] async for row in found]
        self._floor = {name: self._floor.get(name, 0) for name in names}
        mine = {"_id": {"$in": names}, "settings.link_id": self.settings.id}
        walks: list[Walk] = []
        async for row in self.views.campaigns.find(mine):
            if self._backoff.rests(row["_id"]):
                continue
            with self._backoff.guarding(row["_id"]):
                if (walk := await self._walk(row)) is not None:
                    walks.append(walk)
        return walks

    async def _walk(self, campaign: Document) -> Walk | None:
        """Return a way from where the first message waits, or may yet be submitted and wait."""
        source = await self.views.source(campaign)
        name = campaign["_id"]
        resting = {"campaign": name, "due_at": {"$exists": True}}
        # In this order: a message that rests is taken next, so none is missed in between.
        first = await self.views.deferred.find_one(resting, {"number": 1}, sort=[("number", 1)])
        sending = await self.views.sendings.find_one({"_id": name}, {"taken_to": 1, "open": 1})
        if source is None or sending is None:
            return None
        to = sending.get("taken_to", 0)
        unsubmitted = [*sending.get("open", ()), first["number"] if first else to + 1]
        return Walk(name, source, self._floor[name], to, min(unsubmitted) - 1)

    async def _step(self, walk: Walk) -> bool:
        """Ask about one stretch of a campaign; False when the carrier is better left alone."""
        overdue_at = datetime.now(UTC) - timedelta(seconds=self.settings.query_after_s)
        waiting = await self._waiting(walk.campaign, walk.at, walk.at + STRETCH)
        walk.at += STRETCH
        if waiting:
            walk.floor = min(walk.floor, waiting[0]["number"] - 1)
        return await self._ask([row for row in waiting if row["submitted_at"] <= overdue_at], walk)

    async def _waiting(self, campaign: str, after: int, to: int) -> Sequence[Document]:
        """Return what of a stretch waits for reports, in row order."""
        wanted = {"_id": block_ids(campaign, after + 1, to), "counts.submitted": {"$gt": 0}}
        blocks = await self.views.blocks.find(wanted).sort("_id").to_list()
        return [
            row
            for block in blocks
            for row in messages_in(block, "submitted")
            if after < row["number"] <= to
        ]

    async def _ask(self, overdue: Sequence[Document], walk: Walk) -> bool:
        """Ask a few at a time; False when the carrier is better left alone."""
        questions = [Question(name, walk.source) for row in overdue for name in _unreported(row)]
        for start in range(0, len(questions), self.at_once):
            some = questions[start : start + self.at_once]
            if not self.link.up:
                return False
            began = time.monotonic()
            told = await self.link.ask(some)
            if not self._learnt(told):
                return False
            takes = len(some) / (self.settings.segments_per_second * SHARE_OF_RATE)
            await asyncio.sleep(max(0.0, takes - (time.monotonic() - began)))
        return True

    def _learnt(self, told: Sequence[Told]) -> bool:
        """Count the answers; False when there have been too many in a row that told nothing."""
        for one in told:
            QUERIES.labels(self.settings.id, one).inc()
            self._in_vain = 0 if one in ("final", "interim") else self._in_vain + 1
        if self._in_vain < FEW:
            return True
        self._in_vain = 0
        self._left_alone_until = time.monotonic() + LEFT_ALONE_S
        why = told[-1]
        log.warning("query_sm is in vain", link=self.settings.id, told=why, rest_s=LEFT_ALONE_S)
        return False


def _unreported(row: dict[str, Any]) -> list[str]:
    """Return the ids, as the carrier wrote them, of the parts that were not reported yet."""
    ids = row.get("given_ids") or row["carrier_ids"]
    ends = row.get("ends", {})
    return [name for part, name in enumerate(ids) if name and str(part) not in ends]
