"""The numbers of a voice campaign (product: section 5.3), against histories made by hand."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from campaign_events import presentation
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
    LiveState,
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
GOLDEN = json.loads(Path(__file__).with_name("formulas.json").read_text())
VOICE: dict[str, dict[str, Any]] = {case["name"]: case for case in GOLDEN["voice"]}
LIVE = get_args(LiveState)
POLLING = "worth_polling"


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


# What has happened in each run of `formulas.json`, which the dashboard's tests read too.
HISTORIES: dict[str, Sequence[Event]] = {
    "an empty run": (RunOpened(run=1, audience="a", total=0),),
    "a run that has begun": (OPENED,),
    "the first calls are live": (OPENED, dialled(1, 2, 3)),
    "one of each end": (
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
    "a contact that is rung three times and reached twice counts once": (
        RunOpened(run=1, audience="a", total=3),
        dialled(1),
        ended(1, "no_answer", "retry_scheduled"),
        dialled(1, kind="retry", sequence=2),
        connected(1, "callback_scheduled"),
        dialled(1, kind="callback", sequence=3),
        connected(1, first=False),
    ),
    "only callbacks are left": (
        RunOpened(run=1, audience="a", total=2),
        dialled(1, 2),
        connected(1),
        connected(2, "callback_scheduled"),
    ),
    "contacts that join are part of the whole": (
        RunOpened(run=1, audience="a", total=1),
        CallsAdded(run=1, first=2, last=4),
    ),
    "a stopped run": (
        RunOpened(run=1, audience="a", total=4),
        dialled(1, 2, 3),
        ended(1, "no_answer", "retry_scheduled"),
        connected(2, "callback_scheduled"),
        closed("manual_stopped", pending=((4, 4),), retries=(1,), callbacks=(2,)),
        connected(3),
        CallsFinished(run=1, left=3),
    ),
}


def run_after(history: Sequence[Event]) -> Any:
    entries = [recorded(seq, "c", event) for seq, event in enumerate(history, 1)]
    known = folded(fold_calls, entries).get("run_totals", {})
    return counters({"_id": "c"}, known, 1)


def told(status: str, counted: dict[str, int]) -> dict[str, Any]:
    """Progress without the word about polling, which `polling` has cases for."""
    return {name: told for name, told in progress(status, counted).items() if name != POLLING}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_formulas_hold(name: str) -> None:
    counted = run_after(HISTORIES[name])

    assert stats(counted) == VOICE[name]["stats"]
    assert told("completed", counted) == VOICE[name]["progress"]


@pytest.mark.parametrize("case", GOLDEN["voice"], ids=VOICE)
def test_the_progress_follows_from_what_is_shown(case: dict[str, Any]) -> None:
    assert told("running", case["stats"]) == case["progress"]


@pytest.mark.parametrize("case", GOLDEN["sms"], ids=[case["name"] for case in GOLDEN["sms"]])
def test_the_progress_of_messages_follows_from_what_is_shown(case: dict[str, Any]) -> None:
    shown = presentation.progress("sending", case["stats"])
    assert {name: shown[name] for name in shown if name != POLLING} == case["progress"]


@pytest.mark.parametrize("case", GOLDEN["polling"], ids=str)
def test_what_may_change_is_worth_polling(case: dict[str, Any]) -> None:
    counted = {
        "total_calls": len(case["calls"]),
        "live": sum(call in LIVE for call in case["calls"]),
        "callback_pending": case["calls"].count("callback_scheduled"),
    }
    assert progress(case["status"], counted)[POLLING] == case[POLLING]


@pytest.mark.parametrize("name", HISTORIES)
def test_the_whole_is_the_sum_of_its_parts(name: str) -> None:
    numbers: dict[str, Any] = stats(run_after(HISTORIES[name]))

    waiting = numbers["pending"] + numbers["retry_pending"] + numbers["callback_pending"]
    processed = sum(numbers[state] for state in PROCESSED)
    assert numbers["total_calls"] == waiting + numbers["live"] + processed


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
