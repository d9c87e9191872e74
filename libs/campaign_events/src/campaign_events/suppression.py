"""The opt-out list. A keyed hash names a phone, so the log can outlive a person's data."""

import hashlib
import hmac
from typing import Literal

from campaign_events.envelope import Event

LIST = "list"
"""The thing that suppression facts are about: each workspace has one list."""


def phone_hash(key: bytes, workspace: str, phone: str) -> str:
    """Return the keyed hash (HMAC-SHA-256, 128 bits in hex) that stands for a phone in the log."""
    return hmac.digest(key, f"{workspace}\x1f{phone}".encode(), hashlib.sha256)[:16].hex()


class SuppressionsAdded(Event):
    """These people must not be written to."""

    type: Literal["suppression.added"] = "suppression.added"
    hashes: tuple[str, ...]
    reason: str | None = None
    source: Literal["api", "upload", "stop"] = "api"


class SuppressionsRemoved(Event):
    """These people may be written to again."""

    type: Literal["suppression.removed"] = "suppression.removed"
    hashes: tuple[str, ...]


type SuppressionEvent = SuppressionsAdded | SuppressionsRemoved
