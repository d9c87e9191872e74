"""A voice campaign's numbers and actions, as every service shows them (product: 5 and 5.3). Pure.

The formulas are contract: rates are 0 to 1 and null without a denominator, percents 0 to 100.
"""

from collections.abc import Mapping
from typing import Any

from campaign_events.access import Caller, Permission
from campaign_events.voice import VOICE_FINAL

PROCESSED = (
    "completed",
    "failed",
    "abandoned",
    "window_closed",
    "manual_stopped",
    "machine_detected_count",
)
"""The final call states, as `stats` names them."""
COUNTED = (
    "total_calls",
    "pending",
    *PROCESSED,
    "callback_pending",
    "retry_pending",
    "live",
    "connected",
    "attempts",
    "answered_attempts",
)
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "draft": ("edit", "clone", "start", "delete", "cancel-restart"),
    "running": ("clone", "pause", "stop"),
    "paused": ("edit", "clone", "resume", "stop"),
    "completed": ("clone", "restart"),
    "failed": ("clone", "restart"),
}


def waiting(contacts: int) -> dict[str, int]:
    """Return the counters of a run that has not begun: everybody waits."""
    return {"total_calls": max(0, contacts), "pending": max(0, contacts)}


def callable_contacts(row: Mapping[str, Any]) -> int:
    """Return how many contacts of a first run may be called: neither suppressed nor excluded."""
    contacts = row.get("contacts") or {}
    return int(contacts.get("accepted", 0)) - int(row.get("excluded", 0))


def stats(counters: Mapping[str, int]) -> dict[str, int | float | None]:
    """Return the numbers of one run.

    `counters` holds them by name, and `attempted`: the contacts that were rung at least once.
    """
    counted = {name: max(0, counters.get(name, 0)) for name in COUNTED}
    processed = sum(counted[name] for name in PROCESSED)
    return {
        **counted,
        "attempt_answer_rate": _rate(counted["answered_attempts"], counted["attempts"]),
        "connect_rate": _rate(counted["connected"], counters.get("attempted", 0)),
        "completion_rate": _rate(processed, counted["total_calls"]),
    }


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def progress(status: str, counters: Mapping[str, int]) -> dict[str, Any]:
    """Return how far one run is; percents are 0 to 100, 0 when there is nothing."""
    counted = {name: max(0, counters.get(name, 0)) for name in COUNTED}
    total, callbacks = counted["total_calls"], counted["callback_pending"]
    processed = sum(counted[name] for name in PROCESSED)
    return {
        "processed_count": processed,
        "processed_percent": min(100.0, processed * 100 / total) if total else 0.0,
        "success_percent": counted["completed"] * 100 / total if total else 0.0,
        "connected": counted["connected"],
        "base_dialling_completed": processed + callbacks >= total and callbacks > 0,
        "worth_polling": status == "running" or counted["live"] > 0 or callbacks > 0,
    }


def actions(row: Mapping[str, Any], caller: Caller) -> list[str]:
    """Return what this caller may do with the campaign now."""
    if not caller.may(Permission.AUTHOR):
        return []
    allowed = list(ACTIONS[row["status"]])
    if row["status"] == "draft":
        allowed.remove("delete" if run_number(row) > 1 else "cancel-restart")
    if row["status"] in VOICE_FINAL:
        if row.get("archived"):
            allowed.remove("restart")
        allowed.append("restore" if row.get("archived") else "archive")
    return allowed


def run_number(row: Mapping[str, Any]) -> int:
    """Return which run is the current one, from 1."""
    return int(row.get("run", 1))


def restarted(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return by whom and when the current run was prepared; None in the first one."""
    found: Mapping[str, Any] | None = row.get(f"restarted_{run_number(row)}")
    return found


def detail(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only voice campaigns have beside settings; `live` is theirs who dial."""
    return {"excluded": int(row.get("excluded", 0)), "run": run_number(row), "live": None}
