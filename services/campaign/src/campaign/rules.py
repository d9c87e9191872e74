"""What settings must satisfy, whoever chose them and in however many steps."""

from datetime import datetime

from campaign_events.campaign import SmsSettings
from campaign_events.text import MAX_CHARACTERS, mistakes, shortest

MAX_NAME = 200
MAX_TEMPLATE = 20_000
"""Characters of a text with its placeholders; after substitution it must be far shorter."""
_NEEDS = {"on_time": ("starts_at",), "spread": ("starts_at", "ends_at")}


def broken(settings: SmsSettings, at: datetime) -> list[str]:
    """Return what is wrong with the settings at this moment; nothing when they are sound."""
    return flawed(settings, at) + missing(settings)


def missing(settings: SmsSettings) -> list[str]:
    """Return which times the mode needs and does not have: nobody can be asked to approve that."""
    return [
        f"mode {settings.mode} needs {moment}"
        for moment in _NEEDS.get(settings.mode, ())
        if getattr(settings, moment) is None
    ]


def flawed(settings: SmsSettings, at: datetime) -> list[str]:
    """Return what is wrong with the settings that are there."""
    reasons = []
    if not settings.name.strip() or len(settings.name) > MAX_NAME:
        reasons.append(f"name must have 1 to {MAX_NAME} characters")
    if not settings.text.strip() or shortest(settings.text) > MAX_CHARACTERS:
        reasons.append(f"text must have 1 to {MAX_CHARACTERS} characters")
    reasons += [f"text: {mistake}" for mistake in mistakes(settings.text)]
    window = settings.daily_window
    if window is not None and window.start == window.end:
        reasons.append("daily_window must not end when it starts")
    if settings.ends_at is not None:
        if settings.ends_at <= at:
            reasons.append("ends_at has passed already")
        if settings.starts_at is not None and settings.ends_at <= settings.starts_at:
            reasons.append("ends_at must be after starts_at")
    return reasons
