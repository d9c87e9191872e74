"""The overview: eight questions about one workspace, each also asked on its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from campaign_events.access import Caller
from campaign_events.envelope import rfc3339
from campaign_events.paging import Page, whole
from campaign_events.presentation import campaign as campaign_row
from campaign_events.projection import Document
from campaign_events.seen import ENOUGH_S
from read_model.core import Core
from read_model.diagnostics import Diagnostics
from read_model.kept import Kept
from read_model.projections import Views
from read_model.views import (
    activity,
    campaigns,
    delivery,
    funnel,
    numbers,
    pulse,
    runs,
    top_authors,
)

INTERVAL_S = 5
DAYS = 30
TOP = Page(limit=10, after=None)
HELD = timedelta(seconds=1)
"""For how long a whole overview is shown at most: nothing in it may be over by then."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The campaigns that are active now, with their counters."""

    rows: Sequence[Document]
    totals: Mapping[str, delivery.Totals]


@dataclass(frozen=True, slots=True)
class Known:
    """What of the overview changes with campaigns only, whatever their messages do."""

    counts: Document
    active: Sequence[Document]
    recent: Sequence[Document]
    authors: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """Every part, and the JSON of all of them."""

    parts: Mapping[str, Any]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Overview:
    """Answers what the overview page asks. Nothing here counts messages; all is kept by folds."""

    views: Views
    core: Core
    diagnostics: Diagnostics
    counts: Kept[Document]
    of_campaigns: Kept[Known]
    wholes: Kept[Whole]

    async def whole(self, workspace: str) -> Whole:
        """Return every part at once, as the page wants it; read once a second while nothing moves.

        What passes with time (deliveries of the last seconds, hours) passes with whole seconds.
        """
        moment = (int(time.time()), (await self.core.health()).status)
        return await self.wholes.get(workspace, lambda: self._whole(workspace), moment)

    async def _whole(self, workspace: str) -> Whole:
        now = datetime.now(UTC)
        known, health = await asyncio.gather(self._known(workspace), self.core.health())
        sms, voice = numbers.by_channel([*known.active, *known.recent])
        chosen = [
            delivery.chosen(campaigns.ids(sms)),
            pulse.chosen(workspace, now, INTERVAL_S),
            activity.chosen(workspace, "sms", now),
        ]
        counted, called, diagnosed = await asyncio.gather(
            self.views.counters.find({"$or": chosen}).to_list(),
            runs.of(self.views.runs, voice),
            self.diagnostics.shown(workspace, within_s=ENOUGH_S),
        )
        totals = delivery.by_id(counted) | called
        under_way = UnderWay(
            known.active, {one: totals[one] for one in campaigns.ids(known.active) if one in totals}
        )
        parts = {
            "kpi": funnel.kpi(known.counts),
            "pulse": _pulse(under_way, pulse.count(counted), INTERVAL_S, health.status, now),
            "delivery": delivery.donut(under_way.rows, under_way.totals, now + HELD),
            "funnel": funnel.funnel(known.counts),
            "activity": whole(activity.shown(counted, now)),
            "top_authors": known.authors,
            "recent": _recent(known.recent, totals),
            "diagnostics": diagnosed,
        }
        return Whole(parts, orjson.dumps(parts))

    async def _known(self, workspace: str) -> Known:
        """Return what changes with campaigns only; authors are counted by day."""
        today = datetime.now(UTC).date()
        return await self.of_campaigns.get(workspace, lambda: self._of_campaigns(workspace), today)

    async def _of_campaigns(self, workspace: str) -> Known:
        counts, active, newest, authors = await asyncio.gather(
            self._counts(workspace),
            campaigns.active(self.views.campaigns, workspace),
            campaigns.recent(self.views.campaigns, workspace),
            self.top_authors(workspace, DAYS, TOP),
        )
        return Known(counts, active, newest, authors)

    async def kpi(self, workspace: str) -> dict[str, int]:
        """Return the four tiles, from one document."""
        return funnel.kpi(await self._counts(workspace))

    async def funnel(self, workspace: str) -> dict[str, Any]:
        """Return the number of campaigns per status, from the same document."""
        return funnel.funnel(await self._counts(workspace))

    async def pulse(self, workspace: str, interval_s: int) -> dict[str, Any]:
        """Return what moves right now."""
        now = datetime.now(UTC)
        under_way, delivered, health = await asyncio.gather(
            self._under_way(workspace),
            pulse.delivered(self.views.counters, workspace, now, interval_s),
            self.core.health(),
        )
        return _pulse(under_way, delivered, interval_s, health.status, now)

    async def delivery(self, workspace: str) -> dict[str, Any]:
        """Return the donut over all active campaigns."""
        under_way = await self._under_way(workspace)
        return delivery.donut(under_way.rows, under_way.totals, datetime.now(UTC))

    async def activity(self, workspace: str, channel: str) -> dict[str, Any]:
        """Return the last 24 hours."""
        now = datetime.now(UTC)
        hours = self.views.call_hours if channel == "voice" else self.views.counters
        return whole(await activity.last_day(hours, workspace, channel, now))

    async def top_authors(self, workspace: str, days: int, page: Page) -> dict[str, Any]:
        """Return the authors by the number of campaigns that they created."""
        now = datetime.now(UTC)
        found = await top_authors.ranking(self.views.authors, workspace, now, days, page)
        return page.answer(found, lambda entry: int(entry["place"]), top_authors.shown)

    async def recent(self, workspace: str) -> dict[str, Any]:
        """Return the newest campaigns. What a caller may do with them is not told here."""
        rows = await campaigns.recent(self.views.campaigns, workspace)
        return _recent(rows, await numbers.of(self.views.counters, self.views.runs, rows))

    async def _counts(self, workspace: str) -> Document:
        return await self.counts.get(
            workspace, lambda: funnel.counts(self.views.funnels, workspace)
        )

    async def _under_way(self, workspace: str) -> UnderWay:
        rows = await campaigns.active(self.views.campaigns, workspace)
        return UnderWay(rows, await delivery.of(self.views.counters, campaigns.ids(rows)))


def _recent(rows: Sequence[Document], totals: Mapping[str, numbers.Totals]) -> dict[str, Any]:
    nobody = Caller(id="", name="", workspace="", roles=frozenset())
    shown = (campaign_row(row, totals.get(row["_id"], {}), nobody, detail=False) for row in rows)
    return whole([{name: row[name] for name in row if name != "actions"} for row in shown])


def _pulse(
    under_way: UnderWay, delivered: int, interval_s: int, core: str, now: datetime
) -> dict[str, Any]:
    return {
        "in_flight": delivery.in_flight(under_way.totals),
        "delivered": delivered,
        "interval_s": interval_s,
        "core": core,
        "as_of": rfc3339(now),
    }
