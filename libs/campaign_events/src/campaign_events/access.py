"""Who is asking, and what may they do: bearer JWTs, roles, and the workspace they belong to."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jwt
import structlog
from fastapi import Depends, Query, Request

from campaign_events.envelope import Actor
from campaign_events.problems import Problem

log = structlog.get_logger(__name__)

_WORKSPACE = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
"""What may stand as one token of a subject. `Query` searches, so both ends are named."""
ALGORITHMS = ("ES256", "RS256", "EdDSA")
KNOWN_FOR_S = 30.0
"""How long keys are believed that were read, and tokens that were checked by them.

So a key that the issuer withdraws is refused after a minute at the latest.
"""
ASKED_EVERY_S = 5.0
"""How often an issuer is asked about a key that nobody knows."""
MOST_KNOWN = 10_000


class Permission(StrEnum):
    """What the table of roles speaks about (product: section 2)."""

    READ = "read"
    AUTHOR = "author"
    MODERATE = "moderate"
    SENDERS = "senders"
    ADMINISTER = "administer"
    AUDIT = "audit"
    DELETE = "delete"


_ALL = frozenset(Permission)
ROLES: dict[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.READ}),
    "author": frozenset({Permission.READ, Permission.AUTHOR, Permission.SENDERS}),
    "moderator": frozenset({Permission.READ, Permission.MODERATE}),
    "admin": _ALL - {Permission.DELETE},
    "super_admin": _ALL,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A person with a valid token, acting in one workspace."""

    id: str
    name: str
    workspace: str
    roles: frozenset[str]

    @property
    def actor(self) -> Actor:
        """The caller as events name them."""
        return Actor(id=self.id, name=self.name)

    def may(self, permission: Permission) -> bool:
        """Tell whether one of the caller's roles allows it."""
        return any(permission in ROLES.get(role, frozenset()) for role in self.roles)


class _Known(NamedTuple):
    """A token that was checked, and how long (seconds since the epoch) that holds."""

    caller: Caller
    until: float


class Verifier:
    """Checks bearer tokens against an issuer, an audience and a key set (file or URL)."""

    def __init__(self, issuer: str, audience: str, jwks: str) -> None:
        self._issuer = issuer
        self._audience = audience
        is_url = jwks.startswith(("http://", "https://"))
        self._remote = jwt.PyJWKClient(jwks, cache_jwk_set=False, timeout=3) if is_url else None
        self._file = Path(jwks)
        self._reading = asyncio.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._was_read = False
        self._keys_until = self._again_at = 0.0
        self._known: dict[str, _Known] = {}

    async def verify(self, token: str) -> Caller:
        """Return who the token speaks for. One that was good a moment ago is not checked again.

        Raises:
            Problem: 401 `unauthorized`, saying what is wrong with the token; 503 while the issuer's
                keys have never been read.

        """
        known = self._known.get(token)
        if known is not None and time.time() < known.until:
            return known.caller
        claims = await self._checked(token)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        until = min(float(claims["exp"]), time.time() + KNOWN_FOR_S)
        self._known[token] = _Known(_caller(claims), until)
        return self._known[token].caller

    def knows(self, token: str) -> bool:
        """Tell whether the token was good a moment ago."""
        known = self._known.get(token)
        return known is not None and time.time() < known.until

    async def _checked(self, token: str) -> dict[str, Any]:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=10,
                options={"require": ["exp", "sub"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Problem(401, "unauthorized", f"The token is not valid: {error}") from error
        return claims

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        if self._is_due(kid):
            async with self._reading:
                if self._is_due(kid):
                    await self._read()
        if kid in self._keys:
            return self._keys[kid]
        if self._was_read:
            raise jwt.InvalidKeyError("signed with a key that the issuer does not publish")
        raise Problem(503, "unavailable", "The issuer's keys can not be read; try again.")

    def _is_due(self, kid: str | None) -> bool:
        now = time.monotonic()
        return now > (self._keys_until if kid in self._keys else self._again_at)

    async def _read(self) -> None:
        """Read the keys; those of before stay while the issuer's can not be read."""
        try:
            told = await self._told()
            keys = jwt.PyJWKSet.from_dict(told).keys if told["keys"] else ()
        except (OSError, ValueError, TypeError, LookupError, jwt.PyJWTError) as error:
            log.warning("the issuer's keys can not be read", why=repr(error))
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id}
            self._was_read = True
        now = time.monotonic()
        self._keys_until = now + KNOWN_FOR_S
        self._again_at = now if self._remote is None else now + ASKED_EVERY_S

    async def _told(self) -> Any:  # noqa: ANN401 - checked by who reads it
        if self._remote is not None:
            return await asyncio.to_thread(self._remote.fetch_data)
        return json.loads(self._file.read_bytes())


def _caller(claims: dict[str, Any]) -> Caller:
    roles = claims.get("roles")
    workspace = claims.get("workspace", "")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Problem(401, "unauthorized", "The token carries no list of roles.")
    known = frozenset(roles) & ROLES.keys()
    if not isinstance(workspace, str) or not (
        _WORKSPACE.fullmatch(workspace) or (not workspace and "super_admin" in known)
    ):
        raise Problem(401, "unauthorized", "The token carries no workspace.")
    return Caller(
        id=str(claims["sub"]),
        name=str(claims.get("name") or claims["sub"]),
        workspace=workspace,
        roles=known,
    )


def workspace_name(text: object) -> str | None:
    """Return what can be the name of a workspace."""
    return text if isinstance(text, str) and _WORKSPACE.fullmatch(text) else None


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the token of a request's headers; empty when there is none."""
    given = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, token = given.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def authenticate(request: Request) -> Caller:
    """Return the caller, in their own workspace. The token is checked once per request.

    Raises:
        Problem: 401; why is left in `request.state.denied` for the audit trail.

    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    try:
        caller = await _verified(request)
    except Problem as problem:
        request.state.denied = problem.detail
        raise
    request.state.caller = caller
    return caller


async def _verified(request: Request) -> Caller:
    token = bearer(request.scope["headers"])
    if not token:
        raise Problem(401, "unauthorized", "A bearer token is needed.")
    verifier: Verifier = request.app.state.verifier
    return await verifier.verify(token)


class Allowed:
    """A dependency that gives the caller when one of their roles allows `permission`.

    `?workspace=` lets a super_admin act in any workspace, and nobody else in another.
    """

    def __init__(self, permission: Permission) -> None:
        self._permission = permission

    async def __call__(
        self,
        request: Request,
        caller: Annotated[Caller, Depends(authenticate)],
        workspace: Annotated[str | None, Query(pattern=_WORKSPACE.pattern, max_length=64)] = None,
    ) -> Caller:
        """Return the caller, placed in the workspace that the request is about."""
        if workspace is not None and workspace != caller.workspace:
            if "super_admin" not in caller.roles:
                raise Problem(403, "forbidden", "This token is for another workspace.")
            caller = replace(caller, workspace=workspace)
            request.state.workspace = workspace
        if not caller.workspace:
            raise Problem(422, "invalid", "Name a workspace: ?workspace=…")
        if not caller.may(self._permission):
            needed = sorted(role for role, may in ROLES.items() if self._permission in may)
            raise Problem(403, "forbidden", f"This needs one of the roles {', '.join(needed)}.")
        return caller
