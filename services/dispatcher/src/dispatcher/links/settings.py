"""links.toml: the carrier connections."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from dispatcher.links.errors import Treatment
from smpp.status import status_number

type Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
type NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _by_number(errors: object) -> object:
    """Let statuses be called by their names or numbers (`ESME_RX_T_APPN`, `0x401`)."""
    if not isinstance(errors, Mapping):
        return errors
    return {status_number(str(status)): treatment for status, treatment in errors.items()}


class LinkSettings(BaseModel):
    """One `[[links]]` table. `window` counts per session, `segments_per_second` per link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: Annotated[str, Field(max_length=200)] = ""
    type: Literal["smpp"] = "smpp"
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(gt=0, le=65535)]
    system_id: Annotated[str, Field(max_length=64)]
    password: SecretStr
    bind: Literal["transceiver"] = "transceiver"
    window: Annotated[int, Field(ge=1, le=10_000)] = 50
    segments_per_second: Positive = 100
    on_unknown: Literal["fail", "resend"] = "fail"
    enquire_link_s: Positive = 30
    submit_timeout_s: Positive = 30
    query_after_s: NotNegative = 600
    """Ask about messages that are so long without a report; 0 never asks."""
    dlr_ids: Literal["auto", "hex", "decimal"] = "auto"
    sessions: Annotated[int, Field(ge=1, le=64)] = 1
    errors: Annotated[dict[int, Treatment], BeforeValidator(_by_number)] = {}
    """What single command statuses mean on this link, where it is not what they usually do."""

    @property
    def title(self) -> str:
        """What people see."""
        return self.name or self.id

    @property
    def unanswered(self) -> int:
        """How many submits may be unanswered over all sessions."""
        return self.window * self.sessions

    def shown(self) -> dict[str, Any]:
        """What everybody may know of the link."""
        return {
            "id": self.id,
            "name": self.title,
            "segments_per_second": self.segments_per_second,
        }
