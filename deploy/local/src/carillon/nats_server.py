"""nats-server on this machine: fsync on every write, one user with its own rights per service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import httpx
import nats
import nats.errors
import nats.js.errors

from campaign_events import topology
from carillon.binaries import NATS
from carillon.credentials import ADMIN
from carillon.files import OWNER_ONLY, write_atomically
from carillon.supervisor import NotPreparedError, Program

# What each service may say in the log (design: one owner per subject).
OWN_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "campaign": ("campaign.>",),
    "moderation": ("moderation.>", "sender.>"),
    "dispatcher": ("message.>", "suppression.>"),
    "dialler": ("call.>",),
    "read_model": ("dialler.live", "ops.>"),  # questions, not facts
}
# What every service needs besides: JetStream's API, acknowledgements, answers, health, leases, and
# telling how many audit records wait on its disk.
COMMON_SUBJECTS = ("$JS.API.>", "$JS.ACK.>", "_INBOX.>", "core.>", "view.>", "lease.>", "audit.>")
# Streams are made and changed in one place only, and that is not a service.
STREAM_CHANGES = tuple(
    f"$JS.API.STREAM.{change}.>"
    for change in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "MSG.DELETE")
)
# The streams' limits are promises for years, not for this machine's disk; `doctor` watches that.
MAX_FILE_STORE = 1024**4
CONNECT_TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class NatsServer:
    """The broker of one data folder."""

    folder: Path
    port: int
    monitor_port: int
    passwords: Mapping[str, str]

    def url(self, user: str = ADMIN) -> str:
        """Where to connect as this user."""
        return f"nats://{user}:{self.passwords[user]}@127.0.0.1:{self.port}"

    def program(self, log: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        config = self.folder / "nats.json"
        write_atomically(config, json.dumps(self.config(), indent=2), mode=OWNER_ONLY)
        return Program(
            name="nats",
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
            "server_name": "carillon-local",
            "listen": f"127.0.0.1:{self.port}",
            "http": f"127.0.0.1:{self.monitor_port}",
            "max_payload": 1024 * 1024,
            "jetstream": {
                "store_dir": str(self.folder / "store"),
                "sync_interval": "always",
                "max_file_store": MAX_FILE_STORE,
                "max_memory_store": 256 * 1024 * 1024,
            },
            "authorization": {"users": self._users()},
        }

    def _users(self) -> list[dict[str, object]]:
        admin: dict[str, object] = {"user": ADMIN, "password": self.passwords[ADMIN]}
        known = (service for service in OWN_SUBJECTS if service in self.passwords)
        return [admin, *(self._user(service) for service in known)]

    def _user(self, service: str) -> dict[str, object]:
        publish = {
            "allow": [*OWN_SUBJECTS[service], *COMMON_SUBJECTS],
            "deny": list(STREAM_CHANGES),
        }
        return {
            "user": service,
            "password": self.passwords[service],
            "permissions": {"publish": publish},
        }

    async def answers(self) -> bool:
        """Whether the server accepts us and its JetStream is on, with every write fsynced."""
        try:
            async with httpx.AsyncClient(timeout=CONNECT_TIMEOUT) as monitor:
                answer = await monitor.get(f"http://127.0.0.1:{self.monitor_port}/varz")
                health = await monitor.get(f"http://127.0.0.1:{self.monitor_port}/healthz")
        except httpx.TransportError:
            return False
        if not answer.is_success or not health.is_success:
            return False
        return bool(answer.json().get("jetstream", {}).get("config", {}).get("sync_always"))

    async def prepare(self) -> None:
        """Make the streams and durable consumers, or compare them with what they must be."""
        await ensure_topology(self.url())


async def ensure_topology(url: str) -> None:
    """Make the streams and durable consumers on this server.

    Raises:
        NotPreparedError: it went away in the middle.
    """
    try:
        connection = await nats.connect(url, connect_timeout=CONNECT_TIMEOUT, allow_reconnect=False)
        async with connection:
            await topology.ensure(connection)
    except (nats.errors.Error, OSError) as error:
        refused = isinstance(error, nats.js.errors.APIError)
        if refused and not isinstance(error, nats.js.errors.ServiceUnavailableError):
            raise
        raise NotPreparedError(f"nats-server went away: {error!r}") from error
