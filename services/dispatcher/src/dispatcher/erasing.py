"""One person's data at the dispatcher, erased: pushed contacts, opted-out phones, staged uploads.

A pushed contact's place stays without phone and variables: its key still names this one push. Who
opted out stays on the list, by the keyed hash that the log knows.
"""

from collections.abc import Sequence

from pymongo import UpdateOne

from campaign_events.erasing import Counts, Erasure, holding
from campaign_events.projection import Database, Document
from dispatcher.owning import LinkOwner
from dispatcher.reading import PUSHED, Views
from dispatcher.suppression_files import STAGED
from dispatcher.suppressions import PHONES


class DispatcherErasing:
    """Erases in the dispatcher's collections, and has links forget whom they have read ahead."""

    def __init__(self, db: Database, views: Views, owners: Sequence[LinkOwner]) -> None:
        self._db = db
        self._views = views
        self._owners = owners

    async def erase(self, erasure: Erasure) -> Counts:
        """Erase the person; return how much that was."""
        pushed = 0
        async for found in holding(self._db[PUSHED], {}, erasure.writings):
            pushed += await self._bury(found, erasure)
        chosen: Document = {"phone": erasure.phone}
        if erasure.workspace is not None:
            chosen["workspace"] = erasure.workspace
        phones = await self._db[PHONES].delete_many(chosen)
        staged = await self._db[STAGED].delete_many({"phone": erasure.phone})
        return {
            "pushed_contacts": pushed,
            "suppressions": phones.deleted_count,
            "staged": staged.deleted_count,
        }

    async def forget(self, erasure: Erasure) -> None:
        """Have every link read again whom it writes to next."""
        for owner in self._owners:
            owner.forget(erasure.phone)

    async def _bury(self, contacts: Sequence[Document], erasure: Erasure) -> int:
        """Take the phone out of contacts that are the person, or speak of them."""
        names = list({contact["audience"] for contact in contacts})
        rows = self._views.campaigns.find({"_id": {"$in": names}}, {"workspace": 1})
        workspaces = {row["_id"]: row["workspace"] async for row in rows}
        writes, persons = [], 0
        for contact in contacts:
            if not erasure.concerns(workspaces.get(contact["audience"])):
                continue
            if contact.get("phone") == erasure.phone:
                persons += 1
                change: Document = {"$unset": {"phone": "", "variables": ""}}
                change["$set"] = {"erased": True}
            else:
                hidden = erasure.writings.hide(contact.get("variables"))
                change = {"$set": {"variables": hidden}}
            writes.append(UpdateOne({"_id": contact["_id"]}, change))
        if writes:
            await self._db[PUSHED].bulk_write(writes, ordered=False)
        return persons
