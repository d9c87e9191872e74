"""Phones as those who ask may see them: whole, or with the middle hidden from viewers."""

from campaign_events.access import Caller
from campaign_events.cells import safe

_VIEWER = frozenset(("viewer",))


def sees_phones(caller: Caller) -> bool:
    """Tell whether a caller is more than a viewer."""
    return not caller.roles <= _VIEWER


def shown(phone: str | None, *, clear: bool) -> str | None:
    """Return a phone for an answer; an erased one is None."""
    return phone if clear or phone is None else _masked(phone)


def cell(phone: str | None, *, clear: bool) -> str:
    """Return a phone for a file that people open in spreadsheets; an erased one is empty."""
    if not phone:
        return ""
    return phone if clear else safe(_masked(phone))


def _masked(phone: str) -> str:
    return f"{phone[:3]}{'*' * (len(phone) - 5)}{phone[-2:]}"
