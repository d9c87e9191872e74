"""Views over CALLS, and rows of voice campaigns: folds as data, and that batches do not matter."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.call import (
    AttemptEnd,
    CallsAdded,
    CallsClosed,
    CallsDialled,
    CallsEnded,
    CallsFinished,
    CallState,
    Dial,
    DiallingBroken,
    Outcome,
    RunOpened,
)
from campaign_events.campaign import (
    CampaignArchived,
    CampaignDeleted,
    CampaignRestored,
    ContactsUploaded,
)
from campaign_events.envelope import Actor, Event, Recorded, rfc3339
from campaign_events.verifying import seen
from campaign_events.voice import (
    CampaignRestarted,
    ContactsAdded,
    ContactsExcluded,
    ContactsLeft,
    DiallingCompleted,
    DiallingFailed,
    DiallingPaused,
    DiallingResumed,
    DiallingStarted,
    DiallingStopped,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceSettings,
)
from campaign_events.voice_presentation import restarted
from folding import folded, recorded
from read_model.projections import fold_calls, fold_campaigns, fold_history
from read_model.views import funnel
from read_model.views.call_moves import moves
from read_model.views.runs import counters

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def end(number: int, outcome: Outcome, becomes: CallState, **more: Any) -> AttemptEnd:
    known = AttemptEnd(number=number, sequence=1, outcome=outcome, becomes=becomes, ended_at=AT)
    return known.model_copy(update=more)


def dial(number: int, kind: Any = "first") -> Dial:
    return Dial(number=number, sequence=1, kind=kind, call_id="c", caller_id="+4420")


FACTS: tuple[tuple[Event, dict[str, int] | None], ...] = (
    (RunOpened(run=1, audience="a", total=9), {"total_calls": 9, "pending": 9}),
    (CallsAdded(run=1, first=10, last=12), {"total_calls": 3, "pending": 3}),
    (
        CallsDialled(run=1, epoch=1, dials=(dial(1), dial(2, "retry"), dial(3, "callback"))),
        {
            "attempts": 3,
            "live": 3,
            "attempted": 1,
            "pending": -1,
            "retry_pending": -1,
            "callback_pending": -1,
        },
    ),
    (
        CallsEnded(
            run=1,
            ends=(
                end(1, "connected", "completed", first_connection=True),
                end(2, "error", "failed", answered_at=AT),
                end(3, "timeout", "retry_scheduled"),
            ),
        ),
        {
            "live": -3,
            "completed": 1,
            "failed": 1,
            "retry_pending": 1,
            "answered_attempts": 2,
            "connected": 1,
        },
    ),
    (
        CallsClosed(run=1, becomes="window_closed", pending=((1, 2), (5, 5)), retries=(7,)),
        {"pending": -3, "retry_pending": -1, "window_closed": 4},
    ),
    (CallsFinished(run=1, left=4), {}),
    (DiallingBroken(run=1, reason="x"), None),
)


@pytest.mark.parametrize(("event", "expected"), FACTS, ids=repr)
def test_every_fact_about_calls_states_what_it_moves(
    event: Event, expected: dict[str, int] | None
) -> None:
    found = moves(event)
    told = found and {name: number for name, number in found.items() if number}
    assert told == expected


@some.composite
def calls(draw: some.DrawFn) -> list[Recorded[Any]]:
    facts = draw(some.lists(some.sampled_from(FACTS), min_size=1, max_size=30))
    entries = []
    for seq, (event, _) in enumerate(facts, 1):
        run = event.model_copy(update={"run": draw(some.integers(1, 2))})
        entries.append(recorded(seq * 700, draw(some.sampled_from("ab")), run))
    return entries


@given(calls(), some.lists(some.integers(1, 30)))
def test_cutting_the_calls_anywhere_gives_the_same_views(
    entries: list[Recorded[Any]], cuts: list[int]
) -> None:
    assert seen(folded(fold_calls, entries, cuts)) == seen(folded(fold_calls, entries))


@given(calls())
def test_the_hours_add_up_to_the_runs(entries: list[Recorded[Any]]) -> None:
    view = folded(fold_calls, entries)
    runs: Counter[str] = Counter()
    for document in view.get("run_totals", {}).values():
        runs.update({name: n for name, n in document.items() if type(n) is int})
    hours = list(view.get("call_hours", {}).values())
    assert {hour["channel"] for hour in hours} <= {"voice"}
    assert sum(hour["sent"] for hour in hours) == runs["answered_attempts"]


def settings(name: str = "n") -> VoiceSettings:
    return VoiceSettings(name=name, destination="sim:agents")


CREATED = VoiceCampaignCreated(settings=settings(), author=ANN)
UPLOADED = ContactsUploaded(audience="a", accepted=5, invalid=0, duplicate=0, suppressed=2, by=ANN)
LIVES: tuple[tuple[Event, ...], ...] = (
    (CREATED, UPLOADED, CampaignDeleted(was="draft", by=ANN)),
    (
        CREATED,
        VoiceCampaignEdited(settings=settings("m"), by=BOB),
        UPLOADED,
        ContactsExcluded(numbers=(1, 2), excluded=2, by=BOB),
        DiallingStarted(was="draft", run=1, by=ANN),
        ContactsAdded(audience="a", first=8, last=9, by=BOB),
        DiallingPaused(was="running", by=BOB),
        DiallingResumed(was="paused", by=BOB),
        DiallingCompleted(was="running"),
        ContactsLeft(run=1, left=2),
        CampaignRestarted(was="completed", run=2, by=BOB),
        RestartCancelled(becomes="completed", run=1, by=ANN),
        CampaignRestarted(was="completed", run=2, by=ANN),
        DiallingStarted(was="draft", run=2, by=ANN),
        DiallingStopped(was="running", by=ANN),
        CampaignRestarted(was="completed", run=3, by=BOB),
        RestartCancelled(becomes="completed", run=2, by=BOB),
        CampaignArchived(by=ANN),
        CampaignRestored(by=ANN),
    ),
    (
        CREATED,
        DiallingStarted(was="draft", run=1, by=ANN),
        DiallingFailed(was="running", reason="x"),
    ),
)


@some.composite
def lives(draw: some.DrawFn) -> list[Recorded[Any]]:
    """Lives of several campaigns, mixed in any way, each in its own order."""
    chosen = draw(some.lists(some.sampled_from(LIVES), min_size=1, max_size=5))
    turns = [index for index, life in enumerate(chosen) for _ in life]
    told = [iter(life) for life in chosen]
    return [
        recorded(seq, f"t{index}", next(told[index]))
        for seq, index in enumerate(draw(some.permutations(turns)), 1)
    ]


@given(lives(), some.lists(some.integers(1, 40)))
def test_cutting_the_lives_anywhere_gives_the_same_views(
    entries: list[Recorded[Any]], cuts: list[int]
) -> None:
    assert seen(folded(fold_campaigns, entries, cuts)) == seen(folded(fold_campaigns, entries))


@given(lives())
def test_the_funnel_agrees_with_the_rows(entries: list[Recorded[Any]]) -> None:
    view = folded(fold_campaigns, entries)
    rows = Counter(row["status"] for row in view.get("campaigns", {}).values())
    kept = view["funnels"]["w"]

    told = funnel.funnel(kept)["voice"]
    assert told == {status: rows[status] for status in funnel.VOICE}
    assert funnel.kpi(kept) == {
        "total": len({entry.address.thing for entry in entries}),
        "active": rows["running"] + rows["paused"],
        "completed": rows["completed"],
        "failed": rows["failed"],
    }


def entries_of(life: Sequence[Event]) -> list[Recorded[Any]]:
    return [recorded(seq, "c", event) for seq, event in enumerate(life, 1)]


def row_after(life: Sequence[Event]) -> dict[str, Any]:
    return folded(fold_campaigns, entries_of(life))["campaigns"]["c"]


def test_a_row_tells_its_run_and_who_prepared_it() -> None:
    life = LIVES[1]
    told = {}
    for length in (1, 11, 12, 13, 16, 17):
        row = row_after(life[:length])
        by = restarted(row)
        told[length] = (row["status"], row["run"], by and by["by"]["id"])
    assert told == {
        1: ("draft", 1, None),
        11: ("draft", 2, "bob"),
        12: ("completed", 1, None),
        13: ("draft", 2, "ann"),
        16: ("draft", 3, "bob"),
        17: ("completed", 2, "ann"),
    }


def test_a_voice_draft_is_listed_with_its_settings() -> None:
    row = row_after(LIVES[1][:4])
    assert (row["listed"], row["channel"], row["settings"]["name"]) == (True, "voice", "m")
    assert row["excluded"] == 2
    assert row_after((*LIVES[1][:4], UPLOADED))["excluded"] == 0


def test_why_a_run_failed_is_told_until_the_next_one_begins() -> None:
    prepared = (*LIVES[2], CampaignRestarted(was="failed", run=2, by=ANN))
    assert row_after(LIVES[2])["reason"] == "x"
    assert row_after(prepared)["reason"] == "x"
    again = DiallingStarted(was="draft", run=2, by=ANN)
    assert row_after((*prepared, again))["reason"] is None


def test_who_waits_for_a_run_that_has_not_begun() -> None:
    row = {"_id": "c", "contacts": {"accepted": 5, "suppressed": 2}, "excluded": 1}
    assert counters(row, {}, 1) == {"total_calls": 4, "pending": 4}
    before: dict[str, Any] = {"opened": True, "total_calls": 4, "completed": 1}
    assert counters(row, {"c/1": before}, 2)["pending"] == 3
    assert counters(row, {"c/1": before | {"left": 2}}, 2)["pending"] == 2
    assert counters(row, {"c/1": before}, 1) == before


def test_history_tells_who_did_what_and_nobodys_number() -> None:
    told = folded(fold_history, entries_of(LIVES[1]))["campaign_history"]
    entries = [told[seq] for seq in sorted(told)]

    actions = [(entry["action"], (entry["actor"] or {}).get("id")) for entry in entries]
    assert actions == [
        ("campaign.created", "ann"),
        ("campaign.edited", "bob"),
        ("campaign.contacts_uploaded", "ann"),
        ("campaign.contacts_excluded", "bob"),
        ("campaign.started", "ann"),
        ("campaign.contacts_added", "bob"),
        ("campaign.paused", "bob"),
        ("campaign.resumed", "bob"),
        ("campaign.completed", None),
        ("campaign.restarted", "bob"),
        ("campaign.restart_cancelled", "ann"),
        ("campaign.restarted", "ann"),
        ("campaign.started", "ann"),
        ("campaign.stopped", "ann"),
        ("campaign.restarted", "bob"),
        ("campaign.restart_cancelled", "bob"),
        ("campaign.archived", "ann"),
        ("campaign.restored", "ann"),
    ]
    assert entries[2]["details"] == {
        "accepted": 5,
        "invalid": 0,
        "duplicate": 0,
        "suppressed": 2,
    }
    assert entries[3]["details"] == entries[5]["details"] == {"contacts": 2}
    assert entries[4]["at"] == rfc3339(entries_of(LIVES[1])[4].time)
