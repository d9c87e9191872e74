"""What the dispatcher reads: its own views, and the audience, which belongs to another service."""

import asyncio
from collections.abc import Mapping, Sequence

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Database, Document, View
from dispatcher.audience import Audience
from dispatcher.inflight import Message, stored
from dispatcher.links.link import Source

PUSHED = "pushed"
"""Contacts that were pushed one by one, in the shape of uploaded ones."""
PHONE = {"_id": 0, "number": 1, "phone": 1}


class Views:
    """The dispatcher's collections, of the generations that are live at the moment of asking."""

    def __init__(self, of_campaigns: View, of_messages: View, audience: Database) -> None:
        self._of_campaigns = of_campaigns
        self.of_messages = of_messages
        self.contacts: AsyncCollection[Document] = audience["contacts"]
        self.pushed: AsyncCollection[Document] = of_messages.db[PUSHED]

    @property
    def campaigns(self) -> AsyncCollection[Document]:
        """What sending needs to know of campaigns."""
        return self._of_campaigns["campaigns"]

    @property
    def senders(self) -> AsyncCollection[Document]:
        """Senders and their revisions."""
        return self._of_campaigns["senders"]

    @property
    def blocks(self) -> AsyncCollection[Document]:
        """Messages of which something is known."""
        return self.of_messages["blocks"]

    @property
    def deferred(self) -> AsyncCollection[Document]:
        """Messages that are tried again later."""
        return self.of_messages["deferred"]

    @property
    def sendings(self) -> AsyncCollection[Document]:
        """How far each campaign's sending is."""
        return self.of_messages["sendings"]

    @property
    def unmatched(self) -> AsyncCollection[Document]:
        """Reports that nobody could place."""
        return self.of_messages["unmatched"]

    def audience(self, campaign: Document) -> Audience:
        """Return the contacts of a campaign: what was uploaded, or pushed to it one by one."""
        if campaign["settings"]["mode"] == "trigger":
            return Audience(self.pushed, campaign["_id"])
        return Audience(self.contacts, campaign.get("audience", ""))

    async def told(self, rows: Sequence[Document], *, with_phones: bool) -> list[Message]:
        """Return messages of known campaigns as their rows say, on demand with their phones."""
        wanted = {"_id": {"$in": list({row["campaign"] for row in rows})}}
        fields = {"workspace": 1, "audience": 1, "settings.mode": 1}
        campaigns = {row["_id"]: row async for row in self.campaigns.find(wanted, fields)}
        rows = [row for row in rows if row["campaign"] in campaigns]
        phones = await self._phones(rows, campaigns) if with_phones else {}
        return [
            stored(
                row,
                campaigns[row["campaign"]]["workspace"],
                phones.get((row["campaign"], row["number"]), ""),
            )
            for row in rows
        ]

    async def _phones(
        self, rows: Sequence[Document], campaigns: Mapping[str, Document]
    ) -> dict[tuple[str, int], str]:
        """Return the phones of messages by campaign and number; an erased one has none."""
        numbers: dict[str, list[int]] = {}
        for row in rows:
            numbers.setdefault(row["campaign"], []).append(row["number"])
        contacts = await asyncio.gather(
            *(
                self.audience(campaigns[name]).numbered({"$in": those}, len(those), PHONE)
                for name, those in numbers.items()
            )
        )
        return {
            (name, contact["number"]): contact["phone"]
            for name, some in zip(numbers, contacts, strict=True)
            for contact in some
        }

    async def source(self, campaign: Document) -> Source | None:
        """Return the current approved revision of a campaign's sender, as a link wants it."""
        sender = await self.senders.find_one({"_id": campaign["settings"]["sender_id"]})
        if sender is None or "current" not in sender:
            return None
        revision = sender["revisions"][str(sender["current"])]
        return Source(
            address=revision["saddr"],
            ton=revision["ston"],
            npi=revision["snpi"],
            dton=revision["dton"],
            dnpi=revision["dnpi"],
        )
