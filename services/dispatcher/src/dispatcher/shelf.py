"""What goes out next, read ahead: two or three reads for up to `CHUNK` recipients."""

from collections.abc import Callable, Sequence
from datetime import datetime

from pymongo import ASCENDING

from campaign_events.projection import Document, View
from campaign_events.suppression import phone_hash
from campaign_events.text import render, segmentation
from dispatcher.blocks import skipped_numbers
from dispatcher.outgoing import Outgoing
from dispatcher.resting import Recipient
from dispatcher.suppressions import Suppressions

CHUNK = 500
LOW = 100
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

    async def fill(self, campaign: Outgoing, now: datetime) -> None:
        """Read ahead when little is left: what is due again, and the next in row order.

        What was read before the opt-out list lost sight of anybody is read again.
        """
        if campaign.forgotten != self._suppressions.forgotten:
            campaign.put_away()
            campaign.forgotten = self._suppressions.forgotten
        resting = campaign.resting
        if len(resting.again) < LOW and resting.look_at <= now.timestamp():
            await self._fill_again(campaign, now.timestamp())
        unread = campaign.fresh > len(campaign.ready) and campaign.portion_left > 0
        if len(campaign.ready) < LOW and unread:
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
        """Render the texts, and have the opt-out list know who of them is on it."""
        before = {row["number"]: row for row in deferred}
        recipients = []
        for contact in contacts:
            text = render(campaign.text, contact["variables"])
            tried = before.get(contact["number"], {})
            recipient = Recipient(
                number=contact["number"],
                phone=contact["phone"],
                phone_hash=phone_hash(self._secret, campaign.workspace, contact["phone"]),
                text=text,
                segments=segmentation(text).segments,
                tries=tried.get("tries", 0),
                since=tried.get("since"),
            )
            recipients.append(recipient)
        await self._suppressions.look_up([recipient.phone_hash for recipient in recipients])
        return recipients
