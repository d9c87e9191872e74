"""Who is on which workspace's opt-out list, as the log says: a view over suppression.* events.

Phones are named by a keyed hash; the phones themselves are in `suppressions`, beside the view.
"""

from collections.abc import Sequence

from pymongo import DESCENDING, DeleteMany, IndexModel, UpdateOne

from campaign_events.envelope import Events, Recorded
from campaign_events.projection import Projection, Write, Writes
from campaign_events.suppression import SuppressionsAdded, SuppressionsRemoved

NAME = "suppressed"


def fold(events: Events) -> Writes:
    """Put on and take off, in the order of the log; who is on already stays as they were."""
    writes: list[Write] = []
    for recorded in events:
        match recorded.event:
            case SuppressionsAdded() as added:
                writes += _put(recorded, added)
            case SuppressionsRemoved(hashes=hashes):
                writes.append(DeleteMany({"_id": {"$in": list(hashes)}}))
            case _:
                pass
    return {NAME: writes}


def _put(recorded: Recorded[SuppressionsAdded], added: SuppressionsAdded) -> Sequence[UpdateOne]:
    entry = {
        "workspace": recorded.address.workspace,
        "reason": added.reason,
        "source": added.source,
        "created_at": recorded.time,
    }
    return [
        UpdateOne({"_id": hashed}, {"$setOnInsert": entry}, upsert=True) for hashed in added.hashes
    ]


SUPPRESSED = Projection(
    name="suppressed",
    revision=1,
    stream="MESSAGES",
    subject="suppression.>",
    fold=fold,
    collections={
        NAME: (IndexModel([("workspace", 1), ("created_at", DESCENDING), ("_id", DESCENDING)]),)
    },
    batch=20,
)
