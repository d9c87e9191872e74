"""TLS to NATS and MongoDB: the configuration of `deploy/nats`, certificates of our own."""

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

import pytest
import pytest_asyncio
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

import servers
from campaign_events import topology
from campaign_events.campaign import CampaignDeleted
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.follow import Follower
from campaign_events.nats_login import Connection, NatsLogin
from campaign_events.reaction import broker_of
from campaign_events.wire import Wire, WireLost
from carillon.servers.binaries import NATS
from carillon.servers.certificates import make_certificates
from carillon.servers.credentials import made_seeds
from carillon.servers.mongo_server import MongoServer
from carillon.servers.nats_conf import files
from carillon.servers.nats_rights import RIGHTS
from carillon.servers.nkey import public_of

DEPLOYED = Path(__file__).parents[2] / "deploy" / "nats"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A server that runs on `deploy/nats`, and what its clients have."""

    folder: Path
    port: int

    def login(self, service: str) -> NatsLogin:
        seed = (self.folder / "seeds" / f"{service}.nkey").read_text().strip()
        url = f"tls://localhost:{self.port}"
        return NatsLogin(url, service, seed, self.folder / "certificates" / "ca.crt")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nats_with_tls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployed]:
    folder, port = tmp_path_factory.mktemp("tls"), servers.free_port()
    make_certificates(folder / "certificates")
    seeds = made_seeds(folder / "seeds", ("admin", *RIGHTS))
    for name, text in files().items():
        here = (
            text.replace("/etc/nats-certs/tls", str(folder / "certificates" / "nats"))
            .replace("/etc/nats-certs/ca", str(folder / "certificates" / "ca"))
            .replace('"/data"', json.dumps(str(folder / "data")))
            .replace("0.0.0.0:4222", f"127.0.0.1:{port}")
            .replace("127.0.0.1:8222", f"127.0.0.1:{servers.free_port()}")
        )
        (folder / name).write_text(here)
    keys = {f"NKEY_{user.upper()}": public_of(seed.read_text()) for user, seed in seeds.items()}
    command = [servers.program(NATS), "-c", str(folder / "nats.conf")]
    with servers.running(command, folder / "nats.log", keys | {"SERVER_NAME": "one"}):
        deployed = Deployed(folder, port)
        admin = await _patiently(replace(deployed.login("admin"), name=""))
        await topology.ensure(admin)
        await admin.close()
        yield deployed


async def _patiently(login: NatsLogin) -> Connection:
    async def unsaid(_: Exception) -> None:
        return

    return await Connection.open(
        login, max_reconnect_attempts=250, reconnect_time_wait=0.1, error_cb=unsaid
    )


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that nobody has asked for."""
    folder = tmp_path_factory.mktemp("stranger")
    make_certificates(folder)
    return folder / "ca.crt"


@pytest.mark.parametrize("name", files())
def test_the_configuration_for_deployments_is_fresh(name: str) -> None:
    assert (DEPLOYED / name).read_text() == files()[name], "run `make nats-conf`"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_log_is_written_and_followed_by_key_over_tls(nats_with_tls: Deployed) -> None:
    address = Address("w", new_id())
    event = CampaignDeleted(was="new", by=Actor(id="ann", name="Ann"))
    async with await Connection.open(nats_with_tls.login("campaign")) as nc:
        fact = Fact(event, address, new_id())
        seq = await EventLog(nc).append_fact(fact, Origin(new_id(), datetime.now(UTC), "test"))
    async with await Connection.open(nats_with_tls.login("read_model")) as nc:
        follower = Follower(nc, "CAMPAIGNS", after=seq - 1)
        assert [found.event for found in await follower.fetch()] == [event]
        await follower.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_reactions_come_in_by_key_over_tls(nats_with_tls: Deployed) -> None:
    broker = broker_of(nats_with_tls.login("campaign"))
    await broker.start()
    assert await broker.ping(5)
    await broker.stop()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_server_of_another_authority_is_not_spoken_to(
    nats_with_tls: Deployed, stranger: Path
) -> None:
    login = replace(nats_with_tls.login("campaign"), ca=stranger)
    with pytest.raises(WireLost, match="CERTIFICATE_VERIFY_FAILED"):
        await Wire.open(urlparse(login.url), login)
    other_name = replace(nats_with_tls.login("campaign"), url=f"tls://127.1:{nats_with_tls.port}")
    with pytest.raises(WireLost, match="CERTIFICATE_VERIFY_FAILED"):
        await Wire.open(urlparse(other_name.url), other_name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("by_wire", [True, False])
async def test_nobody_talks_a_client_out_of_tls(stranger: Path, by_wire: bool) -> None:
    """Between the client and its server, somebody says that there is no TLS here."""
    heard = bytearray()

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.11.0", "headers": True, "max_payload": 1048576}
        writer.write(b"INFO %b\r\n" % json.dumps(info).encode())
        heard.extend(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(pretend, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = NatsLogin(f"nats://ann:sesame@127.0.0.1:{port}", "campaign", ca=stranger)
    async with server:
        if by_wire:
            with pytest.raises(WireLost):
                await Wire.open(urlparse(login.url), login)
        else:
            with pytest.raises(Exception, match=r"(?i)ssl|tls|wrong version|record layer"):
                await Connection.open(login, allow_reconnect=False, connect_timeout=2)
    gc.collect()
    assert heard[:1] == b"\x16", "TLS from the first byte"
    assert b"sesame" not in heard


@pytest.fixture(scope="module")
def mongo_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    folder, port = tmp_path_factory.mktemp("mongo-tls"), servers.free_port()
    make_certificates(folder / "certificates")
    ca = folder / "certificates" / "ca.crt"
    tls = (
        *("--tlsMode", "requireTLS", "--tlsCAFile", str(ca)),
        *("--tlsCertificateKeyFile", str(folder / "certificates" / "mongo.pem")),
        "--tlsAllowConnectionsWithoutCertificates",
    )
    with servers.running([*servers.mongod_command(folder, port), *tls], folder / "mongod.log"):
        yield MongoServer(folder, port, Path(), {"ann": "sesame"}, ca=ca)


def _ping(url: str, within_s: float) -> object:
    """Ask the one server, whoever we are."""
    plain = re.sub(r"//.*@", "//", url).replace("replicaSet=carillon", "directConnection=true")
    with MongoClient[dict[str, object]](plain, serverSelectionTimeoutMS=within_s * 1000) as client:
        return client.admin.command("ping")["ok"]


def test_mongodb_is_reached_over_tls_and_only_so(
    mongo_with_tls: MongoServer, stranger: Path
) -> None:
    assert _ping(mongo_with_tls.url("ann"), servers.PATIENCE_S) == 1
    with pytest.raises(ServerSelectionTimeoutError, match="certificate verify failed"):
        _ping(replace(mongo_with_tls, ca=stranger).url("ann"), 1)
    with pytest.raises(ServerSelectionTimeoutError):
        _ping(replace(mongo_with_tls, ca=None).url("ann"), 1)
