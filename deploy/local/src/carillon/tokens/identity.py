"""Who a token speaks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

ROLES = ("viewer", "author", "moderator", "admin", "super_admin")
DEFAULT_TTL = timedelta(hours=12)
DEMO_WORKSPACE = "demo"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a token describes them."""

    subject: str
    name: str
    workspace: str
    roles: Sequence[str]
