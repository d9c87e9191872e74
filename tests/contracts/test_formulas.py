"""The numbers of a voice campaign (product: section 5.3), against histories made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from campaign_events.access import Caller
from campaign_events.call import (
    AttemptEnd,
    AttemptKind,
    CallsAdded,
    CallsClosed,
    CallsDialled,
    CallsEnded,
    CallsFinished,
    CallState,
    Dial,
    Outcome,
    RunOpened,
)
from campaign_events.envelope import Event
from campaign_events.presentation import campaign
from campaign_events.voice import VoiceSettings
from campaign_events.voice_presentation import PROCESSED, actions, progress, stats
from folding import folded, recorded
from read_model.projections import fold_calls
from read_model.views.runs import counters

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPENED = RunOpened(run=1, audience="a", total=10)
EMPTY = {
    "total_calls": 0,
    "pending": 0,
    "completed": 0,
    "failed": 0,
    "abandoned": 0,
    "window_closed": 0,
    "manual_stopped": 0,
    "machine_detected_count": 0,
    "callback_pending": 0,
    "retry_pending": 0,
    "live": 0,
    "connected": 0,
    "attempts": 0,
    "answered_attempts": 0,
    "attempt_answer_rate": None,
    "connect_rate": None,
    "completion_rate": None,
}
NOTHING = {
    "processed_count": 0,
    "processed_percent": 0.0,
    "success_percent": 0.0,
    "connected": 0,
    "base_dialling_completed": False,
    "worth_polling": False,
}


def dialled(*numbers: int, kind: AttemptKind = "first", sequence: int = 1) -> CallsDialled:
    dials = tuple(
        Dial(number=n, sequence=sequence, kind=kind, call_id=f"c{n}-{sequence}", caller_id="+4420")
        for n in numbers
    )
    return CallsDialled(run=1, epoch=1, dials=dials)


def ended(number: int, outcome: Outcome, becomes: CallState, **more: Any) -> CallsEnded:
    end = AttemptEnd(number=number, sequence=1, outcome=outcome, becomes=becomes, ended_at=AT)
    return CallsEnded(run=1, ends=(end.model_copy(update=more),))


def connected(number: int, becomes: CallState = "completed", *, first: bool = True) -> CallsEnded:
    return ended(number, "connected", becomes, first_connection=first, answered_at=AT)


def closed(becomes: Any, **which: Any) -> CallsClosed:
    return CallsClosed(run=1, becomes=becomes, **which)


# Each: what has happened, the stats and the progress that differ from nothing; while running.
GOLDEN: dict[str, tuple[Sequence[Event], dict[str, Any], dict[str, Any]]] = {
    "an empty run": ((RunOpened(run=1, audience="a", total=0),), {}, {}),
    "a run that has begun": (
        (OPENED,),
        {"total_calls": 10, "pending": 10, "completion_rate": 0.0},
        {},
    ),
    "the first calls are live": (
        (OPENED, dialled(1, 2, 3)),
        {
            "total_calls": 10,
            "pending": 7,
            "live": 3,
            "attempts": 3,
            "attempt_answer_rate": 0.0,
            "connect_rate": 0.0,
            "completion_rate": 0.0,
        },
        {},
    ),
    "one of each end": (
        (
            OPENED,
            dialled(1, 2, 3, 4, 5, 6, 7),
            connected(1),
            ended(2, "machine", "machine_detected", answered_at=AT, amd="machine"),
            ended(3, "abandoned", "abandoned", answered_at=AT, amd="human"),
            ended(4, "busy", "failed"),
            ended(5, "no_answer", "retry_scheduled", due_at=AT),
            connected(6, "callback_scheduled"),
            closed("window_closed", pending=((8, 9),)),
            closed("manual_stopped", pending=((10, 10),)),
        ),
        {
            "total_calls": 10,
            "completed": 1,
            "machine_detected_count": 1,
            "abandoned": 1,
            "failed": 1,
            "retry_pending": 1,
            "callback_pending": 1,
            "live": 1,
            "window_closed": 2,
            "manual_stopped": 1,
            "connected": 2,
            "attempts": 7,
            "answered_attempts": 4,
            "attempt_answer_rate": 4 / 7,
            "connect_rate": 2 / 7,
            "completion_rate": 0.7,
        },
        {"processed_count": 7, "processed_percent": 70.0, "success_percent": 10.0, "connected": 2},
    ),
    "a contact that is rung three times and reached twice counts once": (
        (
            RunOpened(run=1, audience="a", total=3),
            dialled(1),
            ended(1, "no_answer", "retry_scheduled"),
            dialled(1, kind="retry", sequence=2),
            connected(1, "callback_scheduled"),
            dialled(1, kind="callback", sequence=3),
            connected(1, first=False),
        ),
        {
            "total_calls": 3,
            "pending": 2,
            "completed": 1,
            "connected": 1,
            "attempts": 3,
            "answered_attempts": 2,
            "attempt_answer_rate": 2 / 3,
            "connect_rate": 1.0,
            "completion_rate": 1 / 3,
        },
        {
            "processed_count": 1,
            "processed_percent": 100 / 3,
            "success_percent": 100 / 3,
            "connected": 1,
        },
    ),
    "only callbacks are left": (
        (
            RunOpened(run=1, audience="a", total=2),
            dialled(1, 2),
            connected(1),
            connected(2, "callback_scheduled"),
        ),
        {
            "total_calls": 2,
            "completed": 1,
            "callback_pending": 1,
            "connected": 2,
            "attempts": 2,
            "answered_attempts": 2,
            "attempt_answer_rate": 1.0,
            "connect_rate": 1.0,
            "completion_rate": 0.5,
        },
        {
            "processed_count": 1,
            "processed_percent": 50.0,
            "success_percent": 50.0,
            "connected": 2,
            "base_dialling_completed": True,
        },
    ),
    "contacts that join are part of the whole": (
        (RunOpened(run=1, audience="a", total=1), CallsAdded(run=1, first=2, last=4)),
        {"total_calls": 4, "pending": 4, "completion_rate": 0.0},
        {},
    ),
    "a stopped run": (
        (
            RunOpened(run=1, audience="a", total=4),
            dialled(1, 2, 3),
            ended(1, "no_answer", "retry_scheduled"),
            connected(2, "callback_scheduled"),
            closed("manual_stopped", pending=((4, 4),), retries=(1,), callbacks=(2,)),
            connected(3),
            CallsFinished(run=1, left=3),
        ),
        {
            "total_calls": 4,
            "manual_stopped": 3,
            "completed": 1,
            "connected": 2,
            "attempts": 3,
            "answered_attempts": 2,
            "attempt_answer_rate": 2 / 3,
            "connect_rate": 2 / 3,
            "completion_rate": 1.0,
        },
        {
            "processed_count": 4,
            "processed_percent": 100.0,
            "success_percent": 25.0,
            "connected": 2,
        },
    ),
}


def run_after(history: Sequence[Event]) -> Any:
    entries = [recorded(seq, "c", event) for seq, event in enumerate(history, 1)]
    known = folded(fold_calls, entries).get("run_totals", {})
    return counters({"_id": "c"}, known, 1)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_formulas_hold(name: str) -> None:
    history, expected_stats, expected_progress = GOLDEN[name]

    counted = run_after(history)

    assert stats(counted) == EMPTY | expected_stats
    assert progress("completed", counted) == (
        NOTHING
        | expected_progress
        | {"worth_polling": bool(expected_stats.keys() & {"live", "callback_pending"})}
    )
    assert progress("running", counted)["worth_polling"]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_whole_is_the_sum_of_its_parts(name: str) -> None:
    numbers: dict[str, Any] = stats(run_after(GOLDEN[name][0]))

    waiting = numbers["pending"] + numbers["retry_pending"] + numbers["callback_pending"]
    processed = sum(numbers[state] for state in PROCESSED)
    assert numbers["total_calls"] == waiting + numbers["live"] + processed


def test_more_processed_than_there_are_is_shown_as_all() -> None:
    assert progress("running", {"total_calls": 2, "completed": 3})["processed_percent"] == 100.0


ROLES = ("viewer", "author", "moderator", "admin", "super_admin")
TABLE = {
    "draft": ["edit", "clone", "start", "delete"],
    "running": ["clone", "pause", "stop"],
    "paused": ["edit", "clone", "resume", "stop"],
    "completed": ["clone", "restart", "archive"],
    "failed": ["clone", "restart", "archive"],
}


@pytest.mark.parametrize("role", ROLES)
def test_the_actions_are_those_of_the_table(role: str) -> None:
    caller = Caller("u", "U", "w", frozenset({role}))
    may = role in ("author", "admin", "super_admin")

    for status, expected in TABLE.items():
        assert actions({"status": status, "run": 1}, caller) == (expected if may else [])
    prepared = ["edit", "clone", "start", "cancel-restart"]
    assert actions({"status": "draft", "run": 2}, caller) == (prepared if may else [])
    archived = actions({"status": "failed", "archived": True}, caller)
    assert archived == (["clone", "restore"] if may else [])


def test_a_row_of_a_voice_campaign_has_what_every_row_has() -> None:
    settings = VoiceSettings(name="n", destination="sim:agents").model_dump(mode="json")
    row = {
        "_id": "0198c0de-0000-7000-8000-0000aabbccdd",
        "workspace": "w",
        "channel": "voice",
        "status": "draft",
        "run": 2,
        "settings": settings,
        "author": {"id": "a", "name": "A"},
        "created_at": "t0",
        "restarted_2": {"by": {"id": "b", "name": "B"}, "at": "t1"},
    }
    caller = Caller("u", "U", "w", frozenset({"author"}))

    shown = campaign(row, {"total_calls": 2, "pending": 2}, caller, detail=True)

    assert shown["short_id"] == "aabbccdd"
    assert (shown["mode"], shown["starts_at"], shown["ends_at"]) == ("single_day", None, None)
    assert (shown["run_number"], shown["restarted"]) == (2, row["restarted_2"])
    assert shown["stats"]["pending"] == 2
    assert settings.items() <= shown.items()
