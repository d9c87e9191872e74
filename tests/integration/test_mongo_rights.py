"""Every service against every database: it keeps its own, and the server refuses it all others."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

import servers
from carillon.servers.binaries import MONGO
from carillon.servers.credentials import ADMIN, prepare_credentials
from carillon.servers.mongo_rights import script
from carillon.servers.mongo_server import MongoServer, ensure_users
from carillon.services import SERVICES
from carillon.supervisor import NotPreparedError

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_ALLOWED = 13
AUDIENCE_READERS = {"campaign", "dispatcher", "dialler", "moderation"}
DATABASES = (*SERVICES, "audit", "admin", "config", "local", "another")

type Client = AsyncMongoClient[dict[str, Any]]
type Deed = Callable[[Client, str], Awaitable[object]]
type Door = Callable[[str], Client]

READS: Mapping[str, Deed] = {
    "find": lambda client, db: client[db].things.find_one(),
    "count": lambda client, db: client[db].things.count_documents({}),
    "aggregate": lambda client, db: client[db].command(
        "aggregate", "things", pipeline=[{"$limit": 1}], cursor={}
    ),
    "list collections": lambda client, db: client[db].list_collection_names(),
}
WRITES: Mapping[str, Deed] = {
    "insert": lambda client, db: client[db].things.insert_one({}),
    "update": lambda client, db: client[db].things.update_one({}, {"$set": {"a": 1}}, upsert=True),
    "replace": lambda client, db: client[db].things.replace_one({}, {"a": 2}),
    "create index": lambda client, db: client[db].things.create_index("a"),
    "validate": lambda client, db: client[db].command("collMod", "things", validator={}),
    "delete": lambda client, db: client[db].things.delete_many({}),
    "drop": lambda client, db: client[db].things.drop(),
    "out": lambda client, db: client[db].command(
        "aggregate", "things", pipeline=[{"$match": {}}, {"$out": "others"}], cursor={}
    ),
}
NOBODYS: Mapping[str, Deed] = {
    "create a user": lambda client, db: client[db].command(
        "createUser", "mallory", pwd="x", roles=["readWriteAnyDatabase"]
    ),
    "grant": lambda client, db: client[db].command("grantRolesToUser", "campaign", roles=["root"]),
    "list users": lambda client, _: client.admin.command("usersInfo", {"forAllDBs": True}),
    "shut down": lambda client, _: client.admin.command("shutdown"),
    "parameters": lambda client, _: client.admin.command("setParameter", 1, logLevel=1),
    "reconfigure": lambda client, _: client.admin.command("replSetStepDown", 1),
    "oplog": lambda client, _: client.local["oplog.rs"].find_one(),
    "all databases": lambda client, _: client.admin.command("currentOp", {"allUsers": True}),
}


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """As `carillon up` runs it, with access control on."""
    folder = tmp_path_factory.mktemp("mongo")
    credentials = prepare_credentials(folder / "credentials", (ADMIN, *SERVICES))
    servers.program(MONGO)
    server = MongoServer(
        folder, servers.free_port(), credentials.mongo_key_file, credentials.passwords
    )
    program = server.program(folder / "mongo.log", os.environ)
    with servers.running([str(part) for part in program.command], folder / "mongo.log"):
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(mongo: MongoServer) -> AsyncIterator[Door]:
    """Connections by user, to a server where every database has something to read."""
    async with asyncio.timeout(servers.PATIENCE_S):
        while not await _is_prepared(mongo):
            await asyncio.sleep(0.1)
    clients: dict[str, Client] = {}

    def client_of(user: str) -> Client:
        return clients.setdefault(user, AsyncMongoClient(mongo.url(user)))

    for database in (*SERVICES, "another"):
        await client_of(ADMIN)[database].things.insert_one({"seen": True})
    await client_of(ADMIN).campaign.contacts.insert_one({"number": 1})
    yield client_of
    for client in clients.values():
        await client.close()


async def _is_prepared(mongo: MongoServer) -> bool:
    try:
        await mongo.prepare()
    except NotPreparedError:
        return False
    return True


async def refused(client: Client, deeds: Mapping[str, Deed], database: str) -> set[str]:
    """What of this the server does not let this user do; anything else that goes wrong is no."""
    found: set[str] = set()
    for name, deed in deeds.items():
        try:
            await deed(client, database)
        except OperationFailure as refusal:
            if refusal.code == NOT_ALLOWED:
                found.add(name)
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_keeps_its_own_database_and_sees_no_other(door: Door, service: str) -> None:
    for database in DATABASES:
        if database == service:
            assert await refused(door(service), {**READS, **WRITES}, database) == set()
        else:
            assert await refused(door(service), READS, database) == set(READS), database
            assert await refused(door(service), WRITES, database) == set(WRITES), database


@pytest.mark.parametrize("service", SERVICES)
async def test_the_audience_is_read_by_those_who_send_to_it_and_written_by_its_owner(
    door: Door, service: str
) -> None:
    contacts = door(service).campaign.contacts
    reads: dict[str, Deed] = {"find": lambda _, __: contacts.find_one()}
    writes: dict[str, Deed] = {
        "insert": lambda _, __: contacts.insert_one({}),
        "update": lambda _, __: contacts.update_one({}, {"$set": {"number": 2}}),
        "delete": lambda _, __: contacts.delete_one({"number": 9}),
    }
    may_read = service in AUDIENCE_READERS
    assert await refused(door(service), reads, "") == (set() if may_read else set(reads))
    assert await refused(door(service), writes, "") == (
        set() if service == "campaign" else set(writes)
    )


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_adds_to_the_audit_trail_and_none_can_change_it(
    door: Door, service: str
) -> None:
    records = door(service).audit.records
    await records.insert_one({"_id": service})
    changes: dict[str, Deed] = {
        "update": lambda _, __: records.update_one({}, {"$set": {"actor": "nobody"}}),
        "replace": lambda _, __: records.replace_one({"_id": service}, {"actor": "nobody"}),
        "delete": lambda _, __: records.delete_many({}),
        "drop": lambda _, __: records.drop(),
        "expire": lambda _, __: records.create_index("at", expireAfterSeconds=1),
        "drop indexes": lambda _, __: records.drop_indexes(),
        "validate": lambda client, _: client.audit.command("collMod", "records", validator={}),
    }
    assert await refused(door(service), changes, "") == set(changes)
    reads: dict[str, Deed] = {"find": lambda _, __: records.find_one({"_id": service})}
    is_reader = service == "read_model"
    assert await refused(door(service), reads, "") == (set() if is_reader else set(reads))


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_runs_the_server(door: Door, service: str) -> None:
    assert await refused(door(service), NOBODYS, service) == set(NOBODYS)


async def test_a_stranger_sees_nothing(mongo: MongoServer, door: Door) -> None:
    assert door(ADMIN) is not None
    async with AsyncMongoClient[dict[str, Any]](
        f"mongodb://127.0.0.1:{mongo.port}/?directConnection=true"
    ) as stranger:
        for database in DATABASES:
            assert await refused(stranger, {**READS, **WRITES}, database) == {*READS, *WRITES}, (
                database
            )


async def test_where_others_run_the_servers_users_and_rights_are_made_by_their_administrator(
    mongo: MongoServer, door: Door
) -> None:
    await door(ADMIN).admin.command("dropUser", "dialler")
    await ensure_users(mongo.url(ADMIN), mongo.passwords)
    async with AsyncMongoClient[dict[str, Any]](mongo.url("dialler")) as dialler:
        assert await dialler.campaign.contacts.count_documents({}) > 0
        assert await refused(dialler, WRITES, "campaign") == set(WRITES)


async def test_the_script_for_deployments_is_fresh() -> None:
    file = Path(__file__).parents[2] / "deploy" / "mongo" / "rights.js"
    assert file.read_text() == script(), "run `make mongo-rights`"
