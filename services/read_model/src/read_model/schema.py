"""Which shape the documents in this service's database have."""

from campaign_events.projection import Database

VERSION = 1
_ID = "schema"


async def state(db: Database) -> None:
    """Write down the version of a database that has none yet."""
    await db.schema.update_one({"_id": _ID}, {"$setOnInsert": {"version": VERSION}}, upsert=True)


async def version(db: Database) -> int | None:
    """Return the version that the database states."""
    found = await db.schema.find_one({"_id": _ID})
    return None if found is None else int(found["version"])
