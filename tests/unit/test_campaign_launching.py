from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.launching import fold, is_late
from campaign.suppressed import fold as fold_suppressed
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCreated,
    CampaignEdited,
    CampaignExpired,
    CampaignPaused,
    CampaignStarted,
    CampaignStopped,
    DailyWindow,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Recorded
from campaign_events.suppression import LIST, SuppressionsAdded, SuppressionsRemoved

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = Actor(id="ann", name="Ann")
SETTINGS = SmsSettings(name="n", text="t", sender_id="s", link_id="l")
BUILT = CampaignBuilt(was="building", queued=1, skipped=0, segments=1)


def recorded(*events: Event, thing: str = "c1") -> list[Recorded[Any]]:
    return [
        Recorded("CAMPAIGNS", seq, f"e{seq}", Address("w", thing), AT, event, "test")
        for seq, event in enumerate(events, 1)
    ]


def view(*batches: Sequence[Recorded[Any]]) -> dict[str, dict[str, Any]]:
    """What the writes of these batches leave in the collection."""
    documents: dict[str, dict[str, Any]] = {}
    for batch in batches:
        writes: Sequence[Any] = fold(batch)["due"]
        for write in writes:
            campaign = write._filter["_id"]
            if hasattr(write, "_doc"):
                documents[campaign] = documents.get(campaign, {}) | write._doc["$set"]
            else:
                documents.pop(campaign, None)
    return documents


CREATED = CampaignCreated(settings=SETTINGS, author=ANN)
APPROVED = CampaignApproved(was="new", by=ANN)
STARTED = CampaignStarted(was="pending", until=AT + HOUR)
HELD = CampaignPaused(was="sending", until=AT + 2 * HOUR)


def test_on_demand_is_due_from_its_creation_but_waits_only_when_it_is_built() -> None:
    known = {"workspace": "w", "due_at": AT, "ends_at": None, "window": None}
    assert view(recorded(CREATED, APPROVED)) == {"c1": known}
    assert view(recorded(CREATED, APPROVED, BUILT)) == {"c1": known | {"status": "pending"}}


def test_an_edit_moves_the_time() -> None:
    later = SETTINGS.model_copy(update={"starts_at": AT + timedelta(days=1)})
    edited = CampaignEdited(settings=later, by=ANN)
    assert view(recorded(CREATED, edited))["c1"]["due_at"] == AT + timedelta(days=1)


def test_what_waits_for_a_person_is_never_due() -> None:
    manual = SETTINGS.model_copy(update={"auto_start": False})
    assert view(recorded(CampaignCreated(settings=manual, author=ANN)))["c1"]["due_at"] is None


def test_what_is_under_way_is_due_when_its_window_changes() -> None:
    window = DailyWindow(start="09:00", end="18:00", timezone="UTC")
    windowed = SETTINGS.model_copy(update={"daily_window": window})
    life = (CampaignCreated(settings=windowed, author=ANN), BUILT, STARTED, HELD)
    sending, held = view(recorded(*life[:3]))["c1"], view(recorded(*life))["c1"]
    assert (sending["status"], sending["due_at"]) == ("sending", AT + HOUR)
    assert (held["status"], held["due_at"]) == ("paused", AT + 2 * HOUR)
    assert held["window"] == window.model_dump()


def test_what_a_person_paused_is_never_due() -> None:
    paused = CampaignPaused(was="sending", by=ANN)
    assert view(recorded(CREATED, BUILT, STARTED, paused))["c1"]["due_at"] is None


def test_what_has_ended_is_forgotten() -> None:
    assert view(recorded(CREATED, CampaignStopped(was="new", by=ANN))) == {}
    expired = CampaignExpired(was="paused")
    assert view(recorded(CREATED, BUILT, STARTED, HELD, expired)) == {}


@pytest.mark.parametrize("was_sending", [True, False])
def test_a_window_that_changed_twice_while_nobody_looked_asks_for_nothing(
    was_sending: bool,
) -> None:
    """Core was away while the window was open: the campaign waits for it to open once more."""
    window = {"start": "09:00", "end": "18:00", "timezone": "UTC"}
    entry = {"status": "sending" if was_sending else "paused", "window": window}
    noon, night = AT, AT + timedelta(hours=9)
    assert is_late(entry, noon) is was_sending
    assert is_late(entry, night) is not was_sending


@given(st.integers(0, 4))
def test_cutting_the_log_anywhere_gives_the_same_view(cut: int) -> None:
    events = recorded(CREATED, BUILT, STARTED, HELD)
    assert view(events[:cut], events[cut:]) == view(events)


def test_of_several_facts_about_one_phone_the_last_one_counts() -> None:
    facts = recorded(
        SuppressionsAdded(hashes=("a", "b")), SuppressionsRemoved(hashes=("a",)), thing=LIST
    )
    writes: Sequence[Any] = fold_suppressed(facts)["suppressed"]
    added, removed = writes
    assert added._filter == {"_id": "w/b"}
    assert removed._filter == {"_id": {"$in": ["w/a"]}}
