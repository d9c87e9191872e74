"""mongod on this machine: a replica set of one or of several, with one user per service."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.parse import quote

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from campaign_events import audit_store
from carillon.servers.binaries import MONGO
from carillon.servers.credentials import ADMIN
from carillon.servers.mongo_rights import commands
from carillon.supervisor import NotPreparedError, Program

REPLICA_SET = "carillon"
CACHE_GB = 1
LEAST_CACHE_GB = 0.25
LEAVE_MS = 100
OPLOG_MB = 1024
ELECTION_MS = 2000
"""How long several members wait for a primary that says nothing."""
ALREADY_INITIALIZED = 23
NOT_ALL_THERE = 74
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
ALREADY_EXISTS = (51002, 51003)  # role, user


@dataclass(frozen=True, slots=True)
class MongoServer:
    """The document store of one data folder, or one member of its replica set."""

    folder: Path
    port: int
    key_file: Path
    passwords: Mapping[str, str]
    host: str = "127.0.0.1"  # by which others reach it; it is prepared from beside it
    ca: Path | None = None  # who vouches for it; without one it does not speak TLS
    number: int = 1
    ports: Sequence[int] = ()  # of all members, where there are several
    addresses: Sequence[str] = ()  # of all members, where others run them

    @property
    def name(self) -> str:
        """What it is called among the processes."""
        return "mongo" if self.number == 1 else f"mongo-{self.number}"

    def members(self) -> list["MongoServer"]:
        """Every member of the replica set."""
        others = [
            replace(self, number=number, port=port, folder=self.folder.with_name(f"mongo-{number}"))
            for number, port in enumerate(self.ports[1:], 2)
        ]
        return [self, *others]

    @property
    def _hosts(self) -> Sequence[str]:
        own = [f"{self.host}:{port}" for port in self.ports or (self.port,)]
        return self.addresses or own

    def url(self, user: str | None = ADMIN) -> str:
        """Where to connect as this user."""
        login = f"{user}:{self.passwords[user]}@" if user is not None else ""
        return (
            f"mongodb://{login}{','.join(self._hosts)}/"
            f"?replicaSet={REPLICA_SET}&authSource=admin{self._trust}"
        )

    @property
    def _trust(self) -> str:
        return "" if self.ca is None else f"&tls=true&tlsCAFile={quote(str(self.ca))}"

    def program(self, log: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        cache_gb = max(CACHE_GB / len(self._hosts), LEAST_CACHE_GB)
        command = (
            *(str(MONGO.runnable()), "--dbpath", str(self.folder / "db")),
            *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--keyFile", str(self.key_file)),
            *("--wiredTigerCacheSizeGB", str(cache_gb), "--oplogSize", str(OPLOG_MB)),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # Nobody on this machine has to be told 15 s before that a member goes.
            *("--setParameter", f"shutdownTimeoutMillisForSignaledShutdown={LEAVE_MS}"),
        )
        return Program(
            name=self.name,
            command=command,
            url=f"mongodb://127.0.0.1:{self.port}",
            log=log,
            folder=self.folder,
            environment=environment,
            ready=self.answers,
            prepare=self.prepare,
            patience=30.0,
            when_launcher_dies=SIGTERM,
        )

    async def answers(self) -> bool:
        """Whether the server talks to us at all."""
        async with self._direct() as client:
            try:
                await client.admin.command("ping")
            except PyMongoError:
                return False
        return True

    async def prepare(self) -> None:
        """Return when there is a primary that knows its users; does nothing twice.

        The first member does it; the others follow it.

        Raises:
            NotPreparedError: it went away in the middle, or others are not there yet.
        """
        try:
            if self.number == 1:
                await self._prepare()
            else:
                async with self._direct() as client:
                    await self._until_member(client)
        except ConnectionFailure as error:
            raise NotPreparedError(f"mongod went away: {error}") from error

    async def _prepare(self) -> None:
        try:
            async with self._direct() as client:
                await client.admin.command("replSetInitiate", self._members(version=1))
        except OperationFailure as refusal:
            if refusal.code == NOT_ALL_THERE:
                raise NotPreparedError(f"mongod waits for the others: {refusal}") from refusal
            # It has users already, or was ended right after: initiated before either way.
            if refusal.code not in (UNAUTHORIZED, ALREADY_INITIALIZED):
                raise
        if not await self._knows_admin():
            async with self._direct() as client:
                await self._until_member(client)
            async with self._together(None) as client:
                await _create_user(client, ADMIN, self.passwords[ADMIN], ["root"])
        async with self._direct(ADMIN) as client:
            await self._own_address(client)
            await self._until_member(client)
        async with self._together(ADMIN) as client:
            await _create_service_users(client, self.passwords)

    async def _knows_admin(self) -> bool:
        try:
            async with self._direct(ADMIN) as client:
                await client.admin.command("ping")
        except OperationFailure as refusal:
            if refusal.code != AUTHENTICATION_FAILED:
                raise
            return False
        return True

    async def _own_address(self, client: AsyncMongoClient[Any]) -> None:
        """The set remembers its members by address; the ports may have changed since."""
        stored = await client.local["system.replset"].find_one({"_id": REPLICA_SET})
        if stored is None or [one["host"] for one in stored["members"]] == list(self._hosts):
            return
        wanted = self._members(version=stored["version"] + 1)
        await client.admin.command("replSetReconfig", wanted, force=True)

    def _members(self, *, version: int) -> dict[str, Any]:
        members = [{"_id": number, "host": host} for number, host in enumerate(self._hosts)]
        several = {"settings": {"electionTimeoutMillis": ELECTION_MS}} if self.ports else {}
        return {"_id": REPLICA_SET, "version": version, "members": members, **several}

    async def _until_member(self, client: AsyncMongoClient[Any]) -> None:
        """Wait until the server is the primary, or has one; nobody is told of elections."""
        while True:
            hello = await client.admin.command("hello")
            if hello["isWritablePrimary"] or (self.ports and hello.get("secondary")):
                return
            await asyncio.sleep(0.05)

    def _together(self, user: str | None) -> AsyncMongoClient[Any]:
        """A client of the replica set, wherever its primary is."""
        if not self.ports:
            return self._direct(user)
        return AsyncMongoClient(self.url(user), serverSelectionTimeoutMS=5000, w="majority")

    def _direct(self, user: str | None = None) -> AsyncMongoClient[Any]:
        """A client of this one member, also while it is no primary yet."""
        login = f"{user}:{self.passwords[user]}@" if user is not None else ""
        return AsyncMongoClient(
            f"mongodb://{login}127.0.0.1:{self.port}/?authSource=admin{self._trust}",
            directConnection=True,
            serverSelectionTimeoutMS=1000,
        )


async def ensure_audit(url: str) -> None:
    """Make the audit trail's indexes on a server that somebody else runs.

    Raises:
        NotPreparedError: it does not answer.
    """
    try:
        async with AsyncMongoClient[Any](url, serverSelectionTimeoutMS=5000) as client:
            await audit_store.ensure(client[audit_store.DATABASE])
    except ConnectionFailure as error:
        raise NotPreparedError(f"mongod does not answer: {error}") from error


async def ensure_users(url: str, passwords: Mapping[str, str]) -> None:
    """Make the services' users, their rights and the audit trail where others run the servers.

    Raises:
        NotPreparedError: they do not answer.
    """
    try:
        async with AsyncMongoClient[Any](
            url, serverSelectionTimeoutMS=5000, w="majority"
        ) as client:
            await _create_service_users(client, passwords)
    except ConnectionFailure as error:
        raise NotPreparedError(f"mongod does not answer: {error}") from error


async def _create_service_users(
    client: AsyncMongoClient[Any], passwords: Mapping[str, str]
) -> None:
    for command in commands(passwords):
        await _unless_there(client, command)
    await audit_store.ensure(client[audit_store.DATABASE])


async def _create_user(
    client: AsyncMongoClient[Any], name: str, password: str, roles: list[Any]
) -> None:
    await _unless_there(client, {"createUser": name, "pwd": password, "roles": roles})


async def _unless_there(client: AsyncMongoClient[Any], command: dict[str, Any]) -> None:
    try:
        await client.admin.command(command)
    except OperationFailure as refusal:
        if refusal.code not in ALREADY_EXISTS:
            raise
