"""The messages of a campaign in row order: what the view holds, and the rest from the audience.

Everything is read by index, in spans of numbers or pages of a status; nothing is read whole. The
one exception is bounded by a scan: a page of `submitted` or `delivered` passes over the blocks
between them by their counts, for no index of theirs holds what reports change.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from pymongo import ASCENDING

from campaign_events.message import MessageStatus
from campaign_events.projection import Document
from campaign_events.text import render, segmentation, variables
from dispatcher.blocks import (
    BLOCK,
    IN_UTC,
    block_id,
    block_ids,
    block_of,
    message_id,
    messages_in,
    skipped_numbers,
)
from dispatcher.reading import Views

type Status = MessageStatus

AFTER_ALL = ":"
"""Sorts behind every digit: the end of a campaign's names."""
STRIDE = 5000
"""How many numbers are looked at together where skipped ones must be passed over."""
BLOCKS_AT_ONCE = 8
"""How many more blocks are read at a time than a page needs at least."""


class Listing:
    """Pages through one campaign; each page costs a few indexed reads of its own size.

    The moments in its rows are in UTC and name no zone: `written` writes them.
    """

    def __init__(self, views: Views, campaign: Document) -> None:
        self._views = views
        self._blocks = views.blocks.with_options(IN_UTC)
        self._id: str = campaign["_id"]
        self._uploaded: int = campaign.get("contacts", 0)
        self._audience = views.audience(campaign)
        self._text: str = campaign["settings"]["text"]
        self._segments = None if variables(self._text) else segmentation(self._text).segments

    async def page(self, status: Status | None, after: int, limit: int) -> list[Document]:
        """Return up to `limit` messages behind a number, each with its phone and segments."""
        sending = await self._sending()
        if status is None:
            last = min(after + limit, self._last(sending))
            return await self._span(after + 1, last, sending)
        if status == "submitting":
            numbers = sorted(one for one in set(sending.get("open", ())) if one > after)
            return await self._joined([_implied(one, status) for one in numbers[:limit]])
        if status == "queued":
            numbers = await self._queued(sending, after, limit)
            return await self._joined([_implied(one, status) for one in numbers])
        if not sending.get(status, 0):
            return []
        return await self._joined(await self._known(status, after, limit))

    async def span(self, first: int, last: int) -> list[Document]:
        """Return the messages from one number to another, both included, without a gap."""
        sending = await self._sending()
        return await self._span(first, min(last, self._last(sending)), sending)

    async def _sending(self) -> Document:
        return await self._views.sendings.find_one({"_id": self._id}) or {}

    def _last(self, sending: Document) -> int:
        """Return the highest number that there is, uploaded or pushed."""
        return max(self._uploaded, int(sending.get("planned_to", 0)))

    async def _span(self, first: int, last: int, sending: Document) -> list[Document]:
        """Return one row per number: its document, or what its place says; it may be erased."""
        if last < first:
            return []
        taken = set(sending.get("open", ()))
        known, phones = await asyncio.gather(
            self._documents(first, last), self._phones({"$gte": first, "$lte": last}, last - first)
        )
        rows = [
            known.get(number) or _implied(number, "submitting" if number in taken else "queued")
            for number in range(first, last + 1)
        ]
        return await self._completed(rows, phones)

    async def _documents(self, first: int, last: int) -> dict[int, Document]:
        found = self._blocks.find({"_id": block_ids(self._id, first, last)})
        return {row["number"]: row for block in await found.to_list() for row in messages_in(block)}

    async def _phones(self, numbers: Mapping[str, object], count: int) -> dict[int, str]:
        fields = {"_id": 0, "number": 1, "phone": 1}
        contacts = await self._audience.numbered(numbers, count + 1, fields)
        return {contact["number"]: contact["phone"] for contact in contacts}

    async def _queued(self, sending: Document, after: int, limit: int) -> list[int]:
        """Return deferred numbers, which lie before the sender's place, then untaken ones."""
        names = {"$gt": message_id(self._id, after), "$lt": f"{self._id}/{AFTER_ALL}"}
        found = self._views.deferred.find(
            {"_id": names, "due_at": {"$exists": True}}, {"number": 1}, batch_size=limit + 1
        )
        rows = await found.sort("_id", ASCENDING).limit(limit).to_list()
        numbers = [row["number"] for row in rows]
        first = max(after, sending.get("taken_to", 0)) + 1
        last = self._last(sending)
        while len(numbers) < limit and first <= last:
            upto = min(first + max(limit, STRIDE) - 1, last)
            skipped = await skipped_numbers(self._blocks, self._id, first, upto)
            numbers += [one for one in range(first, upto + 1) if one not in skipped]
            first = upto + 1
        return numbers[:limit]

    async def _known(self, status: Status, after: int, limit: int) -> list[Document]:
        """Return messages of one status: from blocks by their counts of it, in row order."""
        wanted: Document = {f"counts.{status}": {"$gt": 0}}
        if status in ("failed", "skipped"):
            wanted |= {"campaign": self._id, "block": {"$gte": block_of(after + 1)}}
            order = "block"
        else:
            first, beyond = block_id(self._id, after + 1), f"{self._id}/{AFTER_ALL}"
            wanted["_id"] = {"$gte": first, "$lt": beyond}
            order = "_id"
        found = self._blocks.find(wanted, batch_size=limit // BLOCK + BLOCKS_AT_ONCE)
        listed: list[Document] = []
        async with found.sort(order, ASCENDING) as blocks:
            async for block in blocks:
                listed += [row for row in messages_in(block, status) if row["number"] > after]
                if len(listed) >= limit:
                    break
        return listed[:limit]

    async def _joined(self, rows: list[Document]) -> list[Document]:
        numbers = [row["number"] for row in rows]
        return await self._completed(rows, await self._phones({"$in": numbers}, len(numbers)))

    async def _completed(self, rows: list[Document], phones: Mapping[int, str]) -> list[Document]:
        """Return the rows with phones, none for who was erased, and with their segments."""
        uncounted = []
        for row in rows:
            row["phone"] = phones.get(row["number"])
            if not row.get("segments"):
                row["segments"] = 0
                if row["status"] != "skipped":
                    uncounted.append(row)
        if uncounted:
            await self._count(uncounted)
        return rows

    async def _count(self, rows: Sequence[Document]) -> None:
        """Count the segments of messages that the carrier has not taken."""
        if self._segments is not None:
            for row in rows:
                row["segments"] = self._segments
            return
        fields = {"_id": 0, "number": 1, "variables": 1}
        numbers = {"$in": [row["number"] for row in rows]}
        contacts = await self._audience.numbered(numbers, len(rows), fields)
        people = {contact["number"]: contact["variables"] for contact in contacts}
        for row in rows:
            row["segments"] = self._cost(people.get(row["number"]))

    def _cost(self, values: Mapping[str, str] | None) -> int:
        if values is None:
            return 0
        try:
            return segmentation(render(self._text, values)).segments
        except KeyError:
            return 0


def _implied(number: int, status: Status) -> Document:
    return {"number": number, "status": status}


@lru_cache(maxsize=4096)
def written(moment: datetime) -> str:
    """Return a moment of a row as RFC 3339; neighbours share theirs."""
    return f"{moment.isoformat(timespec='microseconds')}Z"


def carrier_ids(row: Document) -> Sequence[str]:
    """Return a message's ids part by part, as the carrier wrote them."""
    found: Sequence[str] = row.get("given_ids") or row.get("carrier_ids") or ()
    return found
