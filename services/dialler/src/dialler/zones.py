"""Which clocks a contact lives by: told by the upload, else guessed from the number. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as numbering

COLUMN = "timezone"
"""The variable of a contact that names its zone (IANA)."""


def zone_of(phone: str, variables: Mapping[str, str], otherwise: str, at: datetime) -> str:
    """Return a contact's zone; where nothing tells it, the one that the campaign goes by.

    A number that may be in several zones is taken to be in the campaign's own, if that is one of
    them, else in the middle one of them.
    """
    told = variables.get(COLUMN, "").strip()
    if told and is_zone(told):
        return told
    zones = _zones(phone)
    if not zones or otherwise in zones:
        return otherwise
    from_west = sorted(zones, key=lambda zone: _ahead_of_utc(zone, at))
    return from_west[len(zones) // 2]


def _ahead_of_utc(zone: str, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Tell whether there is such a zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=4096)
def _zones(phone: str) -> Sequence[str]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in numbering.time_zones_for_number(number) if is_zone(zone))
