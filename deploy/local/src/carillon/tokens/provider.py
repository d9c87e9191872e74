"""Whose tokens this platform takes: those of its own issuer, or of an OpenID Connect provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from carillon.errors import PlainError
from carillon.tokens.issuer import AUDIENCE, ISSUER, DevelopmentIssuer

CLIENT = "CARILLON_OIDC_CLIENT_ID"
ISSUED_BY = "CARILLON_ISSUER"
MEANT_FOR = "CARILLON_AUDIENCE"
KEYS = "CARILLON_JWKS"
SCOPE = "CARILLON_OIDC_SCOPE"
USUAL_SCOPE = "openid profile"


class HalfProviderError(PlainError):
    """An identity provider was named, but not everything that is needed of it."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What services check tokens against, and how people sign in to the dashboard."""

    issuer: str
    audience: str
    jwks: str
    client: str | None = None
    scope: str = USUAL_SCOPE

    @classmethod
    def of(cls, environment: Mapping[str, str], own: DevelopmentIssuer) -> Self:
        """The provider that the environment names, else the issuer of this machine.

        Raises:
            HalfProviderError: the environment names a client, but no issuer or no keys.
        """
        return cls.named(environment) or cls(ISSUER, AUDIENCE, str(own.jwks_file))

    @classmethod
    def named(cls, environment: Mapping[str, str]) -> Self | None:
        """The provider that the environment names; None when it names none.

        Raises:
            HalfProviderError: the environment names a client, but no issuer or no keys.
        """
        client = environment.get(CLIENT)
        if not client:
            return None
        missing = [name for name in (ISSUED_BY, KEYS) if not environment.get(name)]
        if missing:
            raise HalfProviderError(f"{CLIENT} is set, so {' and '.join(missing)} must be too")
        return cls(
            environment[ISSUED_BY],
            environment.get(MEANT_FOR, AUDIENCE),
            environment[KEYS],
            client,
            environment.get(SCOPE, USUAL_SCOPE),
        )

    @property
    def settings(self) -> dict[str, str]:
        """What every service is told."""
        return {ISSUED_BY: self.issuer, MEANT_FOR: self.audience, KEYS: self.jwks}

    @property
    def sign_in(self) -> dict[str, str]:
        """What the dashboard is told."""
        if self.client is None:
            return {"kind": "local"}
        return {
            "kind": "oidc",
            "authority": self.issuer,
            "client_id": self.client,
            "scope": self.scope,
        }
