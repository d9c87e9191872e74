"""What goes out next, read ahead in the background: a few reads for up to `CHUNK` recipients."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from pymongo import ASCENDING

from campaign_events.projection import Document, View
from campaign_events.suppression import phone_hash
from campaign_events.text import render
from dispatcher.blocks import skipped_numbers
from dispatcher.outcomes import begun
from dispatcher.outgoing import Outgoing
from dispatcher.parts import parts_of
from dispatcher.resting import Recipient
from dispatcher.suppressions import Suppressions

CHUNK = 500
LOW = 250
AT_ONCE = 25
"""So many messages are made before others have their turn."""
WANTED = {"_id": 0, "number": 1, "phone": 1, "variables": 1}


class Shelf:
    """Puts the next recipients of a campaign where they can be taken from."""

    def __init__(
        self,
        view: View,
        folded_to: Callable[[], int],
        suppressions: Suppressions,
        secret: bytes,
    ) -> None:
        self._view = view
        self._folded_to = folded_to
        self._suppressions = suppressions
        self._secret = secret
        self._reading: dict[str, asyncio.Task[None]] = {}

    def look_after(self, campaign: Outgoing, now: datetime, then: Callable[[], None]) -> None:
        """Begin to read ahead when little is left; `then` is called when there is more.

        What was read before the opt-out list lost sight of anybody is read again.

        Raises:
            Exception: what was being read could not be, or could not be made into messages.

        """
        if campaign.forgotten != self._suppressions.forgotten:
            # What is still being read will be looked up now.
            if campaign.ready or campaign.resting.again:
                self.put_away(campaign)
            campaign.forgotten = self._suppressions.forgotten
        reading = self._reading.get(campaign.id)
        if reading is not None:
            if not reading.done():
                return
            del self._reading[campaign.id]
            if reading.exception() is not None:
                campaign.resting.look_at = 0
            reading.result()
        if _lacks_due(campaign, now) or _lacks_fresh(campaign):
            # Begun before the next are taken: who is in line to be tried again is not read again.
            reading = begun(self._fill(campaign, now))
            reading.add_done_callback(lambda _: then())
            self._reading[campaign.id] = reading

    def put_away(self, campaign: Outgoing) -> None:
        """Forget what is ready to go and what is being read; both are read again in time."""
        reading = self._reading.pop(campaign.id, None)
        if reading is not None:
            reading.cancel()
            campaign.resting.look_at = 0
        campaign.put_away()

    def close(self) -> None:
        """Read no further."""
        for reading in self._reading.values():
            reading.cancel()
        self._reading.clear()

    async def _fill(self, campaign: Outgoing, now: datetime) -> None:
        """Add what is due again, and the next in row order."""
        if _lacks_due(campaign, now):
            await self._fill_again(campaign, now.timestamp())
        if _lacks_fresh(campaign):
            await self._fill_fresh(campaign)

    async def _fill_again(self, campaign: Outgoing, now: float) -> None:
        """Put deferred messages in line, those that have been due for longest first."""
        folded_to = self._folded_to()
        resting = campaign.resting
        not_these = resting.not_these(folded_to)
        waiting = {"campaign": campaign.id, "due_at": {"$exists": True}}
        found = self._view["deferred"].find(waiting).sort("due_at", ASCENDING)
        at_most = CHUNK - len(resting.again)
        waiting_longest = await found.limit(at_most + len(not_these) + 1).to_list()
        believed = [row for row in waiting_longest if row["number"] not in not_these]
        due = resting.due(believed, at_most, now, folded_to)
        if not due:
            return
        numbers = {"$in": [row["number"] for row in due]}
        contacts = await campaign.audience.numbered(numbers, CHUNK, WANTED)
        ready = {one.number: one for one in await self._recipients(campaign, contacts, due)}
        numbers_due = (row["number"] for row in due)
        resting.again.extend(ready.get(one) or Recipient.erased(one) for one in numbers_due)

    async def _fill_fresh(self, campaign: Outgoing) -> None:
        """Put the next of the audience at the end, without those whom the plan skipped."""
        first, last = campaign.read_to + 1, min(campaign.read_to + CHUNK, campaign.planned_to)
        contacts = await campaign.audience.numbered({"$gte": first, "$lte": last}, CHUNK, WANTED)
        skipped = await skipped_numbers(self._view["blocks"], campaign.id, first, last)
        wanted = [contact for contact in contacts if contact["number"] not in skipped]
        ready = {one.number: one for one in await self._recipients(campaign, wanted)}
        numbers = (number for number in range(first, last + 1) if number not in skipped)
        campaign.ready.extend(ready.get(one) or Recipient.erased(one) for one in numbers)
        campaign.read_to = max(campaign.read_to, last)

    async def _recipients(
        self, campaign: Outgoing, contacts: Sequence[Document], deferred: Sequence[Document] = ()
    ) -> list[Recipient]:
        """Make the messages, and have the opt-out list know who of them is on it."""
        before = {row["number"]: row for row in deferred}
        recipients = []
        for index, contact in enumerate(contacts):
            if index % AT_ONCE == 0:
                await asyncio.sleep(0)
            number, phone = contact["number"], contact["phone"]
            hashed = phone_hash(self._secret, campaign.workspace, phone)
            text = render(campaign.text, contact["variables"])
            parts = parts_of(campaign, number, phone, hashed, text)
            tried = before.get(number, {})
            recipients.append(
                Recipient(number, phone, hashed, parts, tried.get("tries", 0), tried.get("since"))
            )
        await self._suppressions.look_up([recipient.phone_hash for recipient in recipients])
        return recipients


def _lacks_due(campaign: Outgoing, now: datetime) -> bool:
    resting = campaign.resting
    return len(resting.again) < LOW and resting.look_at <= now.timestamp()


def _lacks_fresh(campaign: Outgoing) -> bool:
    unread = campaign.fresh > len(campaign.ready) and campaign.portion_left > 0
    return len(campaign.ready) < LOW and unread
