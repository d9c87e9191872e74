"""The messages of a campaign in row order: what the view holds, and the rest from the audience."""

from collections.abc import Sequence
from typing import Any, Literal

from pymongo import ASCENDING

from campaign_events.message import MessageStatus
from campaign_events.projection import Document
from campaign_events.text import render, segmentation
from dispatcher.owning import Views
from dispatcher.views import message_id

type Status = MessageStatus
type Found = Sequence[Document]

AFTER_ALL = ":"
"""Sorts behind every digit: the end of a campaign's names."""


class Listing:
    """Pages through one campaign; each page costs a few indexed reads of its own size."""

    def __init__(self, views: Views, campaign: Document) -> None:
        self._views = views
        self._campaign = campaign

    async def page(self, status: Status | None, after: int, limit: int) -> list[Document]:
        """Return up to `limit` messages behind a number, each with its phone and segments."""
        sending = await self._views.sendings.find_one({"_id": self._campaign["_id"]}) or {}
        taken = set(sending.get("open", ()))
        if status is None:
            return await self._all(taken, after, limit)
        if status == "submitting":
            numbers = sorted(number for number in taken if number > after)[:limit]
            return await self._join(await self._contacts({"$in": numbers}, limit), taken)
        if status == "queued":
            return await self._queued(taken, sending.get("taken_to", 0), after, limit)
        return await self._with_phones(await self._known(status, after, limit))

    async def _all(self, taken: set[int], after: int, limit: int) -> list[Document]:
        return await self._join(await self._contacts({"$gt": after}, limit), taken)

    async def _queued(
        self, taken: set[int], taken_to: int, after: int, limit: int
    ) -> list[Document]:
        """Return deferred messages, which lie before the sender's place, then untaken ones."""
        wanted = {"campaign": self._campaign["_id"], "due_at": {"$exists": True}}
        found = self._views.deferred.find({**wanted, "number": {"$gt": after}}, {"number": 1})
        numbers = [row["number"] for row in await found.sort("number").limit(limit).to_list()]
        rows = await self._join(await self._contacts({"$in": numbers}, limit), taken)
        after = max(after, taken_to)
        while len(rows) < limit:
            page = await self._all(taken, after, limit)
            if not page:
                break
            rows += [row for row in page if row["status"] == "queued"]
            after = page[-1]["number"]
        return rows[:limit]

    async def _known(self, status: Status, after: int, limit: int) -> Found:
        """Return documents of one status: the few by their reason, the many by their order."""
        campaign = self._campaign["_id"]
        if status in ("failed", "skipped"):
            wanted: Document = {"campaign": campaign, "number": {"$gt": after}}
            wanted["reason"] = {"$exists": True}
            order = "number"
        else:
            names = {"$gt": message_id(campaign, after), "$lt": f"{campaign}/{AFTER_ALL}"}
            wanted, order = {"_id": names}, "_id"
        found = self._views.messages.find({**wanted, "status": status})
        return await found.sort(order, ASCENDING).limit(limit).to_list()

    async def _contacts(self, numbers: dict[str, Any], limit: int) -> Found:
        found = self._views.contacts.find(
            {"audience": self._campaign.get("audience"), "number": numbers}
        )
        return await found.sort("number", ASCENDING).limit(limit).to_list()

    async def _join(self, contacts: Found, taken: set[int]) -> list[Document]:
        """Return each contact's message: its document, or what its place in the row says."""
        names = [message_id(self._campaign["_id"], contact["number"]) for contact in contacts]
        found = self._views.messages.find({"_id": {"$in": names}})
        known = {row["number"]: row async for row in found}
        rows = []
        for contact in contacts:
            number = contact["number"]
            implied: Literal["submitting", "queued"] = "submitting" if number in taken else "queued"
            row = known.get(number) or {"number": number, "status": implied}
            rows.append(self._complete(row, contact))
        return rows

    async def _with_phones(self, rows: Found) -> list[Document]:
        """Return documents with what the audience knows; an erased contact has no phone."""
        contacts = await self._contacts({"$in": [row["number"] for row in rows]}, len(rows) or 1)
        by_number = {contact["number"]: contact for contact in contacts}
        return [self._complete(row, by_number.get(row["number"])) for row in rows]

    def _complete(self, row: Document, contact: Document | None) -> Document:
        row["phone"] = None if contact is None else contact["phone"]
        row.setdefault("segments", 0)
        if not row["segments"] and contact is not None and row["status"] != "skipped":
            text = self._campaign["settings"]["text"]
            try:
                row["segments"] = segmentation(render(text, contact["variables"])).segments
            except KeyError:
                row["segments"] = 0
        return row
