"""Where the audit trail lies in MongoDB, and the indexes that it is searched and forgotten by."""

from pymongo import DESCENDING, IndexModel

from campaign_events.projection import Database

DATABASE = "audit"
RECORDS = "records"
_NEWEST_FIRST = [("at", DESCENDING), ("_id", DESCENDING)]
FILTERS = ("actor.id", "action", "resource.type", "resource.id")


async def ensure(db: Database) -> None:
    """Make the indexes. It takes rights that services need not have: nobody may forget sooner."""
    await db[RECORDS].create_indexes(
        [
            IndexModel("expires_at", expireAfterSeconds=0),
            IndexModel([("workspace", 1), *_NEWEST_FIRST]),
            *(IndexModel([("workspace", 1), (field, 1), *_NEWEST_FIRST]) for field in FILTERS),
        ]
    )
