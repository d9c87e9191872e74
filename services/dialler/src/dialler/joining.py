"""Contacts that join a campaign under way: whoever is not suppressed waits to be called."""

from campaign_events.call import CallsAdded
from campaign_events.eventlog import EventLog
from dialler.closing import spans_of
from dialler.facts import append
from dialler.reading import Views
from dialler.run import Run

STRIDE = 5000


class Joiner:
    """Says who has joined a run; `contacts` is how many the campaign has by now."""

    def __init__(self, store: EventLog, views: Views) -> None:
        self._store = store
        self._views = views
        self.contacts = 0
        self._seen = 0

    async def join(self, run: Run) -> None:
        """Say who has joined since the last look, some at a time."""
        first = max(run.last, self._seen) + 1
        if first > self.contacts:
            return
        last = min(self.contacts, first + STRIDE - 1)
        found = await self._views.contacts_from(run.audience, first, last, STRIDE, ("suppressed",))
        numbers = [one["number"] for one in found if not one.get("suppressed")]
        for span in spans_of(numbers):
            event = CallsAdded(run=run.number, first=span[0], last=span[1])
            seq, _ = await append(self._store, event, run.address, after=run.fences.added)
            run.added(*span, seq)
        self._seen = last
