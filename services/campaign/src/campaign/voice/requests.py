"""Bodies of voice campaigns (product: section 5). What a group leaves out has its default."""

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from campaign.requests import CampaignChangesBody, Name, Region, TimeOfDay, TimeZone, no_zero
from campaign_events.strict_body import Body, Flag, Real, Whole
from campaign_events.uploads.phones import PhoneReader, Unusable
from campaign_events.voice import DAYS, Day, SystemOutcome, VoiceSettings

MOST_SEATS = 10_000
MOST_CPS = 1_000
_SEPARATORS = re.compile(r"[\s().-]")
_AS_GIVEN = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")
"""A number in full, or a short code."""


def _once[T](items: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(items)) < len(items):
        raise ValueError("must not name anything twice")
    return items


def _in_week_order(days: tuple[Day, ...]) -> tuple[Day, ...]:
    return tuple(day for day in DAYS if day in _once(days))


def caller_id(text: str, region: str | None) -> str:
    """Return what calls are placed from: a number in E.164, or a short code as it is.

    Whether a number may be used is the carrier's to say, so one that is written in full is taken
    also when no numbering plan knows it.

    Raises:
        ValueError: it is neither.

    """
    try:
        return PhoneReader(region).read(text)
    except Unusable:
        given = _SEPARATORS.sub("", text)
        if _AS_GIVEN.fullmatch(given) is None:
            raise ValueError(
                f"{text[:30]!r} must be a number like +44… or a short code of 3 to 8 digits"
            ) from None
        return given


type Destination = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}:\S{1,200}$"),
    AfterValidator(no_zero),
]
type Disposition = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(no_zero)
]


class _Group(Body):
    model_config = ConfigDict(allow_inf_nan=False)


class AbandonBody(_Group):
    """How many people may find no seat free."""

    limit: Annotated[Real, Field(ge=0, le=1)] = 0.03
    window: Literal["campaign", "24h", "30d"] = "campaign"
    max_wait_s: Annotated[Real, Field(ge=0, le=60)] = 2


class CapBody(_Group):
    """How often one contact may be rung within some hours."""

    calls: Annotated[Whole, Field(ge=1, le=1000)]
    hours: Annotated[Real, Field(gt=0, le=8784)]


class TimeWindowBody(_Group):
    """When calls may be placed. A draft may hold one that never opens."""

    start: TimeOfDay = "09:00"
    end: TimeOfDay = "18:00"
    timezone: TimeZone = "UTC"
    days: Annotated[tuple[Day, ...], AfterValidator(_in_week_order)] = DAYS


class RedialBody(_Group):
    """What is tried again."""

    max_attempts: Annotated[Whole, Field(ge=1, le=100)] = 3
    retry_delay_minutes: Annotated[Real, Field(ge=0, le=44_640)] = 30
    retry_on_system: Annotated[tuple[SystemOutcome, ...], AfterValidator(_once)] = (
        "no_answer",
        "rejected",
        "busy",
        "error",
        "timeout",
    )
    retry_on_custom: Annotated[
        tuple[Disposition, ...], Field(max_length=100), AfterValidator(_once)
    ] = ()


class CallbackBody(_Group):
    """Whether wishes to be called again are followed."""

    enabled: Flag = False


class AmdBody(_Group):
    """What is done about answering machines."""

    enabled: Flag = False
    total_analysis_ms: Annotated[Whole, Field(ge=100, le=60_000)] = 5000
    action_on_machine: Literal["teardown", "continue"] = "teardown"
    action_on_unknown: Literal["continue", "teardown"] = "continue"


class _VoiceOptions(_Group):
    """Settings that have a default."""

    default_region: Region | None = None
    caller_ids: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    concurrency_limit: Annotated[Whole, Field(ge=0, le=MOST_SEATS)] = 50
    cps_limit: Annotated[Real, Field(gt=0, le=MOST_CPS)] = 10
    pacing: Literal["progressive", "predictive"] = "predictive"
    abandon: AbandonBody = AbandonBody()
    dial_timeout_s: Annotated[Real, Field(ge=15, le=60)] = 25
    contact_caps: Annotated[tuple[CapBody, ...], Field(max_length=10)] = ()
    campaign_mode: Literal["single_day", "continuous"] = "single_day"
    time_window: TimeWindowBody = TimeWindowBody()
    respect_contact_timezone: Flag = False
    redial_rules: RedialBody = RedialBody()
    callback_detection: CallbackBody = CallbackBody()
    amd: AmdBody = AmdBody()
    always_on: Flag = False

    @field_validator("caller_ids")
    @classmethod
    def _read(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Read national numbers by the region beside them, else by that of the campaign."""
        context: dict[str, str | None] = info.context or {}
        region = info.data.get("default_region") or context.get("default_region")
        return _once(tuple(caller_id(text, region) for text in given))


class VoiceCampaignBody(_VoiceOptions):
    """A new voice campaign."""

    channel: Literal["voice"]
    name: Name
    destination: Destination

    def settings(self) -> VoiceSettings:
        """Return the settings as events state them."""
        return VoiceSettings.model_validate(self.model_dump(exclude={"channel"}))


class VoiceChanges(_VoiceOptions, CampaignChangesBody):
    """Some settings of a campaign; what is not named, in a group too, stays as it is."""

    name: Name = Field(default="", validate_default=False)
    destination: Destination = Field(default="", validate_default=False)
