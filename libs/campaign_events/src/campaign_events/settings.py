"""What every service is told by its environment, and its secrets by files."""

import os
from pathlib import Path
from typing import Annotated, Any, override

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "CARILLON_"
SECRETS = ("nats_url", "nats_nkey", "mongo_url")
"""What nobody but the service may read: `CARILLON_MONGO_URL_FILE=/run/secrets/mongo` and so on."""


class Settings(BaseSettings):
    """The environment's `CARILLON_…`; each secret may be in the file that `CARILLON_…_FILE` names.

    Raises:
        ValueError: a setting is missing or makes no sense; what it says is not repeated.

    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    nats_url: Annotated[str, Field(repr=False)]
    """The servers of a cluster by commas; any of them will do."""
    nats_nkey: Annotated[str | None, Field(repr=False)] = None
    """The seed of the key with which NATS is logged in to, instead of a password in the URL."""
    nats_ca: Path | None = None
    """Who may vouch for the NATS server; by default those whom the machine trusts."""
    mongo_url: Annotated[str, Field(repr=False)]
    http_host: str = "127.0.0.1"
    http_port: int
    drain_s: Annotated[float, Field(ge=0)] = 0
    """How long requests are still answered after SIGTERM: who routes them has to hear of it."""
    issuer: str
    audience: str
    jwks: str
    secret_file: str
    audit_fallback: Path | None = None
    """Where audit records wait while MongoDB is away; by default in the working directory."""
    audit_retention_days: Annotated[int, Field(ge=1)] = 90
    trusted_proxies: str = "127.0.0.1,::1"
    """Whose `X-Forwarded-For` is believed: addresses and networks, by commas."""
    regrow_views: bool = False
    """Whether a view that holds what the log does not is put aside for a new one."""
    instance: str = ""
    """What this process is called, after a restart too, and no other: it takes its own leases up at
    once then, without waiting until they have run out. By default it has a new name each time."""
    requests_per_s: Annotated[int, Field(ge=1)] = 1000
    """How often one caller may ask one process, over ten seconds."""
    refused_tokens_per_min: Annotated[int, Field(ge=1)] = 600
    """How many bad tokens may come from one address."""
    certificates: str = ""
    """PEM files, by commas, whose end `/metrics` shall tell."""
    log_level: str = "INFO"

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls), env_settings


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `CARILLON_X` from the file that `CARILLON_X_FILE` names."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{PREFIX}{field_name.upper()}"
        file = os.environ.get(f"{name}_FILE") if field_name in SECRETS else None
        if not file:
            return None, field_name, False
        if os.environ.get(name):
            raise ValueError(f"Both {name} and {name}_FILE are set: which one shall it be?")
        try:
            secret = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ValueError(f"{name}_FILE names {file}, which can not be read: {why}") from None
        if not secret:
            raise ValueError(f"{name}_FILE names {file}, which is empty.")
        return secret, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}
