"""A campaign on its way out, and what of it is ready to go: a chunk ahead, never the whole."""

import heapq
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from pymongo import ASCENDING
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Document
from campaign_events.suppression import phone_hash
from campaign_events.text import render, segmentation
from dispatcher.links.link import Source
from dispatcher.views import message_id

CHUNK = 500
LOW = 100
VIEW_LAG_S = 0.5
"""How long to wait for the view to show a deferral that the log already holds."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One message that is ready to go: rendered, with the phone it goes to."""

    number: int
    phone: str
    phone_hash: str
    text: str
    segments: int
    tries: int


@dataclass(slots=True)
class Outgoing:
    """A campaign as the owner of its link sees it.

    `taken_seq` is the log's place of the last intent to send, which the next one must follow.
    The counters are those of the `sendings` view, kept in step with every fact that is appended.
    """

    id: str
    workspace: str
    audience: str
    text: str
    source: Source
    taken_to: int
    taken_seq: int
    queued: int
    submitting: int
    submitted: int
    accepted: int
    refused: int
    planned: bool
    finished: bool
    last_submitted_at: datetime | None
    paused: bool
    ready: deque[Recipient] = field(default_factory=deque)
    read_to: int = 0
    deferred: list[tuple[float, int]] = field(default_factory=list)
    """A heap of (due at in seconds since the epoch, number)."""

    @classmethod
    def of(cls, campaign: Document, sending: Document, source: Source) -> Self:
        """Return the campaign where the views say it is."""
        return cls(
            id=campaign["_id"],
            workspace=campaign["workspace"],
            audience=campaign["audience"],
            text=campaign["settings"]["text"],
            source=source,
            taken_to=sending.get("taken_to", 0),
            taken_seq=sending.get("taken_seq", 0),
            queued=sending.get("queued", 0),
            submitting=sending.get("submitting", 0),
            submitted=sending.get("submitted", 0),
            accepted=sending.get("accepted", 0),
            refused=sending.get("refused", 0),
            planned=sending.get("planned", False),
            finished=sending.get("finished", False),
            last_submitted_at=sending.get("last_submitted_at"),
            paused=campaign["status"] != "sending",
            read_to=sending.get("taken_to", 0),
        )

    @property
    def final(self) -> bool:
        """Whether nothing is left to send or to hear about."""
        return self.planned and not (self.queued or self.submitting or self.submitted)

    def count(self, kind: str, count: int) -> None:
        """Keep in step with facts of one kind (`outcomes.Kind`)."""
        match kind:
            case "submitted":
                self.submitting -= count
                self.submitted += count
                self.accepted += count
            case "refused":
                self.submitting -= count
                self.refused += count
            case "undecided":
                self.submitting -= count
            case "deferred":
                self.submitting -= count
                self.queued += count
            case "delivered" | "failed":
                self.submitted -= count
            case _:
                pass

    def defer(self, number: int, after_s: float) -> None:
        """Let a message rest for a while."""
        heapq.heappush(self.deferred, (time.time() + after_s, number))

    def rest_until(self, number: int, due_at: datetime) -> None:
        """Let a message rest that was deferred before."""
        heapq.heappush(self.deferred, (due_at.timestamp(), number))

    def due(self, at_most: int) -> list[int]:
        """Take out the numbers whose rest is over, the longest due first."""
        numbers: list[int] = []
        while self.deferred and self.deferred[0][0] <= time.time() and len(numbers) < at_most:
            numbers.append(heapq.heappop(self.deferred)[1])
        return numbers


class Shelf:
    """Puts the next recipients of a campaign onto `ready`: two reads for up to `CHUNK` of them."""

    def __init__(
        self,
        messages: AsyncCollection[Document],
        deferred: AsyncCollection[Document],
        contacts: AsyncCollection[Document],
        secret: bytes,
    ) -> None:
        self._messages = messages
        self._deferred = deferred
        self._contacts = contacts
        self._secret = secret

    async def fill(self, campaign: Outgoing) -> None:
        """Read ahead when little is left: what is due again first, then row order."""
        if len(campaign.ready) >= LOW:
            return
        if due := campaign.due(CHUNK):
            await self._fill_again(campaign, due)
        if len(campaign.ready) < LOW and campaign.queued > len(campaign.ready):
            await self._fill_fresh(campaign)

    async def _fill_again(self, campaign: Outgoing, due: Sequence[int]) -> None:
        """Put deferred messages in front; the view may not show the newest of them yet."""
        names = [message_id(campaign.id, number) for number in due]
        waiting = {"_id": {"$in": names}, "due_at": {"$exists": True}}
        found = self._deferred.find(waiting, {"tries": 1, "number": 1})
        tries = {row["number"]: row["tries"] async for row in found}
        contacts = await self._contacts_where(campaign, {"$in": list(tries)})
        campaign.ready.extendleft(
            self._recipient(campaign, contact, tries[contact["number"]])
            for contact in reversed(contacts)
        )
        for number in set(due) - tries.keys():
            campaign.defer(number, VIEW_LAG_S)

    async def _fill_fresh(self, campaign: Outgoing) -> None:
        """Put the next of the audience at the end, without those whom the plan skipped."""
        contacts = await self._contacts_where(campaign, {"$gt": campaign.read_to})
        if not contacts:
            return
        first, last = contacts[0]["number"], contacts[-1]["number"]
        span = {"$gte": message_id(campaign.id, first), "$lte": message_id(campaign.id, last)}
        found = self._messages.find({"_id": span, "status": "skipped"}, {"number": 1})
        skipped = {row["number"] async for row in found}
        campaign.ready.extend(
            self._recipient(campaign, contact, 0)
            for contact in contacts
            if contact["number"] not in skipped
        )
        campaign.read_to = last

    async def _contacts_where(
        self, campaign: Outgoing, numbers: dict[str, Any]
    ) -> Sequence[Document]:
        found = self._contacts.find(
            {"audience": campaign.audience, "number": numbers},
            {"_id": 0, "number": 1, "phone": 1, "variables": 1},
        )
        return await found.sort("number", ASCENDING).limit(CHUNK).to_list()

    def _recipient(self, campaign: Outgoing, contact: Document, tries: int) -> Recipient:
        text = render(campaign.text, contact["variables"])
        return Recipient(
            number=contact["number"],
            phone=contact["phone"],
            phone_hash=phone_hash(self._secret, campaign.workspace, contact["phone"]),
            text=text,
            segments=segmentation(text).segments,
            tries=tries,
        )
