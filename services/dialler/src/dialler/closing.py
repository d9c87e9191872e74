"""Contacts that wait and will not be called: stopped, excluded, or out of their window.

A step at a time, between the turns of dialling, so that live calls never wait for it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import batched

from campaign_events.call import CALLS_BATCH, CallsClosed, Span
from campaign_events.eventlog import EventLog
from campaign_events.projection import Document
from dialler.facts import append
from dialler.names import call_name, contact_name
from dialler.reading import Views
from dialler.run import Closed, Run

STRIDE = 5000
EXCLUSIONS = 1000


class Closer:
    """Closes what waits of one run."""

    def __init__(self, store: EventLog, views: Views, folded_to: Callable[[], int]) -> None:
        self._store = store
        self._views = views
        self._folded_to = folded_to
        self._scanned_to = 0
        self._missing_closed = False
        self._excluded_seq = 0
        self._undecided: dict[int, int] = {}
        self.news = True
        """Whether something was decided about the campaign since exclusions were looked for."""

    async def close_all(self, run: Run, becomes: Closed, now: float) -> None:
        """Take one step towards nobody waiting any more."""
        moved = run.unsettled(self._folded_to(), now)
        run.put_away()
        run.given_up.clear()
        if run.callbacks or run.retries:
            await self._close_again(run, becomes, moved)
        elif run.pending and self._scanned_to < run.last:
            await self._close_pending(run, becomes)
        elif run.pending and not run.moved:
            await self.close_missing(run, becomes)
            run.pending = 0

    async def close_missing(self, run: Run, becomes: Closed = "manual_stopped") -> None:
        """Close as many as still wait by the count, among the numbers that have no contact.

        So a count comes to its end also when contacts were removed by hand, or an audience was
        lost; who is erased properly leaves a trace and was excluded.
        """
        if self._missing_closed or run.moved or run.given_up:
            return
        self._missing_closed = True
        for first in range(1, run.last + 1, STRIDE):
            last = min(first + STRIDE - 1, run.last)
            found = await self._views.contacts_from(run.audience, first, last, STRIDE, ())
            out = await self._views.not_fresh(run.campaign, run.number, first, last)
            out |= {contact["number"] for contact in found}
            numbers = [number for number in range(first, last + 1) if number not in out]
            for some in batched(spans_of(numbers[: run.pending]), CALLS_BATCH):
                await self._close(run, CallsClosed(run=run.number, becomes=becomes, pending=some))
            if not run.pending:
                return

    async def close_given_up(self, run: Run) -> None:
        """Say of those who were given up that they are closed."""
        given_up, run.given_up = run.given_up, {}
        for becomes in ("manual_stopped", "window_closed"):
            chosen = {number: kind for number, (kind, why) in given_up.items() if why == becomes}
            for numbers in batched(sorted(chosen), CALLS_BATCH):
                await self._say(
                    run,
                    becomes,
                    [number for number in numbers if chosen[number] == "first"],
                    [number for number in numbers if chosen[number] == "retry"],
                    [number for number in numbers if chosen[number] == "callback"],
                )

    async def exclude(self, run: Run, live: set[int], now: float) -> None:
        """Give up who was excluded since the last look, or bar them while their calls live."""
        if self.news:
            self.news = False
            await self._read_exclusions(run)
        if not self._undecided:
            return
        run.unsettled(self._folded_to(), now)
        run.barred |= live & self._undecided.keys()
        early = {number for number in self._undecided if number > run.last}
        unsettled = run.moved.keys() | live | early
        settled = [number for number in self._undecided if number not in unsettled]
        if settled:
            run.forget(set(settled))
            await self._decide(run, settled)
        self._undecided = {
            number: seq
            for number, seq in self._undecided.items()
            if number in early or (number in run.moved and number not in live)
        }

    async def _read_exclusions(self, run: Run) -> None:
        wanted = {"campaign": run.campaign, "seq": {"$gt": max(self._excluded_seq, run.as_of)}}
        found = self._views.excluded.find(wanted).sort("seq").limit(EXCLUSIONS)
        rows = await found.to_list()
        if len(rows) == EXCLUSIONS:
            self.news = True
            rows = [row for row in rows if row["seq"] < rows[-1]["seq"]]
        if rows:
            self._excluded_seq = rows[-1]["seq"]
            self._undecided |= {row["number"]: row["seq"] for row in rows}

    async def _decide(self, run: Run, numbers: Sequence[int]) -> None:
        """Give up those of these numbers who wait."""
        if not numbers:
            return
        names = [call_name(run.campaign, run.number, number) for number in numbers]
        known = {
            row["number"]: row["status"]
            async for row in self._views.calls.find(
                {"_id": {"$in": names}}, {"number": 1, "status": 1}
            )
        }
        for number, status in known.items():
            if status == "retry_scheduled":
                run.given_up[number] = "retry", "manual_stopped"
            elif status == "callback_scheduled":
                run.given_up[number] = "callback", "manual_stopped"
        undialled = [one for one in numbers if one not in known]
        for number in await self._never_dialled(run, undialled):
            run.given_up[number] = "first", "manual_stopped"

    async def _never_dialled(self, run: Run, numbers: Sequence[int]) -> list[int]:
        if not numbers:
            return []
        names = [contact_name(run.campaign, number) for number in numbers]
        done = self._views.done.find({"_id": {"$in": names}, "run": {"$lt": run.number}})
        out = {row["number"] async for row in done}
        spans = await self._views.spans(run.campaign, run.number, min(numbers), max(numbers))
        contacts = await self._views.contacts_numbered(run.audience, numbers, ("suppressed",))
        return [
            number
            for number in numbers
            if number in contacts
            and not contacts[number].get("suppressed")
            and number not in out
            and not any(span["first"] <= number <= span["last"] for span in spans)
        ]

    async def _close_again(self, run: Run, becomes: Closed, moved: set[int]) -> None:
        for status in ("callback_scheduled", "retry_scheduled"):
            numbers = [
                number
                for number in await self._views.waiting(
                    run.campaign, run.number, status, 0, CALLS_BATCH + len(moved)
                )
                if number not in moved
            ][:CALLS_BATCH]
            if numbers and status == "callback_scheduled":
                await self._say(run, becomes, callbacks=numbers)
            elif numbers:
                await self._say(run, becomes, retries=numbers)

    async def _close_pending(self, run: Run, becomes: Closed) -> None:
        first = self._scanned_to + 1
        contacts = await self._views.contacts_from(
            run.audience, first, run.last, STRIDE, ("suppressed",)
        )
        if not contacts:
            self._scanned_to = run.last
            return
        last = contacts[-1]["number"]
        out = await self._views.not_fresh(run.campaign, run.number, first, last)
        out |= run.moved.keys()
        waiting = [one for one in contacts if not one.get("suppressed")]
        numbers = [one["number"] for one in waiting if one["number"] not in out]
        for some in batched(spans_of(numbers), CALLS_BATCH):
            await self._close(run, CallsClosed(run=run.number, becomes=becomes, pending=some))
        self._scanned_to = last

    async def _say(
        self,
        run: Run,
        becomes: Closed,
        pending: Sequence[int] = (),
        retries: Sequence[int] = (),
        callbacks: Sequence[int] = (),
    ) -> None:
        event = CallsClosed(
            run=run.number,
            becomes=becomes,
            pending=tuple(spans_of(pending)),
            retries=tuple(retries),
            callbacks=tuple(callbacks),
        )
        await self._close(run, event)

    async def _close(self, run: Run, event: CallsClosed) -> None:
        seq, _ = await append(self._store, event, run.address, after=run.fences.closed)
        run.closed(event, seq)


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """Return ascending numbers as runs without gaps."""
    found: list[Span] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def joined(contacts: Iterable[Document]) -> list[Span]:
    """Return the spans of those contacts that may be called."""
    return spans_of(one["number"] for one in contacts if not one.get("suppressed"))
