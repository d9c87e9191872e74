"""A campaign as every service shows it over HTTP (product: sections 5.3 and 6). Pure."""

from collections.abc import Mapping
from typing import Any

from campaign_events import voice_presentation
from campaign_events.access import Caller, Permission
from campaign_events.campaign import FINAL

COUNTED = ("submitting", "submitted", "delivered", "failed", "skipped")
ACTIONS: dict[str, tuple[str, ...]] = {
    "new": ("edit", "clone", "stop", "delete"),
    "building": ("clone", "stop"),
    "pending": ("clone", "stop", "start"),
    "sending": ("clone", "pause", "stop"),
    "paused": ("clone", "resume", "stop"),
    "done": ("clone",),
    "failed": ("clone",),
    "cancelled": ("clone",),
    "expired": ("clone",),
}


def short_id(campaign_id: str) -> str:
    """Return the last 8 characters, which people read out to each other."""
    return campaign_id[-8:]


def stats(total: int, counters: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of an SMS campaign; whatever is in no other status is queued."""
    counted = {name: max(0, counters.get(name, 0)) for name in COUNTED}
    return {
        "total": total,
        "queued": max(0, total - sum(counted.values())),
        **counted,
        "segments": counters.get("segments", 0),
    }


def progress(status: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return how far an SMS campaign is; percents are 0 to 100, 0 when there is nothing."""
    total = numbers["total"]
    processed = numbers["delivered"] + numbers["failed"] + numbers["skipped"]
    return {
        "processed_count": processed,
        "processed_percent": min(100.0, processed * 100 / total) if total else 0.0,
        "success_percent": numbers["delivered"] * 100 / total if total else 0.0,
        "connected": None,
        "base_dialling_completed": False,
        "worth_polling": status in ("building", "pending", "sending", "paused"),
    }


def actions(row: Mapping[str, Any], caller: Caller) -> list[str]:
    """Return what this caller may do with the campaign now."""
    allowed = [
        action
        for action in ACTIONS[row["status"]]
        if caller.may(Permission.DELETE if action == "delete" else Permission.AUTHOR)
    ]
    if "start" in allowed and row["settings"]["auto_start"]:
        allowed.remove("start")
    if row["status"] in FINAL and caller.may(Permission.AUTHOR):
        allowed.append("restore" if row.get("archived") else "archive")
    return allowed


def _total(row: Mapping[str, Any], counters: Mapping[str, int]) -> int:
    """Return how many contacts there are: uploaded, or pushed so far where nothing is uploaded."""
    if row["settings"]["mode"] == "trigger":
        return counters.get("planned", 0)
    contacts = row.get("contacts") or {}
    return int(contacts.get("accepted", 0)) + int(contacts.get("suppressed", 0))


def campaign(
    row: Mapping[str, Any], counters: Mapping[str, int], caller: Caller, *, detail: bool
) -> dict[str, Any]:
    """Return the row of the campaign list, and with `detail` every setting beside it.

    `row` holds `_id, channel, status, settings, author, created_at, archived`; once there is an
    audience, `contacts` with the counts of the upload; `paused_until` while a window holds it; for
    voice `run`, `excluded`, and `restarted_<run>` for each run that was prepared. `counters` are
    those of its messages, or of the calls of one run.
    """
    settings = row["settings"]
    shown: dict[str, Any] = {
        "id": row["_id"],
        "short_id": short_id(row["_id"]),
        "name": settings["name"],
        "channel": row["channel"],
        "status": row["status"],
        **(_of_voice if row["channel"] == "voice" else _of_sms)(row, counters, caller),
        "author": row["author"],
        "created_at": row["created_at"],
        "archived": row.get("archived", False),
    }
    if detail:
        shown |= {name: value for name, value in settings.items() if name not in shown}
        shown["workspace"] = row["workspace"]
        shown["contacts"] = row.get("contacts") or None
        shown["reason"] = row.get("reason")
        if row["channel"] == "voice":
            shown |= voice_presentation.detail(row)
        else:
            shown["paused_until"] = row.get("paused_until")
    return shown


def _of_sms(row: Mapping[str, Any], counters: Mapping[str, int], caller: Caller) -> dict[str, Any]:
    settings = row["settings"]
    numbers = stats(_total(row, counters), counters)
    return {
        "mode": settings["mode"],
        "run_number": 1,
        "starts_at": settings["starts_at"],
        "ends_at": settings["ends_at"],
        "restarted": None,
        "stats": numbers,
        "progress": progress(row["status"], numbers),
        "actions": actions(row, caller),
    }


def _of_voice(
    row: Mapping[str, Any], counters: Mapping[str, int], caller: Caller
) -> dict[str, Any]:
    """Return the part that differs; the mode of a voice campaign is its `campaign_mode`."""
    return {
        "mode": row["settings"]["campaign_mode"],
        "run_number": voice_presentation.run_number(row),
        "starts_at": None,
        "ends_at": None,
        "restarted": voice_presentation.restarted(row),
        "stats": voice_presentation.stats(counters),
        "progress": voice_presentation.progress(row["status"], counters),
        "actions": voice_presentation.actions(row, caller),
    }
