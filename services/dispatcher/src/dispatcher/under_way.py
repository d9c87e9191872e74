"""Campaigns as requests need them, without a read for each request."""

from collections import OrderedDict

from campaign_events.envelope import Batch
from campaign_events.projection import Document
from dispatcher.reading import Views

KEPT = 1_000


class UnderWay:
    """Remembers campaigns until the view, which it is told about, says something new of them."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._news = 0

    def heard(self, batch: Batch) -> None:
        """Forget the campaigns that a projected batch is about."""
        self._news += 1
        for recorded in batch:
            self._known.pop(recorded.address.thing, None)

    async def get(self, workspace: str, campaign_id: str) -> Document | None:
        """Return a campaign of this workspace as the view has it."""
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
