"""What the audit trail holds about a workspace, for tests that look behind the door."""

from typing import Any

from campaign_events import audit_store
from campaign_events.projection import Database

type Json = dict[str, Any]


async def recorded(db: Database, workspace: str) -> list[Json]:
    """The records of a workspace, oldest first, as they are stored."""
    records = db.client[audit_store.DATABASE][audit_store.RECORDS]
    return await records.find({"workspace": workspace}).sort([("at", 1), ("_id", 1)]).to_list()


def brief(record: Json) -> tuple[str, str, str | None]:
    return record["action"], record["outcome"], record["refusal"]
