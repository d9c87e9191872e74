"""Campaigns as requests need them, without a read for each request."""

from collections import OrderedDict
from collections.abc import Set as AbstractSet

from campaign_events.eventlog import EventLog
from campaign_events.problems import Problem
from campaign_events.projection import Document
from campaign_events.projector import Projector
from dispatcher.reading import Views

KEPT = 1_000
CAUGHT_UP_WITHIN_S = 5.0


class UnderWay:
    """Remembers campaigns until the view, which it is told about, says something new of them."""

    def __init__(self, views: Views, log: EventLog, campaigns: Projector) -> None:
        self._views = views
        self._log = log
        self._campaigns = campaigns
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._news = 0

    def heard(self, campaigns: AbstractSet[str]) -> None:
        """Forget the campaigns that a projected batch is about."""
        self._news += 1
        for campaign in campaigns & self._known.keys():
            del self._known[campaign]

    def forget(self) -> None:
        """Forget all of them: somebody else was told what the view says of which."""
        self._news += 1
        self._known.clear()

    async def get(self, workspace: str, campaign_id: str) -> Document | None:
        """Return a campaign of this workspace as the log has it when the request comes.

        Raises:
            Problem: 503 when the view is too far behind to tell.
            Unavailable: the log can not be asked.

        """
        end = await self._log.last_seq(self._campaigns.projection.stream)
        if not await self._campaigns.reached(end, CAUGHT_UP_WITHIN_S):
            raise Problem(503, "core_unavailable", "The campaigns are being read; try again.")
        campaign = self._known.get(campaign_id) or await self._read(campaign_id)
        return campaign if campaign and campaign["workspace"] == workspace else None

    async def _read(self, campaign_id: str) -> Document | None:
        news = self._news
        campaign = await self._views.campaigns.find_one({"_id": campaign_id})
        if campaign is not None and news == self._news:
            self._known[campaign_id] = campaign
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return campaign
