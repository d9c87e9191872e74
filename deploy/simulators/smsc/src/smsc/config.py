"""What the simulated carrier does, as a TOML file says it."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from smpp.receipt import STATES
from smpp.status import status_number

type Share = Annotated[float, Field(ge=0, le=1)]
type Seconds = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(Section):
    """Where ESMEs connect, and how long they may stay without binding."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 2775
    bind_within_s: Annotated[float, Field(gt=0)] = 10


class Account(Section):
    """Who may bind, and how many sessions at once."""

    system_id: str = "carillon"
    password: str = "secret"  # noqa: S105 - the simulator's own, documented
    max_sessions: Annotated[int, Field(ge=1)] = 16


class Answers(Section):
    """How submit_sm is answered.

    `refused` maps a command status to the share of submits refused with it. `unanswered` is the
    share that is accepted, gets its receipt, but never a submit_sm_resp.
    """

    latency_ms: Seconds = 20
    jitter_ms: Seconds = 5
    refused: dict[str, Share] = {}
    unanswered: Share = 0
    ids: Literal["decimal", "hex"] = "decimal"

    @field_validator("refused")
    @classmethod
    def _known_statuses(cls, refused: dict[str, float]) -> dict[str, float]:
        for name in refused:
            if not status_number(name):
                raise ValueError(f"{name} refuses nothing")
        if sum(refused.values()) > 1:
            raise ValueError("the shares add up to more than everything")
        return refused


class Storm(Section):
    """A time when a share of all submits is refused, `after_s` seconds from the start.

    `every_s` repeats it, 0 does not.
    """

    after_s: Seconds = 0
    for_s: Seconds = 30
    every_s: Seconds = 0
    share: Share = 0.5
    status: str = "ESME_RTHROTTLED"

    @field_validator("status")
    @classmethod
    def _known_status(cls, status: str) -> str:
        status_number(status)
        return status

    def rages(self, elapsed: float) -> bool:
        """Whether it is stormy so many seconds after the start."""
        since = elapsed - self.after_s
        if since >= 0 and self.every_s:
            since %= self.every_s
        return 0 <= since < self.for_s


class Throttle(Section):
    """The contracted rate of each system_id; 0 is no limit. `burst` is what may come at once."""

    per_second: Annotated[float, Field(ge=0)] = 0
    burst: Annotated[float, Field(ge=1)] | None = None
    storms: tuple[Storm, ...] = ()


class FinalState(Section):
    """A final state other than DELIVRD, its error code, and the share of messages it takes."""

    stat: str
    error: str = "000"
    share: Share

    @field_validator("stat")
    @classmethod
    def _known_state(cls, stat: str) -> str:
        if stat not in STATES:
            raise ValueError(f"{stat} is none of {', '.join(STATES)}")
        return stat


class Receipts(Section):
    """How and when the fate of a message is told.

    The delay is `min_s` plus an exponential share with mean `mean_s`, at most `max_s`. `early`
    receipts leave before the submit answer, `duplicate` ones twice, `missing` ones never.
    `window` is how many may be unacknowledged per session; one that gets no answer within
    `retry_after_s` is sent again. `ids` is how receipts write the ids of the answers.
    """

    min_s: Seconds = 0.05
    mean_s: Seconds = 0.5
    max_s: Seconds = 60
    early: Share = 0
    duplicate: Share = 0
    missing: Share = 0
    window: Annotated[int, Field(ge=1)] = 100
    retry_after_s: Annotated[float, Field(gt=0)] = 10
    ids: Literal["same", "hex", "decimal"] = "same"
    tlvs: bool = True
    states: tuple[FinalState, ...] = ()

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if sum(state.share for state in self.states) > 1:
            raise ValueError("the shares of the states add up to more than everything")
        if self.early + self.duplicate + self.missing > 1:
            raise ValueError("early, duplicate and missing add up to more than everything")
        return self


class Replies(Section):
    """People who write back: the share of messages answered with `text`, a while after it came."""

    text: str = "STOP"
    share: Share = 0
    delay_s: Seconds = 1


class Faults(Section):
    """`drop_after` cuts a session's connection when it has submitted so many; 0 never does."""

    drop_after: Annotated[int, Field(ge=0)] = 0


class Memory(Section):
    """How much of the past is remembered: tries per destination, final states for query_sm."""

    destinations: Annotated[int, Field(ge=1)] = 200_000
    messages: Annotated[int, Field(ge=1)] = 50_000


class Config(Section):
    """The whole file. An empty one is a carrier that delivers everything."""

    seed: int = 1
    listen: Listen = Listen()
    accounts: tuple[Account, ...] = (Account(),)
    answers: Answers = Answers()
    throttle: Throttle = Throttle()
    receipts: Receipts = Receipts()
    replies: Replies = Replies()
    faults: Faults = Faults()
    memory: Memory = Memory()


def load(path: Path) -> Config:
    """The behaviour that a file describes.

    Raises:
        pydantic.ValidationError: it has a key or a value that makes no sense.

    """
    return Config.model_validate(tomllib.loads(path.read_text("utf-8")))
