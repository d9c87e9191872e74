"""What must be there before the services of a deployment start; doing it again changes nothing."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carillon.deployment.secrets import mongo_server
from carillon.errors import PlainError
from carillon.files import write_atomically
from carillon.ops.migrate import in_use, migrate
from carillon.servers.credentials import ADMIN
from carillon.servers.edge import Edge
from carillon.servers.foreign_server import ForeignServer
from carillon.servers.guarding import EdgeTls
from carillon.servers.mongo_server import MongoServer, ensure_users
from carillon.servers.nats_server import ensure_topology
from carillon.services import SERVICES, package_folder
from carillon.stack_file import StackFile
from carillon.supervisor import NotPreparedError
from carillon.tokens.provider import Provider

PATIENCE_S = 90.0
PAUSE_S = 0.5
PORT = 8080  # where every service listens, the issuer and the edge too
EDGE_FOLDER = Path("/etc/carillon")  # where the edge's container finds what is written here
ISSUER = f"issuer:{PORT}"

type Narrate = Callable[[str], None]


class ServersAwayError(PlainError):
    """A server of the deployment did not answer in time."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where its servers are, and who may change them."""

    passwords: dict[str, str]
    nats_url: str
    url: str  # of the edge, as people see it
    replicas: int = 1  # how many servers of the NATS cluster keep each stream
    mongo_url: str | None = None  # of the administrator, where others run MongoDB

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Deployment":
        """What the environment tells.

        Raises:
            PlainError: something is missing.
        """
        try:
            passwords = json.loads(Path(environment["CARILLON_PASSWORDS_FILE"]).read_text())
            replicas = int(environment.get("CARILLON_NATS_REPLICAS") or 1)
            places = environment["CARILLON_NATS_URL"], environment["CARILLON_URL"]
            given = environment.get("CARILLON_MONGO_URL_FILE")
            mongo_url = Path(given).read_text().strip() if given else None
            return cls(passwords, *places, replicas, mongo_url)
        except (KeyError, OSError, ValueError) as error:
            raise PlainError(f"A deployment cannot be prepared without {error}.") from error

    @property
    def mongo(self) -> MongoServer | ForeignServer:
        """Compose's own MongoDB, or the one that is named, with its administrator's login."""
        own = mongo_server(self.passwords)
        return own if self.mongo_url is None else ForeignServer(self.mongo_url)

    async def prepare_mongo(self) -> None:
        """Make users, rights and the audit trail, and our own replica set; what is there stays."""
        if isinstance(self.mongo, MongoServer):
            await self.mongo.prepare()
        else:
            await ensure_users(self.mongo.url(), self.passwords)


async def prepare(deployment: Deployment, environment: Mapping[str, str], say: Narrate) -> None:
    """Streams and consumers, the replica set, its users and their rights, and the schema.

    Raises:
        ServersAwayError: a server did not answer in time.
        MigrationError: a database could not be brought to the schema.
    """
    mongo = deployment.mongo
    await _until_done("nats", lambda: ensure_topology(deployment.nats_url, deployment.replicas))
    say("nats: streams and consumers are there")
    await _until_done("mongo", deployment.prepare_mongo)
    say("mongo: replica set, users and rights are there")
    plain = {name: text for name, text in environment.items() if not name.startswith("CARILLON_")}
    await migrate(await in_use(SERVICES, mongo.url(ADMIN)), mongo.url, plain, say)


async def _until_done(server: str, step: Callable[[], Awaitable[None]]) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            await step()
        except NotPreparedError as error:
            if time.monotonic() > end:
                raise ServersAwayError(f"{server} does not answer: {error}") from error
            await asyncio.sleep(PAUSE_S)
        else:
            return


def edge_of(environment: Mapping[str, str]) -> Edge:
    """The edge of this deployment, from the same table of routes as the local one.

    Raises:
        HalfProviderError: an identity provider is named, but not all that is needed of it.
    """
    provider = Provider.named(environment)
    return Edge(
        folder=EDGE_FOLDER,
        host="",
        port=PORT,
        upstreams={service: f"{service}:{PORT}" for service in SERVICES},
        pages=EDGE_FOLDER / "pages",
        sign_in={"kind": "local"} if provider is None else provider.sign_in,
        sign_in_at=ISSUER if provider is None else None,
        tls=EdgeTls.of(environment),
        behind_tls=environment.get("CARILLON_URL", "").startswith("https://"),
    )


def write_edge(folder: Path, edge: Edge) -> None:
    """Write its configuration and the dashboard's pages."""
    fresh = folder / "pages.fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(package_folder("read_model") / "static", fresh)
    shutil.rmtree(folder / "pages", ignore_errors=True)
    fresh.rename(folder / "pages")
    write_atomically(folder / "caddy.json", json.dumps(edge.config(), indent=2))


def write_place(folder: Path, deployment: Deployment) -> None:
    """Write the `stack.json` with which `carillon log`, `projections` and the like find all."""
    StackFile(
        url=deployment.url,
        nats_url=deployment.nats_url,
        mongo_url=deployment.mongo.url(ADMIN),
        services={},
        token_file=str(folder / "token"),
    ).write(folder)


def prepare_all(edge: Path | None, tools: Path | None, say: Narrate) -> None:
    """Do everything that a deployment's environment asks for; files only where a place is given."""
    deployment = Deployment.of(os.environ)
    if edge is not None:
        write_edge(edge, edge_of(os.environ))
    if tools is not None:
        write_place(tools, deployment)
    asyncio.run(prepare(deployment, os.environ, say))
