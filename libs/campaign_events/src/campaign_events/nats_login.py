"""How a process logs in to NATS: where, with whose key, whom it trusts, and where it is answered.

A service's answers come to inboxes of its own, and nobody else may listen there.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import nkeys
from nats.aio.client import DEFAULT_INBOX_PREFIX, Client

from campaign_events.settings import Settings

INBOX = DEFAULT_INBOX_PREFIX.decode()


@dataclass(frozen=True, slots=True)
class NatsLogin:
    """Who logs in to which server. Without a seed the URL says it, with a user and a password."""

    url: str = field(repr=False)
    name: str = ""
    seed: str | None = field(default=None, repr=False)
    ca: Path | None = None

    @classmethod
    def of(cls, name: str, settings: Settings) -> Self:
        """Return how the service of this name logs in."""
        return cls(settings.nats_url, name, settings.nats_nkey, settings.nats_ca)

    @property
    def servers(self) -> list[str]:
        """The servers of the cluster; any of them will do."""
        return [server.strip() for server in self.url.split(",") if server.strip()]

    @property
    def inbox_prefix(self) -> str:
        """What the subjects begin with on which this service alone listens.

        A process that works for a service is called after it: `read_model-builder`.
        """
        service = self.name.partition("-")[0]
        return f"{INBOX}.{service}" if service else INBOX

    @property
    def tls(self) -> ssl.SSLContext | None:
        """Whom to trust; None: those whom this machine trusts, if the server wants TLS at all.

        Given, it is TLS from the first byte: the server's greeting is not encrypted otherwise, and
        whoever changes it could talk the client out of TLS.
        """
        return None if self.ca is None else ssl.create_default_context(cafile=self.ca)

    @property
    def options(self) -> dict[str, Any]:
        """What nats-py needs to be told besides the URL."""
        told: dict[str, Any] = {"inbox_prefix": self.inbox_prefix}
        if self.name:
            told["name"] = self.name
        if self.seed is not None:
            told["nkeys_seed_str"] = self.seed
        if (tls := self.tls) is not None:
            told |= {"tls": tls, "tls_handshake_first": True}
        return told

    def proof(self, challenge: Mapping[str, Any]) -> dict[str, str]:
        """Return what a `CONNECT` says to show that we have the key; nothing without one."""
        if self.seed is None:
            return {}
        pair = nkeys.from_seed(bytearray(self.seed.encode()))
        signed: bytes = pair.sign(str(challenge.get("nonce", "")).encode())
        return {"nkey": pair.public_key.decode(), "sig": base64.b64encode(signed).decode()}


class Connection(Client):
    """A connection that remembers how it logged in: readers open more like it."""

    def __init__(self, login: NatsLogin) -> None:
        super().__init__()
        self.login = login

    @classmethod
    async def open(cls, login: NatsLogin, **options: Any) -> Self:
        """Connect; the options are those of `nats.connect`."""
        connection = cls(login)
        await connection.connect(login.servers, **login.options, **options)
        return connection


def login_of(nc: Client) -> NatsLogin:
    """Return how this connection logged in; one of other making has said it all by its URL."""
    return nc.login if isinstance(nc, Connection) else NatsLogin("")
