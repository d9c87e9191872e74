from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from campaign.launching import fold
from campaign.suppressed import fold as fold_suppressed
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCreated,
    CampaignEdited,
    CampaignStarted,
    CampaignStopped,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Recorded
from campaign_events.suppression import LIST, SuppressionsAdded, SuppressionsRemoved

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
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


def test_on_demand_is_due_from_its_creation_but_waits_only_when_it_is_built() -> None:
    assert view(recorded(CREATED)) == {"c1": {"workspace": "w", "due_at": AT, "ends_at": None}}
    assert view(recorded(CREATED, CampaignApproved(was="new", by=ANN), BUILT))["c1"]["waiting"]


def test_an_edit_moves_the_time() -> None:
    later = SETTINGS.model_copy(update={"starts_at": AT + timedelta(days=1)})
    edited = CampaignEdited(settings=later, by=ANN)
    assert view(recorded(CREATED, edited))["c1"]["due_at"] == AT + timedelta(days=1)


def test_what_waits_for_a_person_is_never_due() -> None:
    manual = SETTINGS.model_copy(update={"auto_start": False})
    assert view(recorded(CampaignCreated(settings=manual, author=ANN)))["c1"]["due_at"] is None


def test_what_was_started_or_ended_is_forgotten() -> None:
    assert view(recorded(CREATED, BUILT, CampaignStarted(was="pending"))) == {}
    assert view(recorded(CREATED, CampaignStopped(was="new", by=ANN))) == {}


@given(st.integers(0, 4))
def test_cutting_the_log_anywhere_gives_the_same_view(cut: int) -> None:
    events = recorded(CREATED, CampaignApproved(was="new", by=ANN), BUILT, CREATED)
    assert view(events[:cut], events[cut:]) == view(events)


def test_of_several_facts_about_one_phone_the_last_one_counts() -> None:
    facts = recorded(
        SuppressionsAdded(hashes=("a", "b")), SuppressionsRemoved(hashes=("a",)), thing=LIST
    )
    writes: Sequence[Any] = fold_suppressed(facts)["suppressed"]
    added, removed = writes
    assert added._filter == {"_id": "w/b"}
    assert removed._filter == {"_id": {"$in": ["w/a"]}}
