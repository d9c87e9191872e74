"""An issuer for tests, and a service's HTTP door without its process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from nats.aio.client import Client
from pymongo import AsyncMongoClient

from campaign_events.envelope import new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from campaign_events.service import Resources
from campaign_events.settings import Settings

ISSUER = "https://issuer.test"
AUDIENCE = "carillon"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Mints tokens that services accept, for the key set in `jwks`."""

    key: ec.EllipticCurvePrivateKey
    jwks: Path

    @classmethod
    def make(cls, folder: Path) -> "Issuer":
        key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwks = folder / "jwks.json"
        jwks.write_text(json.dumps({"keys": [{**public, "kid": "test", "alg": "ES256"}]}))
        return cls(key, jwks)

    def token(self, workspace: str, *roles: str, sub: str = "ann", name: str = "Ann") -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "name": name,
            "workspace": workspace,
            "roles": list(roles),
            "iat": now,
            "exp": now + 600,
        }
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "test"})

    def bearer(self, workspace: str, *roles: str, sub: str = "ann") -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token(workspace, *roles, sub=sub, name=sub.title())}"
        }


def resources(
    name: str,
    issuer: Issuer,
    nc: Client,
    db: Database,
    *,
    urls: tuple[str, str] = ("", ""),
    port: int = 0,
) -> Resources:
    """What a service has, over connections that the test owns."""
    settings = Settings(
        nats_url=urls[0],
        mongo_url=urls[1],
        http_port=port,
        issuer=ISSUER,
        audience=AUDIENCE,
        jwks=str(issuer.jwks),
        secret_file=str(issuer.jwks),
        audit_fallback=issuer.jwks.with_name(f"audit-{name}-{new_id()}.jsonl"),
    )
    mongo: AsyncMongoClient[dict[str, Any]] = db.client
    return Resources(name, settings, nc, mongo, db, EventLog(nc), asyncio.Event())


@asynccontextmanager
async def at_work(work: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run a service's work for as long as the block does; its failure fails the test."""
    tasks = [asyncio.create_task(coroutine, name=name) for name, coroutine in work.items()]
    try:
        yield
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()
