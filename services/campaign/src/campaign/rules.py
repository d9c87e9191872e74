"""What settings must satisfy, whoever chose them and in however many steps."""

from datetime import datetime

from campaign_events.campaign import SmsSettings
from campaign_events.text import MAX_CHARACTERS, mistakes, shortest

MAX_NAME = 200
MAX_TEMPLATE = 20_000
"""Characters of a text with its placeholders; after substitution it must be far shorter."""
AVAILABLE_MODES = frozenset(("on_demand", "on_time"))


def broken(settings: SmsSettings, at: datetime) -> list[str]:
    """Return what is wrong with the settings at this moment; nothing when they are sound."""
    reasons = []
    if not settings.name.strip() or len(settings.name) > MAX_NAME:
        reasons.append(f"name must have 1 to {MAX_NAME} characters")
    if not settings.text.strip() or shortest(settings.text) > MAX_CHARACTERS:
        reasons.append(f"text must have 1 to {MAX_CHARACTERS} characters")
    reasons += [f"text: {mistake}" for mistake in mistakes(settings.text)]
    if settings.mode not in AVAILABLE_MODES:
        reasons.append(f"mode {settings.mode} is not yet available")
    if settings.daily_window is not None:
        reasons.append("daily_window is not yet available")
    return reasons + _untimely(settings, at)


def _untimely(settings: SmsSettings, at: datetime) -> list[str]:
    reasons = []
    if settings.mode == "on_time" and settings.starts_at is None:
        reasons.append("mode on_time needs starts_at")
    if settings.ends_at is not None:
        if settings.ends_at <= at:
            reasons.append("ends_at has passed already")
        if settings.starts_at is not None and settings.ends_at <= settings.starts_at:
            reasons.append("ends_at must be after starts_at")
    return reasons
