"""A small OpenID Connect provider: it knows one person, and lets them in without a question."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT = "carillon-dashboard"
PERSON = {"sub": "olivia", "name": "Olivia Outside", "workspace": "acme", "roles": ["viewer"]}
type Answer = tuple[int, dict[str, str], str]


@dataclass
class IdentityProvider:
    """Codes are good once, and only with the verifier of their challenge (RFC 7636)."""

    redirect: str = ""
    access_token: str = ""
    challenged: bool = False
    url: str = ""
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["IdentityProvider"]:
        provider = cls()
        server = await asyncio.start_server(provider._serve, "127.0.0.1", 0)
        async with server:
            provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield provider

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length")]
        body = (await reader.readexactly(int(lengths[0].split(":")[1]))).decode() if lengths else ""
        status, headers, text = self._answer(method, urlsplit(target), body)
        headers |= {
            "Content-Length": str(len(text.encode())),
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "*",
            "Connection": "close",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n{text}".encode())
        await writer.drain()
        writer.close()

    def _answer(self, method: str, target: Any, body: str) -> Answer:
        if method == "OPTIONS":
            return 204, {}, ""
        match target.path:
            case "/.well-known/openid-configuration":
                return _json(self._about())
            case "/authorize":
                return self._authorize(_first(target.query))
            case "/token":
                return self._token(_first(body))
            case _:
                return 404, {}, ""

    def _about(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def _authorize(self, asked: dict[str, str]) -> Answer:
        if (asked["client_id"], asked["redirect_uri"]) != (CLIENT, self.redirect):
            return 400, {}, "not this client"
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return 302, {"Location": f"{self.redirect}?{back}"}, ""

    def _token(self, given: dict[str, str]) -> Answer:
        asked = self._codes.pop(given["code"], None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked.get("code_challenge") != challenge:
            return 400, {"Content-Type": "application/json"}, '{"error": "invalid_grant"}'
        self.challenged = True
        self.access_token = self._signed("carillon", {})
        id_token = self._signed(CLIENT, {"nonce": asked["nonce"]} if "nonce" in asked else {})
        answer = {"access_token": self.access_token, "id_token": id_token}
        return _json(answer | {"token_type": "Bearer", "expires_in": 600})

    def _signed(self, audience: str, more: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": audience, "iat": now, "exp": now + 600}
        return jwt.encode(PERSON | claims | more, self._key, algorithm="ES256")


def _json(answer: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(answer)


def _first(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
