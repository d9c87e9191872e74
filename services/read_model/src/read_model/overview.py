"""The overview: eight questions about one workspace, each also asked on its own."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
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
class Counted:
    """All that the views say; only the passing of time makes another overview of it."""

    known: Known
    counters: Sequence[Document]
    calls: Mapping[str, runs.Totals]


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
    counted: Kept[Counted]
    wholes: Kept[Whole]
    _ahead: set[asyncio.Task[Whole]] = field(default_factory=set)

    async def whole(self, workspace: str) -> Whole:
        """Return every part at once, as the page wants it; made once a second while nothing moves.

        What passes with time (deliveries of the last seconds, hours) passes with whole seconds.
        """
        moment = (int(time.time()), (await self.core.health()).status)
        return await self.wholes.get(workspace, lambda: self._whole(workspace), moment)

    def read_ahead(self, workspaces: Iterable[str]) -> None:
        """Read what many ask for as soon as a view has moved, so that few of them have to wait."""
        for workspace in workspaces:
            if self.wholes.is_wanted(workspace):
                reading = asyncio.create_task(self.whole(workspace))
                self._ahead.add(reading)
                reading.add_done_callback(self._was_read)

    def _was_read(self, reading: asyncio.Task[Whole]) -> None:
        """Let go of it; if it failed, whoever asks next reads again and is told."""
        self._ahead.discard(reading)
        if not reading.cancelled():
            reading.exception()

    async def _whole(self, workspace: str) -> Whole:
        counted, health, diagnosed = await asyncio.gather(
            self.counted.get(workspace, lambda: self._counted(workspace), _today()),
            self.core.health(),
            self.diagnostics.shown(workspace, within_s=ENOUGH_S),
        )
        now, known, counters = datetime.now(UTC), counted.known, counted.counters
        totals = delivery.by_id(counters) | counted.calls
        under_way = UnderWay(
            known.active, {one: totals[one] for one in campaigns.ids(known.active) if one in totals}
        )
        delivered = pulse.count(counters, now, INTERVAL_S)
        parts = {
            "kpi": funnel.kpi(known.counts),
            "pulse": _pulse(under_way, delivered, INTERVAL_S, health.status, now),
            "delivery": delivery.donut(under_way.rows, under_way.totals, now + HELD),
            "funnel": funnel.funnel(known.counts),
            "activity": whole(activity.shown(counters, now)),
            "top_authors": known.authors,
            "recent": whole(_recent(known.recent, totals)),
            "diagnostics": diagnosed,
        }
        return Whole(parts, orjson.dumps(parts))

    async def _counted(self, workspace: str) -> Counted:
        """Read the counters of the campaigns that are shown, of the last seconds and hours."""
        known, now = await self._known(workspace), datetime.now(UTC)
        sms, voice = numbers.by_channel([*known.active, *known.recent])
        chosen = [
            delivery.chosen(campaigns.ids(sms)),
            pulse.chosen(workspace, now, INTERVAL_S),
            activity.chosen(workspace, "sms", now),
        ]
        counters, called = await asyncio.gather(
            self.views.counters.find({"$or": chosen}).to_list(), runs.of(self.views.runs, voice)
        )
        return Counted(known, counters, called)

    async def _known(self, workspace: str) -> Known:
        """Return what changes with campaigns only."""
        return await self.of_campaigns.get(
            workspace, lambda: self._of_campaigns(workspace), _today()
        )

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

    async def activity(self, workspace: str, channel: str) -> list[dict[str, Any]]:
        """Return the last 24 hours."""
        now = datetime.now(UTC)
        hours = self.views.call_hours if channel == "voice" else self.views.counters
        return await activity.last_day(hours, workspace, channel, now)

    async def top_authors(self, workspace: str, days: int, page: Page) -> dict[str, Any]:
        """Return the authors by the number of campaigns that they created."""
        now = datetime.now(UTC)
        found = await top_authors.ranking(self.views.authors, workspace, now, days, page)
        return page.answer(found, lambda entry: int(entry["place"]), top_authors.shown)

    async def recent(self, workspace: str) -> list[dict[str, Any]]:
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


def _today() -> date:
    """Return the day, with which the counts of authors pass."""
    return datetime.now(UTC).date()


def _recent(rows: Sequence[Document], totals: Mapping[str, numbers.Totals]) -> list[dict[str, Any]]:
    nobody = Caller(id="", name="", workspace="", roles=frozenset())
    shown = (campaign_row(row, totals.get(row["_id"], {}), nobody, detail=False) for row in rows)
    return [{name: row[name] for name in row if name != "actions"} for row in shown]


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
