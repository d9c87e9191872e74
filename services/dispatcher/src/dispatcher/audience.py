"""The contacts of a campaign, wherever they live: uploaded by people, or pushed one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Document


@dataclass(frozen=True, slots=True)
class Audience:
    """The contacts of one campaign; they are named by number."""

    contacts: AsyncCollection[Document]
    id: str

    async def numbered(
        self, numbers: Mapping[str, Any], limit: int, fields: Mapping[str, int] | None = None
    ) -> list[Document]:
        """Return contacts in row order: one read by index; who was erased is not there."""
        there = {"audience": self.id, "number": numbers, "phone": {"$exists": True}}
        found = self.contacts.find(there, fields)
        return await found.sort("number", ASCENDING).limit(limit).to_list()
