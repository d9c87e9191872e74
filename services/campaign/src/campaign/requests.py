"""Bodies that the HTTP door accepts. Unknown fields are mistakes, times carry a zone."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from campaign.rules import MAX_NAME, MAX_TEMPLATE
from campaign_events.campaign import Mode, SmsSettings
from campaign_events.envelope import Id
from campaign_events.strict_body import Body, Flag


def _region(region: str) -> str:
    if region not in SUPPORTED_REGIONS:
        raise ValueError("must be a region code like GB")
    return region


_timezones = cache(available_timezones)


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("must be a time zone like Europe/London")
    return name


def _written(moment: object) -> object:
    if not isinstance(moment, str | datetime) or (isinstance(moment, str) and "-" not in moment):
        raise ValueError("must be a time like 2030-01-31T09:00:00Z")
    return moment


YEARS = (1970, 9998)
"""What a moment may lie in: a date in every zone, too."""


def _in_utc(moment: datetime) -> datetime:
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError(f"must be in a year between {YEARS[0]} and {YEARS[1]}")
    return moment.astimezone(UTC)


def no_zero(text: str) -> str:
    """Return the text if it can be stored everywhere."""
    if "\0" in text:
        raise ValueError("must hold no zero characters")
    return text


type Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
type Name = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(no_zero)
]
type Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEMPLATE), AfterValidator(no_zero)
]
type Region = Annotated[str, AfterValidator(_region)]
type TimeZone = Annotated[str, AfterValidator(_timezone)]
type TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


def _without_defaults(schema: dict[str, Any]) -> None:
    for described in schema["properties"].values():
        described.pop("default", None)


class ChangesBody(Body):
    """Some settings of something; what is not named stays as it is, so none has a default."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def given(self) -> dict[str, object]:
        """Return only what the caller has named."""
        return self.model_dump(exclude_unset=True)


class CampaignChangesBody(ChangesBody):
    """Some settings of a campaign, one at least."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one setting to change")
        return self


class WindowBody(Body):
    """The local times of day between which messages may go out."""

    start: TimeOfDay
    end: TimeOfDay
    timezone: TimeZone


class _Optional(Body):
    """Settings that have a default."""

    mode: Mode = "on_demand"
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    daily_window: WindowBody | None = None
    auto_start: Flag = True
    default_region: Region | None = None


class SmsCampaignBody(_Optional):
    """A new SMS campaign."""

    channel: Literal["sms"]
    name: Name
    text: Text
    sender_id: Id
    link_id: Id

    def settings(self) -> SmsSettings:
        """Return the settings as events state them."""
        return SmsSettings.model_validate(self.model_dump(exclude={"channel"}))


class CampaignChanges(_Optional, CampaignChangesBody):
    """Some settings of a campaign; what is not named stays as it is."""

    name: Name = Field(default="", validate_default=False)
    text: Text = Field(default="", validate_default=False)
    sender_id: Id = Field(default="", validate_default=False)
    link_id: Id = Field(default="", validate_default=False)


class CloneBody(Body):
    """What a copy may be told besides."""

    name: Name | None = None
