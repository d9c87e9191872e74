"""The calls of a run in row order: what the views hold, and the rest from the audience.

Everything is read by index, in spans of numbers or pages of a status; nothing is read whole.
"""

from collections.abc import Mapping, Sequence

from campaign_events.call import CallState
from campaign_events.projection import Document
from dialler.names import call_name, run_name
from dialler.reading import Views

STRIDE = 2000
"""How many contacts are looked at together."""
MOST_STRIDES = 50
"""A page that finds too little in so many strides is shorter; its cursor goes on behind them."""
LIVE = frozenset(
    ("leased", "dialling", "ringing", "amd_screening", "attaching", "in_progress", "_processing")
)
SPANNED = frozenset(("pending", "window_closed", "manual_stopped"))
"""Who was never dialled has no document: these need a look through the audience."""
SHOWN = dict.fromkeys(
    (*("number", "status", "attempts", "outcome", "disposition"), *("due_at", "callback")), 1
) | {"_id": 0}

type Page = tuple[list[Document], int | None]
"""Calls, and the number behind which the next page begins, if there is one."""


class Listing:
    """Pages through one run of a campaign."""

    def __init__(self, views: Views, campaign: Document, run: int) -> None:
        self._views = views
        self._id: str = campaign["_id"]
        self._audience: str = campaign.get("audience", "")
        self._last: int = campaign.get("contacts", 0)
        self._run = run
        self._is_current = run == campaign["run"]

    async def page(
        self, status: CallState | None, after: int, limit: int, *, callback: bool | None = None
    ) -> Page:
        """Return up to `limit` calls behind a number, each with its contact."""
        if callback:
            wanted: Document = {"callback": {"$exists": True}}
            return await self._known(wanted | ({"status": status} if status else {}), after, limit)
        if status in LIVE:
            return await self._live(status, after, limit)
        if status is not None and status not in SPANNED:
            no_callback = {} if callback is None else {"callback": {"$exists": False}}
            return await self._known({"status": status, **no_callback}, after, limit)
        return await self._scan(status, after, limit, callback=callback)

    async def _known(self, wanted: Document, after: int, limit: int) -> Page:
        """Return calls that have documents, by an index that ends in the number."""
        these = {"campaign": self._id, "run": self._run, "number": {"$gt": after}, **wanted}
        found = self._views.calls.find(these, SHOWN, batch_size=limit + 2).sort("number")
        rows = await found.limit(limit + 1).to_list()
        return await self._joined(rows, limit)

    async def _live(self, status: str, after: int, limit: int) -> Page:
        these = {"campaign": self._id, "run": self._run, "number": {"$gt": after}, "state": status}
        found = self._views.live.find(these, {"number": 1}).sort("number").limit(limit + 1)
        numbers = [row["number"] for row in await found.to_list()]
        names = [call_name(self._id, self._run, number) for number in numbers]
        known = await self._views.calls.find({"_id": {"$in": names}}, SHOWN).to_list()
        rows = [row for row in known if row["status"] in LIVE]
        return await self._joined(sorted(rows, key=_number), limit)

    async def _joined(self, rows: Sequence[Document], limit: int) -> Page:
        """Return the rows of one page with their contacts and live states."""
        page = list(rows[:limit])
        numbers = [row["number"] for row in page]
        contacts = await self._views.contacts_numbered(
            self._audience, numbers, ("phone", "variables")
        )
        for row in page:
            _complete(row, contacts.get(row["number"]))
        await self._show_live(page)
        return page, page[-1]["number"] if len(rows) > limit else None

    async def _scan(
        self, status: CallState | None, after: int, limit: int, *, callback: bool | None
    ) -> Page:
        """Look through the audience, stride by stride, for calls of any or of one status."""
        found: list[Document] = []
        if not self._is_current:
            run = await self._views.runs.find_one({"_id": run_name(self._id, self._run)})
            self._last = 0 if run is None else run["last"]
        for _ in range(MOST_STRIDES):
            rows, last = await self._stride(after, limit if status is None else STRIDE)
            for row in rows:
                passes = status is None or row["status"] == status
                if passes and (callback is None or "callback" not in row):
                    found.append(row)
            if len(found) > limit:
                page = found[:limit]
                await self._show_live(page)
                return page, page[-1]["number"]
            if last is None:
                await self._show_live(found)
                return found, None
            after = last
        await self._show_live(found)
        return found, after

    async def _stride(self, after: int, limit: int) -> tuple[list[Document], int | None]:
        """Return the calls behind a number, and where to go on, if there are more contacts."""
        contacts = await self._views.contacts_from(
            self._audience, after + 1, self._last, limit + 1, ("phone", "variables", "suppressed")
        )
        if not contacts:
            return [], None
        first, last = contacts[0]["number"], contacts[-1]["number"]
        names = {
            "$gte": call_name(self._id, self._run, first),
            "$lte": call_name(self._id, self._run, last),
        }
        calls = self._views.calls.find({"_id": names}, SHOWN, batch_size=limit + 2)
        known = {row["number"]: row async for row in calls}
        closed = await self._closed(first, last)
        out = await self._views.not_waiting(self._id, self._run, first, last)
        rows = []
        for contact in contacts:
            number = contact["number"]
            row = known.get(number)
            if row is None and (status := closed.get(number)):
                row = {"number": number, "status": status}
            elif row is None and number not in out and not contact.get("suppressed"):
                row = {"number": number, "status": "pending"}
            if row is not None:
                rows.append(_complete(row, contact))
        return rows, last if len(contacts) > limit else None

    async def _closed(self, first: int, last: int) -> dict[int, str]:
        """Return what became of those who were closed before a first dial."""
        return {
            number: span["becomes"]
            for span in await self._views.spans(self._id, self._run, first, last)
            for number in range(max(span["first"], first), min(span["last"], last) + 1)
        }

    async def _show_live(self, rows: Sequence[Document]) -> None:
        """Say of calls that live where they are just now, as their owner wrote it down."""
        live = {row["number"]: row for row in rows if row["status"] in LIVE}
        if not live:
            return
        names = [call_name(self._id, self._run, number) for number in live]
        async for note in self._views.live.find({"_id": {"$in": names}}):
            live[note["number"]]["status"] = note["state"]


def _complete(row: Document, contact: Mapping[str, object] | None) -> Document:
    row["phone"] = None if contact is None else contact.get("phone")
    row["variables"] = {} if contact is None else contact.get("variables") or {}
    return row


def _number(row: Document) -> int:
    number: int = row["number"]
    return number
