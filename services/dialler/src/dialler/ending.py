"""Ends of attempts: what they came to, what follows, and the fact that says so."""

from collections.abc import Sequence
from datetime import datetime
from itertools import batched

import structlog
from pymongo.errors import ConnectionFailure

from campaign_events.call import CALLS_BATCH, AttemptEnd, CallsEnded
from campaign_events.eventlog import EventLog
from dialler.calling import Call, outcome
from dialler.caps import longest
from dialler.facts import append
from dialler.reading import Views, as_kept
from dialler.redial import Attempt, Wish, follow
from dialler.refusals import Refusals
from dialler.run import Closed, Run
from dialler.shelf import terms_of
from dialler.telephony.telephony import Ended

log = structlog.get_logger(__name__)

type End = tuple[Call, Ended]
HOPELESS = frozenset(("unallocated",))
UNCARRIED = frozenset(("error", "unallocated", "unsent"))


class Endings:
    """States how attempts of one run ended."""

    def __init__(self, store: EventLog, views: Views, run: Run) -> None:
        self._store = store
        self._views = views
        self._run = run
        self.refusals = Refusals()

    async def store(self, ends: Sequence[End], now: datetime) -> list[AttemptEnd]:
        """Append these ends, and return them once they are durable.

        Raises:
            Conflict: somebody else owns the campaign.

        """
        run = self._run
        earlier = await self._earlier(ends, now)
        told: list[AttemptEnd] = []
        for some in batched(ends, CALLS_BATCH):
            event = CallsEnded(
                run=run.number,
                ends=tuple(self._end(*one, earlier.get(one[0].number, []), now) for one in some),
            )
            seq, _ = await append(self._store, event, run.address, after=run.fences.ended)
            run.ended(event.ends, seq)
            told += event.ends
        return told

    async def _earlier(self, ends: Sequence[End], now: datetime) -> dict[int, list[datetime]]:
        """Return when the contacts were rung before, as far as a cap asks."""
        caps = self._run.settings.contact_caps
        if not caps or not ends:
            return {}
        numbers = [call.number for call, _ in ends]
        try:
            return await self._views.attempted(self._run.campaign, numbers, now - longest(caps))
        except ConnectionFailure as error:
            # Whoever is due before a cap allows it is found out when it would be rung.
            log.warning("MongoDB is away, caps are looked at later", why=repr(error))
            return {}

    def _end(
        self, call: Call, ended: Ended, earlier: Sequence[datetime], now: datetime
    ) -> AttemptEnd:
        run = self._run
        came_to = outcome(call, ended)
        self._count(call, ended)
        wish = ended.callback
        attempt = Attempt(
            sequence=call.sequence,
            outcome=came_to,
            ended_at=now,
            amd=call.amd,
            disposition=ended.disposition,
            wish=None if wish is None else Wish(wish.preferred_time, wish.reason),
            hopeless=ended.outcome in HOPELESS,
            connected=call.connected_at is not None,
        )
        attempts = sorted({*earlier, as_kept(call.dialled_at)})
        fate = follow(attempt, terms_of(run, call.timezone, attempts, self._over(call, now)))
        return AttemptEnd(
            number=call.number,
            sequence=call.sequence,
            outcome=came_to,
            becomes=fate.becomes,
            due_at=fate.due_at,
            callback=fate.callback,
            first_connection=came_to == "connected" and not call.connected_before,
            ringing_at=call.ringing_at,
            answered_at=call.answered_at,
            connected_at=call.connected_at,
            ended_at=ended.at,
            amd=call.amd,
            disposition=ended.disposition,
            hangup_cause=None if ended.cause is None else str(ended.cause),
        )

    def _over(self, call: Call, now: datetime) -> Closed | None:
        if call.number in self._run.barred:
            return "manual_stopped"
        return self._run.over(now)

    def _count(self, call: Call, ended: Ended) -> None:
        carried = call.ringing_at is not None or call.answered_at is not None
        if ended.outcome in UNCARRIED and not carried:
            self.refusals.failed(ended.at)
        elif ended.outcome != "unknown":
            self.refusals.end()
