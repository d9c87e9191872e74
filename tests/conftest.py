"""A nats-server per test file, a mongod per test process; a database and a workspace per test."""

import os
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nats
import pytest
import structlog
from hypothesis import settings
from nats.aio.client import Client
from pymongo import AsyncMongoClient, MongoClient
from xdist.remote import Producer

from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from carillon.servers.certificates import make_certificates
from carillon.supervisor import log_tail

sys.path.insert(0, str(Path(__file__).parent))

import forked
import phones_process
import servers
import shared_platforms

if TYPE_CHECKING:
    import dispatching
    from dialling import Rig

SYSTEM_DATABASES = {"admin", "config", "local"}

# Whether a machine is quick is not what a test finds out.
settings.register_profile("carillon", deadline=None)
settings.load_profile("carillon")

structlog.configure(
    # The default renders tracebacks with all local variables: seconds, on a busy machine.
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)


def pytest_configure(config: pytest.Config) -> None:
    """Let HTTP clients trust one authority of ours: to read all of the world's takes each 0.1 s."""
    folder = tempfile.TemporaryDirectory(prefix="carillon-trust-")
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(forked.close)
    make_certificates(Path(folder.name))
    os.environ["SSL_CERT_FILE"] = f"{folder.name}/ca.crt"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what may take longest, so that none of it is waited for at the end."""
    longest: dict[Path, float] = {}
    for item in items:
        limit = max((mark.args[0] for mark in item.iter_markers("timeout")), default=0.0)
        longest[item.path] = max(longest.get(item.path, 0.0), limit)
    together: defaultdict[str, float] = defaultdict(float)
    for path, limit in longest.items():
        together[shared_platforms.of(str(path))] += limit
    items.sort(
        key=lambda item: (together[shared_platforms.of(str(item.path))], longest[item.path]),
        reverse=True,
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> shared_platforms.Scheduling | None:
    """Let one worker take a file, or all files that share a platform."""
    if config.getoption("dist") != "loadfile":
        return None
    return shared_platforms.Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show how the logs end of whatever was started for a test that fails."""
    report = yield
    if report.failed:
        fixtures = getattr(item, "funcargs", {}).values()
        folders = {folder for each in fixtures if (folder := _folder(each)) is not None}
        logs = sorted(log for folder in folders for log in folder.rglob("*.log"))
        report.sections += [(log.name, log_tail(log)) for log in logs]
    return report


def _folder(fixture: object) -> Path | None:
    """Where the processes of a fixture write: a folder itself, a rig's, a platform's."""
    told = (fixture, getattr(fixture, "folder", None), getattr(fixture, "data", None))
    return next((each for each in told if isinstance(each, Path)), None)


@pytest.fixture(scope="module")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = servers.free_port()
    with servers.nats_server(tmp_path_factory.mktemp("nats"), port):
        yield f"nats://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.mongod(tmp_path_factory.mktemp("mongo"), servers.free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def mongo_url(mongod: str) -> Iterator[str]:
    """A server without databases: a service's view must not be older than the log of the file."""
    yield mongod
    with MongoClient[dict[str, object]](mongod) as client:
        for name in set(client.list_database_names()) - SYSTEM_DATABASES:
            client.drop_database(name)


@pytest.fixture
async def nc(nats_url: str) -> AsyncIterator[Client]:
    """A connection to a server that holds what earlier tests of the file wrote: use `workspace`."""
    connection = await nats.connect(nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def log(nc: Client) -> EventLog:
    return EventLog(nc)


@pytest.fixture
async def db(mongo_url: str) -> AsyncIterator[Database]:
    """A database of this test's own."""
    async with AsyncMongoClient[dict[str, object]](mongo_url, tz_aware=True) as client:
        name = f"test_{uuid.uuid4().hex}"
        yield client[name]
        await client.drop_database(name)


@pytest.fixture
def workspace() -> str:
    """A workspace that nobody else has."""
    return f"w{uuid.uuid4().hex[:12]}"


@pytest.fixture
def phones(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[phones_process.Phones]:
    """A simulated phone network, with the `HABITS` of the test's file and those it adds."""
    habits = request.module.HABITS | getattr(request, "param", {})
    with phones_process.running(tmp_path, **habits) as phones:
        yield phones


@pytest.fixture
async def stage(
    tmp_path: Path, nats_url: str, mongo_url: str, workspace: str, log: EventLog
) -> AsyncIterator["dispatching.Rig"]:
    """A dispatcher and a carrier."""
    from dispatching import Rig  # noqa: PLC0415 - only tests of dispatchers shall wait for it

    stage = Rig(tmp_path, nats_url, mongo_url, workspace, log)
    yield stage
    await stage.clear()


@pytest.fixture
async def rig(  # noqa: PLR0917 - fixtures come as parameters
    tmp_path: Path,
    nats_url: str,
    mongo_url: str,
    workspace: str,
    log: EventLog,
    phones: phones_process.Phones,
) -> AsyncIterator["Rig"]:
    """Diallers in this phone network; tests of the dispatcher have a rig of their own: `stage`."""
    from dialling import Rig  # noqa: PLC0415 - only tests of diallers shall wait for it

    rig = Rig(tmp_path, nats_url, mongo_url, workspace, log, phones)
    yield rig
    await rig.clear()
