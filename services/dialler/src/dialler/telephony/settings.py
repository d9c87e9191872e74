"""telephony.toml: the ways to the phone network."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator

type Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
type Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class SimulatorSettings(BaseModel):
    """A `[[telephony]]` table of the simulator, as far as a caller needs it.

    How its people behave (`answer`, `ring_s`, `talk_mean_s` and so on) stands in the same table and
    is read, and refused where it makes no sense, by the simulator alone.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Id
    type: Literal["simulator"]
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(gt=0, le=65535)] = 2785


class AsteriskSettings(BaseModel):
    """A `[[telephony]]` table of an Asterisk that we command over ARI."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    type: Literal["asterisk"]
    url: HttpUrl
    """Where its HTTP server is, with or without `/ari`: http://127.0.0.1:8088."""
    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: SecretStr
    app: Word = "carillon"
    """The Stasis application. One dialler at a time can have it."""
    endpoint: str
    """What is dialled for a number."""
    amd_context: Word = "carillon-amd"
    """The dialplan context that runs AMD() and comes back with its verdict."""
    max_requests: Annotated[int, Field(ge=1, le=1000)] = 32
    """How many requests may be unanswered at once."""

    @field_validator("endpoint")
    @classmethod
    def _has_a_number(cls, endpoint: str) -> str:
        if "{number}" not in endpoint or "/" not in endpoint:
            raise ValueError("it has to hold a technology and {number}, as PJSIP/{number}@carrier")
        return endpoint

    @property
    def ari(self) -> str:
        """The root of its REST interface, without a slash at the end."""
        url = str(self.url).rstrip("/")
        return url if url.endswith("/ari") else f"{url}/ari"


type TelephonySettings = SimulatorSettings | AsteriskSettings
