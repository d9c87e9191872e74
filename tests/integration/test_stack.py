"""The servers of the local stack: their users' rights, their durability, their coming back."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from carillon.servers.mongo_server import MongoServer
from carillon.servers.nats_server import NatsServer
from carillon.stack import AlreadyRunningError, Options, PortTakenError, Stack, running_stack
from carillon.stack_file import read_stack_file

pytestmark = pytest.mark.asyncio(loop_scope="module")


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}


def servers_only(data: Path, port: int = 0) -> Options:
    return Options(data=data, port=port, services=(), environment=plain_environment())


class News:
    """What the launcher told, awaited by its words."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def tell(self, line: str) -> None:
        self._lines.append(line)

    async def heard(self, line: str, times: int) -> None:
        async with asyncio.timeout(60):
            while self._lines.count(line) < times:
                await asyncio.sleep(0.02)

    def count(self, line: str) -> int:
        return self._lines.count(line)


@pytest.fixture(scope="module")
def news() -> News:
    return News()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, news: News) -> AsyncIterator[Stack]:
    options = servers_only(tmp_path_factory.mktemp("stack") / "data")
    async with running_stack(options, news.tell) as started:
        yield started


def nats_of(stack: Stack) -> NatsServer:
    assert isinstance(stack.nats, NatsServer)
    return stack.nats


def mongo_of(stack: Stack) -> MongoServer:
    assert isinstance(stack.mongo, MongoServer)
    return stack.mongo


async def test_stack_json_says_what_runs(stack: Stack) -> None:
    found = read_stack_file(stack.data)
    assert found == stack.file()
    assert set(found.services) == {"nats", "mongo", "carrier", "edge"}
    for place in found.services.values():
        assert place.pid is not None
        os.kill(place.pid, 0)


async def test_a_second_start_on_the_same_folder_says_so(stack: Stack, news: News) -> None:
    with pytest.raises(AlreadyRunningError, match="already runs"):
        async with running_stack(servers_only(stack.data), news.tell):
            pass
    assert read_stack_file(stack.data) == stack.file()


async def test_a_port_that_is_taken_is_said_and_nothing_stays(stack: Stack, tmp_path: Path) -> None:
    taken = int(stack.url.rpartition(":")[2])
    with pytest.raises(PortTakenError, match=str(taken)):
        async with running_stack(servers_only(tmp_path / "other", taken), lambda _: None):
            pass
    assert not (tmp_path / "other" / "stack.json").exists()


async def test_a_stranger_is_not_let_in(stack: Stack) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", nats_of(stack).port)
    writer.write(b'CONNECT {"verbose": false}\r\nPING\r\n')
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"Authorization Violation" in said
    assert b"PONG" not in said


async def test_transactions_work(stack: Stack) -> None:
    async with (
        AsyncMongoClient[dict[str, object]](mongo_of(stack).url("campaign")) as client,
        client.start_session() as session,
        await session.start_transaction(),
    ):
        await client.campaign.contacts.insert_one({"number": 1}, session=session)


@pytest.mark.parametrize("name", ["nats", "mongo", "edge", "carrier"])
async def test_a_killed_process_comes_back_on_its_port(stack: Stack, news: News, name: str) -> None:
    before = read_stack_file(stack.data).services[name]
    seen = news.count(f"{name} ready again")
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    await news.heard(f"{name} ready again", seen + 1)
    after = read_stack_file(stack.data).services[name]
    assert after.url == before.url
    assert after.pid not in (None, before.pid)


async def test_what_was_stored_outlives_a_killed_broker_and_a_killed_database(
    stack: Stack, news: News
) -> None:
    connection = await nats.connect(stack.nats.url())
    stored = await connection.jetstream().publish("campaign.w.kept.created", b"{}")
    await connection.close()
    async with AsyncMongoClient[dict[str, object]](stack.mongo.url("admin")) as client:
        await client.campaign.kept.insert_one({"_id": 1})
    for name in ("nats", "mongo"):
        seen = news.count(f"{name} ready again")
        pid = stack.running[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await news.heard(f"{name} ready again", seen + 1)
    connection = await nats.connect(stack.nats.url())
    found = await connection.jetstream().get_msg("CAMPAIGNS", stored.seq)
    assert found.subject == "campaign.w.kept.created"
    await connection.close()
    async with AsyncMongoClient[dict[str, object]](stack.mongo.url("admin")) as client:
        assert await client.campaign.kept.find_one() == {"_id": 1}


async def test_a_stack_starts_again_from_its_data_though_its_ports_are_taken(
    tmp_path: Path,
) -> None:
    options = servers_only(tmp_path / "data")
    async with running_stack(options, lambda _: None) as first:
        async with AsyncMongoClient[dict[str, object]](first.mongo.url("admin")) as client:
            await client.campaign.kept.insert_one({"_id": 1})
        mongo_port = mongo_of(first).port
    assert not (tmp_path / "data" / "stack.json").exists()
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", mongo_port)
    async with server, running_stack(options, lambda _: None) as second:
        assert mongo_of(second).port != mongo_port
        async with AsyncMongoClient[dict[str, object]](second.mongo.url("admin")) as client:
            assert await client.campaign.kept.find_one() == {"_id": 1}


async def test_servers_of_somebody_else_are_used_and_left_alone(
    stack: Stack, tmp_path: Path
) -> None:
    environment = plain_environment() | {
        "CARILLON_NATS_URL": stack.nats.url(),
        "CARILLON_MONGO_URL": stack.mongo.url("admin"),
    }
    options = Options(data=tmp_path / "guest", port=0, services=(), environment=environment)
    async with running_stack(options, lambda _: None) as guest:
        told = json.loads((guest.data / "stack.json").read_text())
        assert told["nats_url"] == stack.nats.url()
        assert told["services"]["mongo"]["pid"] is None
        assert "@" not in told["services"]["nats"]["url"]
        assert set(guest.running) == {"carrier", "edge"}
    assert stack.running["nats"].pid is not None
