"""How the simulated phone network behaves, as the simulator's tables of telephony.toml say it."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

type Share = Annotated[float, Field(ge=0, le=1)]
type Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
type Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
type Between = tuple[Seconds, Seconds]
"""Evenly spread between the two."""


class ConfigError(ValueError):
    """The file cannot be used; the text says where and why."""


class Behaviour(BaseModel):
    """One `[[telephony]]` table of type `simulator`. `time_scale` divides all durations.

    `answer`, `busy`, `rejected`, `unallocated`, `congested` and `unreachable` share out all dials,
    what is left rings in vain; `machine` is a share of the answers. `targets` are what calls can be
    attached to; `dispositions` shares out the conversations, what is left is `completed`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    type: Literal["simulator"]
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 2785
    seed: int = 1
    time_scale: Positive = 1.0

    answer: Share = 0.3
    machine: Share = 0.25
    busy: Share = 0.1
    rejected: Share = 0.03
    unallocated: Share = 0.02
    congested: Share = 0.01
    unreachable: Share = 0.01

    post_dial_s: Between = (1, 4)
    ring_s: Positive = 8
    ring_cv: Positive = 0.65
    machine_at_once: Share = 0.25
    machine_ring_s: Seconds = 20
    amd_s: Between = (1.0, 2.5)
    amd_errors: Share = 0.02
    amd_unknown: Share = 0.02
    patience_s: Positive = 20

    targets: tuple[str, ...] = ("agents",)
    talk_mean_s: Positive = 120
    talk_cv: Positive = 0.9
    machine_talk_s: Positive = 12
    wrap_s: Seconds = 20
    wrap_cv: Positive = 0.5
    dispositions: dict[str, Share] = {"callback_requested": 0.05}
    callback_s: Between = (600, 7200)
    callback_untimed: Share = 0.2
    callback_reasons: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "has no time right now",
        "is driving",
        "wants to think about it",
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        dials = (self.answer, self.busy, self.rejected, self.unallocated, self.congested)
        if sum(dials) + self.unreachable > 1 + 1e-9:
            raise ValueError(
                "answer, busy, rejected, unallocated, congested and unreachable add up to more "
                "than everything"
            )
        if self.amd_errors + self.amd_unknown > 1:
            raise ValueError("amd_errors and amd_unknown add up to more than everything")
        if sum(self.dispositions.values()) > 1 + 1e-9:
            raise ValueError("the shares of the dispositions add up to more than everything")
        return self


def load(path: Path) -> dict[str, Behaviour]:
    """The simulated networks of a telephony.toml by their ids; tables of other types are skipped.

    Raises:
        ConfigError: it cannot be read, or it has a key or a value that makes no sense.

    """
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("telephony", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    found: dict[str, Behaviour] = {}
    for table in tables:
        if table.get("type") != "simulator":
            continue
        try:
            behaviour = Behaviour.model_validate(table)
        except ValidationError as error:
            raise ConfigError(_told(path, table, error)) from error
        if behaviour.id in found:
            raise ConfigError(f'{path}: two telephonies are called "{behaviour.id}"')
        found[behaviour.id] = behaviour
    if not found:
        raise ConfigError(f'{path}: there is no [[telephony]] table of type "simulator" in it')
    return found


def _told(path: Path, table: dict[str, object], error: ValidationError) -> str:
    """One line per mistake."""
    where = f'{path}: telephony "{table.get("id", "")}"'
    lines: list[str] = []
    for one in error.errors():
        field = ".".join(str(part) for part in one["loc"])
        unknown = one["type"] == "extra_forbidden"
        said = f"unknown field {field}" if unknown else f"{field}: {one['msg']}".removeprefix(": ")
        lines.append(f"{where}: {said}")
    return "\n".join(lines)
