"""How often one contact may be rung: at most so many attempts within so many hours. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from campaign_events.voice import ContactCap


def allowed_from(
    caps: Sequence[ContactCap], attempts: Sequence[datetime], at: datetime
) -> datetime:
    """Return the first moment, not before `at`, at which another attempt breaks no cap."""
    before = sorted(attempts)
    while True:
        later = max((_allowed_from(cap, before, at) for cap in caps), default=at)
        if later <= at:
            return at
        at = later


def longest(caps: Sequence[ContactCap]) -> timedelta:
    """Return for how long an attempt counts."""
    return timedelta(hours=max((cap.hours for cap in caps), default=0))


def _allowed_from(cap: ContactCap, attempts: Sequence[datetime], at: datetime) -> datetime:
    hours = timedelta(hours=cap.hours)
    recent = [moment for moment in attempts if moment > at - hours]
    return at if len(recent) < cap.calls else recent[-cap.calls] + hours
