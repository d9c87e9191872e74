"""The identity provider of one machine: a key made on first start, and tokens signed with it."""

import json
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carillon.errors import PlainError
from carillon.files import OWNER_ONLY, write_atomically
from carillon.tokens.identity import DEFAULT_TTL, Identity

ISSUER = "https://issuer.carillon.localhost"
AUDIENCE = "carillon"
ALGORITHM = "ES256"


class NoIssuerError(PlainError):
    """The data folder has no development issuer yet."""


@dataclass(frozen=True, slots=True)
class DevelopmentIssuer:
    """Signs tokens with the key of one data folder."""

    key: ec.EllipticCurvePrivateKey
    jwks_file: Path

    @classmethod
    def prepare(cls, folder: Path) -> "DevelopmentIssuer":
        """The folder's issuer; its key is made when there is none."""
        file = folder / "key.pem"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = ec.generate_private_key(ec.SECP256R1())
            write_atomically(file, _pem(key), mode=OWNER_ONLY)
        issuer = cls.load(folder)
        write_atomically(issuer.jwks_file, json.dumps({"keys": [issuer.public_jwk()]}, indent=2))
        return issuer

    @classmethod
    def load(cls, folder: Path) -> "DevelopmentIssuer":
        """The folder's issuer.

        Raises:
            NoIssuerError: `carillon up` never ran on this data folder.
        """
        file = folder / "key.pem"
        if not file.exists():
            raise NoIssuerError(
                f"{folder.parent} holds no development issuer: start the platform there once "
                f"(`carillon up --data {folder.parent}`), or name its folder with --data."
            )
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise NoIssuerError(f"{file} does not hold an elliptic curve key")
        return cls(key, folder / "jwks.json")

    def public_jwk(self) -> dict[str, str]:
        """The public key as services read it, named by its own thumbprint (RFC 7638)."""
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        named = {name: str(jwk[name]) for name in ("crv", "kty", "x", "y")}
        digest = sha256(json.dumps(named, separators=(",", ":"), sort_keys=True).encode()).digest()
        kid = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return named | {"kid": kid, "alg": ALGORITHM, "use": "sig"}

    def mint(self, identity: Identity, ttl: timedelta = DEFAULT_TTL) -> str:
        """A signed token for this person, valid from now on."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": identity.subject,
            "name": identity.name,
            "workspace": identity.workspace,
            "roles": list(identity.roles),
            "iat": now,
            "exp": now + int(ttl.total_seconds()),
            "jti": str(uuid.uuid4()),
        }
        headers = {"kid": self.public_jwk()["kid"]}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers=headers)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
