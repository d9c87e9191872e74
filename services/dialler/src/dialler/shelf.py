"""Who is dialled next, read ahead: a few reads for up to `CHUNK` contacts."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf

from pymongo import ASCENDING

from campaign_events.call import AttemptKind
from campaign_events.projection import Document
from dialler.caps import longest
from dialler.reading import Views
from dialler.redial import Terms, placeable
from dialler.run import VIEW_LAG_S, Candidate, Closed, Run
from dialler.zones import zone_of

CHUNK = 500
LOW = 100
MOST_BLOCKED = 20_000
WANTED = ("phone", "variables", "suppressed")


class Shelf:
    """Puts the next contacts of a run where they can be taken from."""

    def __init__(self, views: Views, folded_to: Callable[[], int]) -> None:
        self._views = views
        self._folded_to = folded_to

    async def fill(self, run: Run, now: datetime) -> None:
        """Read ahead when little is left: who is due again, and the next in row order."""
        run.unsettled(self._folded_to(), now.timestamp())
        if run.callbacks + run.retries and run.look_at <= now.timestamp():
            await self._fill_due(run, now)
        if run.skipped_until <= now.timestamp():
            run.read_to, run.skipped_until = run.low, inf
            run.fresh.clear()
        if run.pending > len(run.fresh) and len(run.fresh) < LOW:
            if run.read_to < run.last:
                await self._fill_fresh(run, now)
            elif not (run.fresh or run.moved or run.retries or run.callbacks or run.given_up):
                self._look_again(run)

    def _look_again(self, run: Run) -> None:
        """Begin anew: somebody should wait, but the end of the audience is reached."""
        if run.skipped_until == inf:
            run.fruitless += 1
            run.read_to = run.low = 0

    async def _fill_due(self, run: Run, now: datetime) -> None:
        """Put callbacks and retries in line, those that have been due for longest first."""
        folded_to = self._folded_to()
        not_these = run.unsettled(folded_to, now.timestamp())
        look_at = max(run.unseen_due, now.timestamp() + VIEW_LAG_S)
        kinds: tuple[tuple[AttemptKind, deque[Candidate], int], ...] = (
            ("callback", run.called_back, run.callbacks),
            ("retry", run.retried, run.retries),
        )
        for kind, ready, count in kinds:
            if len(ready) >= LOW:
                look_at = now.timestamp() + VIEW_LAG_S
                continue
            rows = await self._due(run, f"{kind}_scheduled", not_these) if count else []
            over = [row for row in rows if row["due_at"] <= now]
            if len(rows) > len(over):
                look_at = min(look_at, rows[len(over)]["due_at"].timestamp())
            elif len(rows) > CHUNK:
                look_at = now.timestamp() + VIEW_LAG_S
            if over:
                ready.extend(await self._placeable(run, over, kind, now))
        run.look_at = min((look_at, *run.blocked.values()))

    async def _due(self, run: Run, status: str, not_these: set[int]) -> list[Document]:
        wanted = {
            "campaign": run.campaign,
            "run": run.number,
            "status": status,
            "due_at": {"$exists": True},
        }
        left_out = list(not_these | run.blocked.keys())
        if left_out:
            wanted["number"] = {"$nin": left_out}
        found = self._views.calls.find(wanted).sort("due_at", ASCENDING)
        return await found.limit(CHUNK + 1).to_list()

    async def _placeable(
        self, run: Run, rows: Sequence[Document], kind: AttemptKind, now: datetime
    ) -> list[Candidate]:
        """Return whom window and caps allow to be rung now; the others are blocked for a while."""
        contacts = await self._views.contacts_numbered(
            run.audience, [row["number"] for row in rows], WANTED
        )
        people = []
        for row in rows:
            contact = contacts.get(row["number"])
            if contact is None or "phone" not in contact:
                run.given_up[row["number"]] = kind, "manual_stopped"
                continue
            sequence, connected = row["attempts"] + 1, row.get("connected", False)
            people.append(_candidate(run, contact, now, kind, sequence, connected=connected))
        return await self._rung_now(run, people, now)

    async def _fill_fresh(self, run: Run, now: datetime) -> None:
        """Put the next of the audience at the end, but for those who do not wait for a dial."""
        first = run.read_to + 1
        contacts = await self._views.contacts_from(run.audience, first, run.last, CHUNK, WANTED)
        if not contacts:
            run.read_to = run.last
            return
        last = contacts[-1]["number"]
        out = await self._views.not_fresh(run.campaign, run.number, first, last)
        out |= run.moved.keys()
        people = [
            _candidate(run, contact, now, "first", 1, connected=False)
            for contact in contacts
            if contact["number"] not in out and not contact.get("suppressed") and "phone" in contact
        ]
        if run.skipped_until == inf and not (people or run.fresh):
            run.low = last
        if people:
            run.fruitless = 0
        run.fresh.extend(await self._rung_now(run, people, now))
        run.read_to = last

    async def _rung_now(
        self, run: Run, people: Sequence[Candidate], now: datetime
    ) -> list[Candidate]:
        """Return whom clocks and caps allow to be rung now; pass over or give up the others."""
        allowed = await self._allowed(run, people, now)
        found = []
        for one in people:
            closes = run.closes_at(one.timezone)
            if closes is not None and closes <= now:
                run.given_up[one.number] = one.kind, "window_closed"
            elif allowed[one.number] <= now.timestamp():
                found.append(one)
            elif one.kind == "first" or len(run.blocked) < MOST_BLOCKED:
                run.pass_over(one, allowed[one.number])
        return found

    async def _allowed(
        self, run: Run, people: Sequence[Candidate], now: datetime
    ) -> dict[int, float]:
        """Return when each of them may be rung, by their clocks and by the caps."""
        caps = run.settings.contact_caps
        attempts: dict[int, list[datetime]] = {}
        if caps and people:
            numbers = [one.number for one in people]
            attempts = await self._views.attempted(run.campaign, numbers, now - longest(caps))
        allowed: dict[int, float] = {}
        known: dict[str, float] = {}
        for one in people:
            times = attempts.get(one.number, ())
            if times or one.timezone not in known:
                moment = placeable(terms_of(run, one.timezone, times), now)
                at = inf if moment is None else moment.timestamp()
                if times:
                    allowed[one.number] = at
                    continue
                known[one.timezone] = at
            allowed[one.number] = known[one.timezone]
        return allowed


def _candidate(  # noqa: PLR0913 - a contact, and what is known of its call
    run: Run,
    contact: Document,
    now: datetime,
    kind: AttemptKind,
    sequence: int,
    *,
    connected: bool,
) -> Candidate:
    zone = run.settings.time_window.timezone
    if run.settings.respect_contact_timezone:
        zone = zone_of(contact["phone"], contact.get("variables") or {}, zone, now)
    return Candidate(
        number=contact["number"],
        phone=contact["phone"],
        sequence=sequence,
        kind=kind,
        timezone=zone,
        connected_before=connected,
    )


def terms_of(
    run: Run, timezone: str, attempts: Sequence[datetime] = (), over: Closed | None = None
) -> Terms:
    """Return what a contact may be called by."""
    window = run.settings.time_window
    if run.settings.respect_contact_timezone and timezone:
        window = window.model_copy(update={"timezone": timezone})
    return Terms(run.settings, window, attempts, over)
