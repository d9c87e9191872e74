"""MongoDB in files: each collection as BSON documents one behind the other, with its indexes."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any, cast

import bson
from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from campaign_events.audit_store import DATABASE as AUDIT
from carillon.backup.manifest import CollectionFile
from carillon.errors import PlainError
from carillon.servers.connections import Mongo
from carillon.servers.mongo_rights import OWNERS

DATABASES = (*OWNERS, AUDIT)
HISTORY_S = 12 * 3600
"""For so long the server keeps what a dump began with."""
TOGETHER = 1000
OWNER_ONLY = 0o600
SNAPSHOT_GONE = frozenset((239, 246))
LENGTH = 4
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

type Advance = Callable[[int], None]


class DumpFailedError(PlainError):
    """MongoDB's content could not be read, or not be written."""


class StoreNotEmptyError(PlainError):
    """There are documents already where others are to be put."""


@dataclass(frozen=True, slots=True)
class Found:
    """A collection that is there, and how many bytes of documents it has."""

    database: str
    name: str
    options: dict[str, Any]
    bytes: int

    @property
    def place(self) -> tuple[str, str]:
        """Its name among all databases."""
        return self.database, self.name


async def collections(client: Mongo) -> list[Found]:
    """Return every collection of the platform."""
    found = []
    for database in DATABASES:
        async for one in await client[database].list_collections():
            name = one["name"]
            if one["type"] != "collection" or name.startswith("system."):
                continue
            stats = await client[database].command("collStats", name)
            found.append(Found(database, name, one.get("options", {}), int(stats["size"])))
    return found


@asynccontextmanager
async def one_moment(client: Mongo) -> AsyncIterator[AsyncClientSession]:
    """Give a session that sees everything as it was at its first read, however long it reads.

    On a server whose settings are not ours to change, for as long as that keeps history.
    """
    usual = await _keep_history(client, HISTORY_S)
    try:
        async with client.start_session(snapshot=True) as session:
            yield session
    finally:
        if usual is not None:
            await _keep_history(client, usual)


async def _keep_history(client: Mongo, seconds: int) -> int | None:
    """Say for how long the server keeps history; return for how long it did, if it lets us."""
    parameter = "minSnapshotHistoryWindowInSeconds"
    try:
        usual = (await client.admin.command({"getParameter": 1, parameter: 1}))[parameter]
        await client.admin.command({"setParameter": 1, parameter: seconds})
    except OperationFailure:
        return None
    return int(usual)


async def save(
    client: Mongo, session: AsyncClientSession, found: Found, file: Path, advance: Advance
) -> CollectionFile:
    """Write one collection into a file.

    Raises:
        DumpFailedError: it could not be read as it was.
    """
    collection = client[found.database][found.name]
    digest, size, documents = hashlib.sha256(), 0, 0
    try:
        indexes = await (await collection.list_indexes()).to_list()
        with open(file, "wb", opener=_owner_only) as out:
            batches = cast("AsyncIterator[bytes]", collection.find_raw_batches({}, session=session))
            async for batch in batches:
                out.write(batch)
                digest.update(batch)
                size += len(batch)
                documents += _count(batch)
                advance(len(batch))
            out.flush()
            os.fsync(out.fileno())
    except OperationFailure as error:
        changed = " (it was changed as a whole meanwhile)" if error.code in SNAPSHOT_GONE else ""
        raise DumpFailedError(
            f"{found.database}.{found.name} can not be read as it was{changed}: try again."
        ) from error
    return CollectionFile(
        database=found.database,
        name=found.name,
        file=file.name,
        documents=documents,
        bytes=size,
        sha256=digest.hexdigest(),
        options=_plain(found.options),
        indexes=[_plain(index) for index in indexes if index["name"] != "_id_"],
    )


async def refuse_unless_empty(client: Mongo) -> None:
    """Make sure that the platform's databases hold no documents.

    Raises:
        StoreNotEmptyError: one does.
    """
    for database in DATABASES:
        for name in await client[database].list_collection_names():
            if await client[database][name].find_one({}, {"_id": 1}) is not None:
                raise StoreNotEmptyError(
                    f"MongoDB is not empty ({database}.{name} has documents): name a fresh folder "
                    "with --data."
                )


async def load(client: Mongo, folder: Path, saved: CollectionFile, advance: Advance) -> None:
    """Put a collection back: documents first, then indexes.

    Raises:
        DumpFailedError: MongoDB does not take it.
    """
    database = client[saved.database]
    try:
        await database.drop_collection(saved.name)
        collection = await database.create_collection(saved.name, **_known(saved.options))
        raw = collection.with_options(codec_options=_RAW)
        for documents in _documents(folder / saved.file):
            await raw.insert_many(documents, ordered=False)
            advance(sum(len(document.raw) for document in documents))
        if saved.indexes:
            specs = [_known(index) for index in saved.indexes]
            await database.command({"createIndexes": saved.name, "indexes": specs})
    except PyMongoError as error:
        raise DumpFailedError(
            f"MongoDB does not take {saved.database}.{saved.name} ({type(error).__name__}): look "
            "at logs/mongo.log, and begin again with a fresh folder."
        ) from error


def _documents(file: Path) -> Iterator[Sequence[RawBSONDocument]]:
    with file.open("rb") as content:
        yield from batched(bson.decode_file_iter(content, _RAW), TOGETHER)


def _count(batch: bytes) -> int:
    """Return how many documents stand one behind the other: each begins with its length."""
    at = count = 0
    while at < len(batch):
        at += int.from_bytes(batch[at : at + LENGTH], "little")
        count += 1
    return count


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_util.dumps(options))
    return found


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json_util.loads(json.dumps(options))
    return found


def _owner_only(name: str, flags: int) -> int:
    return os.open(name, flags, OWNER_ONLY)
