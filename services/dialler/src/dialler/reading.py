"""What the dialler reads: its own views, and the audience, which belongs to another service."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Database, Document, View
from dialler.names import AFTER_ALL, call_name, contact_name

PAGE = 1000
LIVE = "live"
"""Where live calls are just now; written by their owners, derived from nothing."""


def as_kept(moment: datetime) -> datetime:
    """Return a moment as a view has it: MongoDB keeps milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Views:
    """The dialler's collections, of the generations that are live at the moment of asking."""

    def __init__(self, of_campaigns: View, of_calls: View, audience: Database) -> None:
        self._of_campaigns = of_campaigns
        self._of_calls = of_calls
        self.live: AsyncCollection[Document] = of_calls.db[LIVE]
        self.contacts: AsyncCollection[Document] = audience["contacts"]

    @property
    def campaigns(self) -> AsyncCollection[Document]:
        """What dialling needs to know of campaigns."""
        return self._of_campaigns["campaigns"]

    @property
    def excluded(self) -> AsyncCollection[Document]:
        """Who was taken out of a campaign."""
        return self._of_campaigns["excluded"]

    @property
    def runs(self) -> AsyncCollection[Document]:
        """How far each run is."""
        return self._of_calls["runs"]

    @property
    def calls(self) -> AsyncCollection[Document]:
        """Calls that were dialled."""
        return self._of_calls["calls"]

    @property
    def attempts(self) -> AsyncCollection[Document]:
        """Every dial."""
        return self._of_calls["attempts"]

    @property
    def closed(self) -> AsyncCollection[Document]:
        """Spans of contacts that were closed before a first dial."""
        return self._of_calls["closed"]

    @property
    def done(self) -> AsyncCollection[Document]:
        """Contacts that were completed, and in which run."""
        return self._of_calls["done"]

    @property
    def hours(self) -> AsyncCollection[Document]:
        """What happened by the hour."""
        return self._of_calls["hours"]

    async def prepare(self) -> None:
        """Make the index of live calls; projections make their own."""
        await self.live.create_indexes([IndexModel([("campaign", 1), ("run", 1), ("number", 1)])])

    async def contacts_from(
        self, audience: str, first: int, last: int, limit: int, fields: Iterable[str]
    ) -> list[Document]:
        """Return contacts in row order: one read by index."""
        wanted = {"audience": audience, "number": {"$gte": first, "$lte": last}}
        shown = dict.fromkeys(fields, 1) | {"_id": 0, "number": 1}
        found = self.contacts.find(wanted, shown, batch_size=limit + 1)
        return await found.sort("number", ASCENDING).limit(limit).to_list()

    async def contacts_numbered(
        self, audience: str, numbers: Sequence[int], fields: Iterable[str]
    ) -> dict[int, Document]:
        """Return contacts by their numbers; an erased one is missing."""
        wanted = {"audience": audience, "number": {"$in": list(numbers)}}
        shown = dict.fromkeys(fields, 1) | {"_id": 0, "number": 1}
        found = self.contacts.find(wanted, shown, batch_size=len(numbers) + 1)
        return {row["number"]: row async for row in found}

    async def not_fresh(self, campaign: str, run: int, first: int, last: int) -> set[int]:
        """Return which of these numbers are no part of the run, or were dialled or closed in it."""
        calls = {"$gte": call_name(campaign, run, first), "$lte": call_name(campaign, run, last)}
        numbers = {row["number"] async for row in self.calls.find({"_id": calls}, {"number": 1})}
        return numbers | await self.not_waiting(campaign, run, first, last)

    async def not_waiting(self, campaign: str, run: int, first: int, last: int) -> set[int]:
        """Return which numbers are no part of the run, or were closed before a first dial."""
        names = {"$gte": contact_name(campaign, first), "$lte": contact_name(campaign, last)}
        numbers = {row["number"] async for row in self.excluded.find({"_id": names}, {"number": 1})}
        done = self.done.find({"_id": names, "run": {"$lt": run}}, {"number": 1})
        numbers |= {row["number"] async for row in done}
        for span in await self.spans(campaign, run, first, last):
            numbers |= set(range(max(span["first"], first), min(span["last"], last) + 1))
        return numbers

    async def spans(self, campaign: str, run: int, first: int, last: int) -> list[Document]:
        """Return the closed spans of a run that touch these numbers, in order."""
        within = {"$gte": call_name(campaign, run, first), "$lte": call_name(campaign, run, last)}
        found = await self.closed.find({"_id": within}).sort("_id", ASCENDING).to_list()
        before = {"$gte": call_name(campaign, run, 0), "$lt": call_name(campaign, run, first)}
        earlier = self.closed.find({"_id": before}).sort("_id", -1).limit(1)
        return [row for row in await earlier.to_list() if row["last"] >= first] + found

    async def waiting(
        self, campaign: str, run: int, status: str, after: int, limit: int
    ) -> list[int]:
        """Return the numbers of calls that wait in a status, in row order."""
        wanted = {"campaign": campaign, "run": run, "status": status, "number": {"$gt": after}}
        found = self.calls.find(wanted, {"number": 1}, batch_size=limit + 1)
        return [row["number"] for row in await found.sort("number").limit(limit).to_list()]

    async def attempted(
        self, campaign: str, numbers: Sequence[int], since: datetime
    ) -> dict[int, list[datetime]]:
        """Return when contacts were rung since a time, in all runs."""
        wanted = {
            "campaign": campaign,
            "number": {"$in": list(numbers)},
            "started_at": {"$gt": since},
        }
        times: dict[int, list[datetime]] = {}
        async for row in self.attempts.find(wanted, {"number": 1, "started_at": 1}):
            times.setdefault(row["number"], []).append(row["started_at"])
        return times

    async def eligible(self, campaign: Document, run: int, excluded_to: int) -> int:
        """Return how many contacts a run holds that begins, or would begin, now.

        Those that are not suppressed, nor completed before this run, nor excluded up to the entry
        `excluded_to`.
        """
        audience, last = campaign.get("audience"), campaign.get("contacts", 0)
        if audience is None:
            return 0
        count = await self.contacts.count_documents(
            {"audience": audience, "number": {"$lte": last}, "suppressed": False}
        )
        names = {"$gte": f"{campaign['_id']}/", "$lt": f"{campaign['_id']}/{AFTER_ALL}"}
        done = {"_id": names, "run": {"$lt": run}}
        count -= await self.done.count_documents(done)
        wanted = {"campaign": campaign["_id"], "seq": {"$lte": excluded_to}}
        page: list[int] = []
        async for row in self.excluded.find(wanted, {"number": 1}):
            page.append(row["number"])
            if len(page) == PAGE:
                count -= await self._eligible_among(campaign, run, page)
                page.clear()
        return count - (await self._eligible_among(campaign, run, page) if page else 0)

    async def _eligible_among(self, campaign: Document, run: int, numbers: Sequence[int]) -> int:
        names = [contact_name(campaign["_id"], number) for number in numbers]
        done = self.done.find({"_id": {"$in": names}, "run": {"$lt": run}}, {"number": 1})
        completed = {row["number"] async for row in done}
        left = [number for number in numbers if number not in completed]
        return await self.contacts.count_documents(
            {"audience": campaign["audience"], "number": {"$in": left}, "suppressed": False}
        )
