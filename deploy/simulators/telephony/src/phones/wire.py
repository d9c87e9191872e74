"""What callers say to the phone network: one JSON object per line; README.md shows them all."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

type CallId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
type Calls = tuple[CallId, ...]


class Said(BaseModel):
    """One line; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(Said):
    """One call to place."""

    call_id: CallId
    phone: Annotated[str, Field(min_length=1, max_length=32)]
    caller_id: str
    ring_timeout_s: Annotated[float, Field(gt=0, le=600)]
    destination: str
    amd_ms: Annotated[int, Field(gt=0)] | None = None


class Originate(Said):
    """Place these calls, unless they are known already."""

    do: Literal["originate"]
    calls: tuple[Wanted, ...]


class Attach(Said):
    """Connect these answered calls to their destinations."""

    do: Literal["attach"]
    calls: Calls


class HangUp(Said):
    """End these calls."""

    do: Literal["hang_up"]
    calls: Calls


class Recall(Said):
    """Tell where these calls are, and from now on their events, unacknowledged ones again."""

    do: Literal["recall"]
    ask: int
    calls: Calls


class Live(Said):
    """Tell which calls live."""

    do: Literal["live"]
    ask: int


class Acknowledge(Said):
    """These events need not be told again."""

    do: Literal["acknowledge"]
    events: tuple[int, ...]


type Request = Annotated[
    Originate | Attach | HangUp | Recall | Live | Acknowledge, Field(discriminator="do")
]

REQUEST: Final[TypeAdapter[Request]] = TypeAdapter(Request)


class Hello(Said):
    """The first line of a connection: which telephony it is for."""

    hello: str
