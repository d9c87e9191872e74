"""A campaign's settings, once more. Pure."""

from datetime import datetime

from campaign.rules import MAX_NAME
from campaign_events.campaign import SmsSettings
from campaign_events.voice import VoiceSettings

SUFFIX = " (copy)"


def copied(
    settings: SmsSettings | VoiceSettings, name: str | None, at: datetime
) -> SmsSettings | VoiceSettings:
    """Return the settings of a copy. Moments that have passed are left out: they mean nothing now.

    The copy of an on_time or spread campaign may so lack a time that it needs. Nobody is asked to
    approve it before an edit has given it one.
    """
    passed = {
        field: None
        for field in ("starts_at", "ends_at")
        if (moment := getattr(settings, field, None)) is not None and moment <= at
    }
    name = name or settings.name[: MAX_NAME - len(SUFFIX)] + SUFFIX
    return settings.model_copy(update={"name": name, **passed})
