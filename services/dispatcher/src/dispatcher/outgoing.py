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
from campaign_events.text import render
from dispatcher.links.link import Source

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
        contacts: AsyncCollection[Document],
        secret: bytes,
    ) -> None:
        self._messages = messages
        self._contacts = contacts
        self._secret = secret

    async def fill(self, campaign: Outgoing) -> None:
        """Read ahead when little is left: what is due again first, then row order."""
        if len(campaign.ready) >= LOW:
            return
        due = campaign.due(CHUNK)
        if due:
            rows = await self._rows(campaign, {"$in": due})
            campaign.ready.extendleft(reversed(await self._recipients(campaign, rows)))
            for number in set(due) - {row["number"] for row in rows}:
                campaign.defer(number, VIEW_LAG_S)
        if len(campaign.ready) < LOW and campaign.queued > len(campaign.ready):
            rows = await self._rows(campaign, {"$gt": campaign.read_to})
            if rows:
                campaign.ready.extend(await self._recipients(campaign, rows))
                campaign.read_to = rows[-1]["number"]

    async def _rows(self, campaign: Outgoing, numbers: dict[str, Any]) -> Sequence[Document]:
        found = self._messages.find(
            {"campaign": campaign.id, "status": "queued", "number": numbers},
            {"number": 1, "segments": 1, "tries": 1},
        )
        return await found.sort("number", ASCENDING).limit(CHUNK).to_list()

    async def _recipients(
        self, campaign: Outgoing, rows: Sequence[Document]
    ) -> Sequence[Recipient]:
        numbers = [row["number"] for row in rows]
        found = self._contacts.find(
            {"audience": campaign.audience, "number": {"$in": numbers}},
            {"number": 1, "phone": 1, "variables": 1},
        )
        contacts = {contact["number"]: contact async for contact in found}
        return [
            Recipient(
                number=row["number"],
                phone=contact["phone"],
                phone_hash=phone_hash(self._secret, campaign.workspace, contact["phone"]),
                text=render(campaign.text, contact["variables"]),
                segments=row["segments"],
                tries=row.get("tries", 0),
            )
            for row in rows
            if (contact := contacts.get(row["number"])) is not None
        ]
