"""nats-server on this machine: fsync on every write, one key with its own rights per service."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGTERM

import httpx
import nats.errors
import nats.js.errors

from campaign_events import topology
from campaign_events.nats_login import Connection
from carillon.asking import asking
from carillon.files import OWNER_ONLY, write_atomically
from carillon.servers.binaries import NATS
from carillon.servers.connections import login_to
from carillon.servers.credentials import ADMIN
from carillon.servers.nats_rights import RIGHTS, permissions
from carillon.servers.nkey import public_of
from carillon.supervisor import NotPreparedError, Program

# The streams' limits are promises for years, not for this machine's disk; `doctor` watches that.
MAX_FILE_STORE = 1024**4
MAX_PAYLOAD = 1024**2
CONNECT_TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class Tls:
    """With what a server proves who it is, and, in a cluster, who may vouch for the others."""

    certificate: str
    key: str
    ca: str | None = None

    def config(self) -> dict[str, object]:
        """For clients: those that begin with TLS are never greeted without it.

        They have seconds for their first byte; the 50 ms of "auto" are too short on a busy machine.
        """
        authority = {} if self.ca is None else {"ca_file": self.ca}
        files = {"cert_file": self.certificate, "key_file": self.key, **authority}
        return {**files, "handshake_first": "5s", "min_version": "1.2"}

    def between_servers(self) -> dict[str, object]:
        """For a cluster: both sides prove who they are."""
        return {
            "cert_file": self.certificate,
            "key_file": self.key,
            "ca_file": self.ca,
            "verify": True,
            "timeout": 5,
        }


@dataclass(frozen=True, slots=True)
class Cluster:
    """Servers that keep every stream together; each knows all of them."""

    ports: Sequence[int]
    """For clients."""
    routes: Sequence[int]
    """For each other."""
    monitors: Sequence[int]
    """For whoever looks how they are."""

    def config(self, own: int) -> dict[str, object]:
        """What the server whose routes come in at the port `own` needs to know."""
        return {
            "name": "carillon",
            "listen": f"127.0.0.1:{own}",
            "routes": [f"nats://127.0.0.1:{port}" for port in self.routes],
            "no_advertise": True,
        }


@dataclass(frozen=True, slots=True)
class NatsServer:
    """The broker of one data folder, or one server of its cluster."""

    folder: Path
    port: int
    monitor_port: int
    password: str
    keys: Mapping[str, Path]  # service → its seed
    tls: Tls | None = None
    number: int = 1
    cluster: Cluster | None = None

    @property
    def name(self) -> str:
        """What it is called among the processes."""
        return "nats" if self.number == 1 else f"nats-{self.number}"

    def members(self) -> list["NatsServer"]:
        """Every server of the cluster."""
        if self.cluster is None:
            return [self]
        places = zip(self.cluster.ports, self.cluster.monitors, strict=True)
        return [
            replace(
                self, number=number, port=port, monitor_port=monitor, folder=self._folder(number)
            )
            for number, (port, monitor) in enumerate(places, 1)
        ]

    def _folder(self, number: int) -> Path:
        return self.folder if number == 1 else self.folder.with_name(f"nats-{number}")

    def url(self) -> str:
        """Where to connect as administrator: to any server of the cluster."""
        return self._everywhere(f"{ADMIN}:{self.password}@")

    def _everywhere(self, login: str = "") -> str:
        ports = (self.port,) if self.cluster is None else self.cluster.ports
        return ",".join(f"{self.scheme}://{login}127.0.0.1:{port}" for port in ports)

    @property
    def scheme(self) -> str:
        """How its addresses begin."""
        return "nats" if self.tls is None else "tls"

    def login(self, service: str) -> dict[str, str]:
        """What a service needs to be told to log in as itself."""
        return {
            "CARILLON_NATS_URL": self._everywhere(),
            "CARILLON_NATS_NKEY_FILE": str(self.keys[service]),
        }

    def program(self, log: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        config = self.folder / "nats.json"
        write_atomically(config, json.dumps(self.config(), indent=2), mode=OWNER_ONLY)
        return Program(
            name=self.name,
            command=(str(NATS.runnable()), "-c", str(config)),
            url=f"nats://127.0.0.1:{self.port}",
            log=log,
            folder=self.folder,
            environment=environment,
            ready=self.answers,
            prepare=self.prepare,
            when_launcher_dies=SIGTERM,
        )

    def config(self) -> dict[str, object]:
        """The server's configuration; JSON is a dialect that it reads."""
        return {
            "server_name": f"carillon-local-{self.number}",
            "listen": f"127.0.0.1:{self.port}",
            "http": f"127.0.0.1:{self.monitor_port}",
            "max_payload": MAX_PAYLOAD,
            "jetstream": {
                "store_dir": str(self.folder / "store"),
                "sync_interval": "always",
                "max_file_store": MAX_FILE_STORE,
                "max_memory_store": 256 * 1024 * 1024,
            },
            "authorization": {"users": self._users()},
            **({} if self.tls is None else {"tls": self.tls.config()}),
            **self._cluster(),
        }

    def _cluster(self) -> dict[str, object]:
        if self.cluster is None:
            return {}
        return {"cluster": self.cluster.config(self.cluster.routes[self.number - 1])}

    def _users(self) -> list[dict[str, object]]:
        admin: dict[str, object] = {"user": ADMIN, "password": self.password}
        known = (service for service in RIGHTS if service in self.keys)
        return [admin, *(self._user(service) for service in known)]

    def _user(self, service: str) -> dict[str, object]:
        public = public_of(self.keys[service].read_text())
        return {"nkey": public, "permissions": permissions(service)}

    async def answers(self) -> bool:
        """Whether the server accepts us and its JetStream is on, with every write fsynced.

        In a cluster it need not have caught up with the others.
        """
        alone = "" if self.cluster is None else "?js-server-only=true"
        try:
            async with asking(CONNECT_TIMEOUT) as monitor:
                answer = await monitor.get(f"http://127.0.0.1:{self.monitor_port}/varz")
                health = await monitor.get(f"http://127.0.0.1:{self.monitor_port}/healthz{alone}")
        except httpx.TransportError:
            return False
        if not answer.is_success or not health.is_success:
            return False
        return bool(answer.json().get("jetstream", {}).get("config", {}).get("sync_always"))

    async def prepare(self) -> None:
        """Make the streams and durable consumers, or compare them with what they must be."""
        replicas = 1 if self.cluster is None else len(self.cluster.ports)
        if self.number == 1:
            await ensure_topology(self.url(), replicas)


async def ensure_topology(url: str, replicas: int = 1) -> None:
    """Make the streams and durable consumers on this server.

    Raises:
        NotPreparedError: it went away in the middle.
    """
    try:
        connection = await Connection.open(
            login_to(url), connect_timeout=CONNECT_TIMEOUT, allow_reconnect=False
        )
        async with connection:
            await topology.ensure(connection, replicas=replicas)
    except (nats.errors.Error, OSError) as error:
        refused = isinstance(error, nats.js.errors.APIError)
        if refused and not isinstance(error, nats.js.errors.ServiceUnavailableError):
            raise
        raise NotPreparedError(f"nats-server went away: {error!r}") from error
