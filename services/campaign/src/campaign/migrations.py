"""Which schema this service's database has: `python -m campaign.migrations` brings it there."""

from collections import defaultdict
from typing import Any

from campaign_events.migrations import FIRST, Documents, Migration, Schema, main


async def park_by_campaign(db: Documents) -> None:
    """Make one document per campaign out of those that once were one per parked event."""
    rows: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    async for row in db.parked.find({"reaction": {"$exists": True}}).sort("seq"):
        _, workspace, thing, _ = row["subject"].split(".", 3)
        rows[row["reaction"], workspace, thing].append(row)
    for (reaction, workspace, thing), events in rows.items():
        parked = _parked(reaction, workspace, thing, events)
        await db.parked.replace_one({"_id": parked["_id"]}, parked, upsert=True)
        await db.parked.delete_many({"_id": {"$in": [event["_id"] for event in events]}})


def _parked(
    reaction: str, workspace: str, thing: str, events: list[dict[str, Any]]
) -> dict[str, Any]:
    first, last = events[0], events[-1]
    kind, *_, fact = first["subject"].split(".")
    return {
        "_id": f"{reaction}:{workspace}:{thing}",
        "reader": reaction,
        "kind": "reaction",
        "stream": first["stream"],
        "workspace": workspace,
        "thing": thing,
        "seq": first["seq"],
        "last": last["seq"],
        "waiting": len(events) - 1,
        "type": f"{kind}.{fact}",
        "error": first["error"],
        "trace": "",
        "tries": 1,
        "first_at": first["parked_at"],
        "last_at": first["parked_at"],
    }


SCHEMA = Schema(
    "campaign",
    (FIRST, Migration(2, "parked events, one document per campaign", park_by_campaign)),
)

if __name__ == "__main__":
    main(SCHEMA)
