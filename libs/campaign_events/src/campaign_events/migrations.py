"""Which shape the documents of a service's database have, and how older ones come to it.

Steps go forward only, and each may be done again. One process works at a time, by a lock that runs
out when its owner dies; the next one goes on with the first step that is not written down as done.
`python -m <service>.migrations` runs those of a service.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

COLLECTION = "schema"
LOCKED_S = 30
RENEW_S = 5.0
LOOK_S = 0.25
_ID = "schema"

type Documents = AsyncDatabase[dict[str, Any]]
type Tell = Callable[[str], None]


class SchemaMismatch(Exception):
    """The database has another schema than this version needs; the text says what to do."""


class LockLost(Exception):
    """Somebody else migrates this database now: the owner of the lock was too slow."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step to the schema `version`. `run` may have been run before, in part or as a whole."""

    version: int
    what: str
    run: Callable[[Documents], Awaitable[None]]


async def nothing(_: Documents) -> None:
    """Change nothing: the step only names what is there."""


FIRST = Migration(1, "the documents of the first release", nothing)


@dataclass(frozen=True, slots=True)
class Schema:
    """The steps that lead to the schema which this version of a service needs."""

    service: str
    migrations: Sequence[Migration] = (FIRST,)

    @property
    def expected(self) -> int:
        """The schema that this version needs."""
        return self.migrations[-1].version

    async def version(self, db: Documents) -> int | None:
        """Return the schema that the database states; None when it states none."""
        found = await db[COLLECTION].find_one({"_id": _ID})
        return None if found is None else int(found["version"])

    async def begin(self, db: Documents) -> None:
        """Have a database that nobody has used yet begin with the newest schema."""
        if not await db.list_collection_names():
            await self._state(db, self.expected)

    def check(self, version: int | None) -> None:
        """Return when a database of this schema is right for this version of the service.

        Raises:
            SchemaMismatch: it is not.

        """
        if version is None or version < self.expected:
            raise SchemaMismatch(
                f"the database of {self.service} has schema {version or 0}, this version needs "
                f"{self.expected}: run `carillon migrate`"
            )
        if version > self.expected:
            raise SchemaMismatch(
                f"the database of {self.service} has schema {version}, which a newer version has "
                f"made; this one needs {self.expected}: start the newer version of the service, "
                "or restore a backup of this one"
            )

    async def migrate(self, db: Documents, tell: Tell) -> int:
        """Bring a database to the schema that is needed; return how many steps that took.

        Raises:
            SchemaMismatch: a newer version has been here.
            LockLost: another process took over, because this one stood still.

        """
        await self._state(db, 0)
        owner = uuid.uuid4().hex
        while not await self._locked(db, owner):  # noqa: ASYNC110 - the lock tells nobody
            await asyncio.sleep(LOOK_S)
        renewing = asyncio.create_task(self._renew(db, owner))
        working = asyncio.create_task(self._steps(db, owner, tell))
        try:
            await asyncio.wait({renewing, working}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                renewing.result()
            return await working
        finally:
            for task in (renewing, working):
                task.cancel()
            await asyncio.gather(renewing, working, return_exceptions=True)
            await db[COLLECTION].update_one(_mine(owner), {"$unset": {"lock": ""}})

    async def _steps(self, db: Documents, owner: str, tell: Tell) -> int:
        done = 0
        for migration in self.migrations:
            version = await self.version(db) or 0
            if version > self.expected:
                self.check(version)
            if migration.version <= version:
                continue
            tell(f"{self.service}: schema {version} to {migration.version}, {migration.what}")
            await migration.run(db)
            step = {"$set": {"version": migration.version}}
            if (await db[COLLECTION].update_one(_mine(owner), step)).matched_count == 0:
                raise LockLost(f"{self.service} is migrated by another process")
            done += 1
        return done

    async def _state(self, db: Documents, version: int) -> None:
        try:
            await db[COLLECTION].update_one(
                {"_id": _ID}, {"$setOnInsert": {"version": version}}, upsert=True
            )
        except DuplicateKeyError:
            return  # another process was faster

    async def _locked(self, db: Documents, owner: str) -> bool:
        """Take the lock if it is free, or has run out, by the server's clock."""
        free = {"$lt": ["$lock.until", "$$NOW"]}  # what is not there is less than any time
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LOCKED_S}}
        taken = await db[COLLECTION].update_one(
            {"_id": _ID, "$expr": free}, [{"$set": {"lock": {"owner": owner, "until": until}}}]
        )
        return taken.modified_count == 1

    async def _renew(self, db: Documents, owner: str) -> None:
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LOCKED_S}}
        while True:
            await asyncio.sleep(RENEW_S)
            step = [{"$set": {"lock.until": until}}]
            if (await db[COLLECTION].update_one(_mine(owner), step)).matched_count == 0:
                raise LockLost(f"{self.service} is migrated by another process")


def _mine(owner: str) -> dict[str, Any]:
    return {"_id": _ID, "lock.owner": owner}


def main(schema: Schema) -> None:
    """Migrate the database of a service on the server that `CARILLON_MONGO_URL` names."""

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        asyncio.run(_migrate(schema, os.environ["CARILLON_MONGO_URL"], tell))
    except (SchemaMismatch, LockLost, PyMongoError) as error:
        sys.exit(f"{schema.service}: {error}")


async def _migrate(schema: Schema, url: str, tell: Tell) -> None:
    async with AsyncMongoClient[dict[str, Any]](
        url, tz_aware=True, serverSelectionTimeoutMS=5000, w="majority", journal=True
    ) as mongo:
        db = mongo[schema.service]
        await schema.begin(db)
        if not await schema.migrate(db, tell):
            tell(f"{schema.service}: schema {schema.expected}, nothing to do")
