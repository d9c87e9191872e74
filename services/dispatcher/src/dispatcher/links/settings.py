"""links.toml: the carrier connections."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

type Positive = Annotated[float, Field(gt=0)]


class LinkSettings(BaseModel):
    """One `[[links]]` table. `window` counts per session, `segments_per_second` per link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: str = ""
    type: Literal["smpp"] = "smpp"
    host: str
    port: Annotated[int, Field(gt=0, le=65535)]
    system_id: Annotated[str, Field(max_length=64)]
    password: SecretStr
    bind: Literal["transceiver"] = "transceiver"
    window: Annotated[int, Field(ge=1, le=10_000)] = 50
    segments_per_second: Positive = 100
    on_unknown: Literal["fail", "resend"] = "fail"
    enquire_link_s: Positive = 30
    submit_timeout_s: Positive = 30
    dlr_ids: Literal["auto", "hex", "decimal"] = "auto"
    sessions: Annotated[int, Field(ge=1, le=64)] = 1

    @property
    def title(self) -> str:
        """What people see."""
        return self.name or self.id


class _LinksFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    links: list[LinkSettings]

    @model_validator(mode="after")
    def _different_ids(self) -> Self:
        ids = [link.id for link in self.links]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"several links are called {', '.join(twice)}")
        return self


def load_links(path: Path) -> list[LinkSettings]:
    """The links that a file describes, in its order.

    Raises:
        pydantic.ValidationError: it has a key or a value that makes no sense.

    """
    return _LinksFile.model_validate(tomllib.loads(path.read_text("utf-8"))).links
