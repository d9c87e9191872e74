"""When a run comes to its end, and how."""

from collections.abc import Callable

import structlog

from campaign_events import tracing
from campaign_events.call import CallsFinished, DiallingBroken
from campaign_events.envelope import Event, derived_id
from campaign_events.eventlog import EventLog
from dialler.facts import append
from dialler.reading import Views
from dialler.run import Run

log = structlog.get_logger(__name__)


class Finisher:
    """Says of one run that nothing is left to do, or that nothing can be done."""

    def __init__(
        self,
        store: EventLog,
        views: Views,
        calls_to: Callable[[], int],
        campaigns_to: Callable[[], int],
    ) -> None:
        self._store = store
        self._views = views
        self._calls_to = calls_to
        self._campaigns_to = campaigns_to

    async def fail(self, run: Run, reason: str) -> None:
        """Say why the run can not go on; live calls still come to their end."""
        log.warning("run broken", campaign=run.campaign, run=run.number, why=reason)
        event = DiallingBroken(run=run.number, reason=reason)
        await self._say(run, event)
        run.broken = True

    async def finish(self, run: Run) -> bool:
        """Say that the run is over, if it is; tell whether that has been said.

        Only when the view holds all of the run's ends, since it tells who is left.
        """
        if run.finished:
            return True
        if not run.is_through or self._calls_to() < run.fences.last:
            return False
        campaign = await self._views.campaigns.find_one({"_id": run.campaign})
        left = 0
        if campaign is not None:
            left = await self._views.eligible(campaign, run.number + 1, self._campaigns_to())
        await self._say(run, CallsFinished(run=run.number, left=left))
        run.finished = True
        return True

    async def _say(self, run: Run, event: Event) -> None:
        name = derived_id(event.type, run.campaign, str(run.number))
        with tracing.span("finish", linked=[run.traceparent], campaign=run.campaign):
            await append(self._store, event, run.address, name=name)
