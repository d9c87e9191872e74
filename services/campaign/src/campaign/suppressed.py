"""Who must not be written to, as this service knows it: a view over suppression.* events.

Phones are named by a keyed hash. The dispatcher checks again, at build and before sending; here it
is for the counts of an upload.
"""

from collections.abc import Collection

from pymongo import DeleteMany, UpdateOne

from campaign_events.envelope import Events
from campaign_events.projection import Projection, View, Write, Writes
from campaign_events.suppression import SuppressionsAdded, SuppressionsRemoved, phone_hash


def fold(events: Events) -> Writes:
    """Return the changes of the list; of several facts about one phone the last one counts."""
    listed: dict[str, bool] = {}
    for recorded in events:
        match recorded.event:
            case SuppressionsAdded(hashes=hashes):
                listed |= {f"{recorded.address.workspace}/{each}": True for each in hashes}
            case SuppressionsRemoved(hashes=hashes):
                listed |= {f"{recorded.address.workspace}/{each}": False for each in hashes}
            case _:
                continue
    writes: list[Write] = [
        UpdateOne({"_id": entry}, {"$setOnInsert": {"_id": entry}}, upsert=True)
        for entry, is_listed in listed.items()
        if is_listed
    ]
    removed = [entry for entry, is_listed in listed.items() if not is_listed]
    if removed:
        writes.append(DeleteMany({"_id": {"$in": removed}}))
    return {"suppressed": writes}


SUPPRESSED = Projection(
    name="suppressed",
    revision=1,
    stream="MESSAGES",
    subject="suppression.>",
    fold=fold,
    collections={"suppressed": ()},
    batch=20,  # a file of opt-outs comes as facts of 500 people each
)


class SuppressionList:
    """Tells which phones of a workspace are on its list."""

    def __init__(self, view: View, key: bytes) -> None:
        self._view = view
        self._key = key

    async def among(self, workspace: str, phones: Collection[str]) -> set[str]:
        """Return those of the phones that are suppressed."""
        listed = self._view["suppressed"]
        of_workspace = {"$gte": f"{workspace}/", "$lt": f"{workspace}0"}
        if await listed.find_one({"_id": of_workspace}, {"_id": 1}) is None:
            return set()
        entries = {
            f"{workspace}/{phone_hash(self._key, workspace, phone)}": phone for phone in phones
        }
        found = listed.find({"_id": {"$in": list(entries)}}, {"_id": 1})
        return {entries[document["_id"]] async for document in found}
