"""Views over CAMPAIGNS: folds as data, and the law that batches do not matter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.campaign import (
    CampaignApproved,
    CampaignArchived,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    ContactsUploaded,
    SettingsChanged,
    SmsSettings,
    WorkspaceSettings,
)
from campaign_events.envelope import Actor, Event, Recorded, Unknown, rfc3339
from campaign_events.moderation import ModerationApproved
from campaign_events.sender import (
    Revision,
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
)
from campaign_events.verifying import seen
from folding import START, folded, recorded
from moderation import projections as moderation_projections
from read_model.projections import fold_campaigns
from read_model.views import funnel

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")


def settings(name: str) -> SmsSettings:
    return SmsSettings(name=name, text="Hi", sender_id="s", link_id="sim")


def uploaded(accepted: int, review: Any = 0) -> ContactsUploaded:
    return ContactsUploaded(
        audience=f"a{accepted}",
        accepted=accepted,
        invalid=1,
        duplicate=0,
        suppressed=0,
        by=ANN,
        review=review,
    )


LIVES: tuple[tuple[Event, ...], ...] = (
    (CampaignCreated(settings=settings("a"), author=ANN), uploaded(5, 1), uploaded(6)),
    (
        CampaignCreated(settings=settings("b"), author=ANN),
        CampaignEdited(settings=settings("b2"), by=ANN),
        uploaded(3, 1),
        ModerationApproved(by=BOB),
        CampaignApproved(was="new", by=BOB, review=-1),
        CampaignBuilt(was="building", queued=3, skipped=0, segments=3),
        CampaignStarted(was="pending"),
        CampaignCompleted(was="sending"),
    ),
    (
        CampaignCreated(settings=settings("c"), author=BOB, review=1),
        CampaignDeleted(was="new", by=BOB, review=-1),
    ),
    (
        CampaignCreated(settings=settings("d"), author=BOB),
        CampaignApproved(was="new", by=ANN),
        CampaignFailed(was="building", reason="nobody left to send to"),
    ),
    (
        CampaignCreated(settings=settings("e"), author=BOB),
        CampaignStopped(was="new", by=BOB),
        CampaignArchived(by=BOB),
        CampaignRestored(by=BOB),
        CampaignArchived(by=BOB),
    ),
    (
        CampaignCreated(settings=settings("f"), author=BOB),
        CampaignApproved(was="new", by=ANN),
        CampaignBuilt(was="building", queued=3, skipped=0, segments=3),
        CampaignStarted(was="pending"),
        CampaignPaused(was="sending", until=START),
        CampaignResumed(was="paused", until=START),
        CampaignPaused(was="sending", by=ANN),
    ),
    (SettingsChanged(settings=WorkspaceSettings(), by=ANN),),
    (Unknown(type="campaign.painted", data={}),),
    (
        SenderCreated(name="Shop", by=ANN),
        RevisionSubmitted(revision=Revision(number=1, saddr="A", ston=5, snpi=0), by=ANN),
        RevisionSubmitted(revision=Revision(number=2, saddr="B", ston=5, snpi=0), by=ANN),
        RevisionApproved(number=1, by=BOB, note="ok"),
        RevisionRejected(number=2, by=BOB, note="no"),
        SenderArchived(by=ANN),
    ),
)


@some.composite
def logs(draw: some.DrawFn) -> list[Recorded[Any]]:
    """Lives of several things, mixed in any way, each in its own order."""
    chosen = draw(some.lists(some.sampled_from(LIVES), min_size=1, max_size=8))
    turns = [index for index, life in enumerate(chosen) for _ in life]
    progress = [iter(life) for life in chosen]
    return [
        recorded(seq, f"t{index}", next(progress[index]), f"w{index % 2}")
        for seq, index in enumerate(draw(some.permutations(turns)), 1)
    ]


@given(logs(), some.lists(some.integers(1, 40)))
def test_cutting_the_log_anywhere_gives_the_same_views(
    entries: list[Recorded[Any]], cuts: list[int]
) -> None:
    for fold in (fold_campaigns, moderation_projections.fold):
        assert seen(folded(fold, entries, cuts)) == seen(folded(fold, entries))


@given(logs())
def test_the_funnel_agrees_with_the_rows(entries: list[Recorded[Any]]) -> None:
    view = folded(fold_campaigns, entries)
    rows = list(view.get("campaigns", {}).values())
    for workspace in {entry.address.workspace for entry in entries}:
        kept = view.get("funnels", {}).get(workspace, {})
        statuses = [row["status"] for row in rows if row["workspace"] == workspace]
        shown = funnel.funnel(kept)
        assert shown["new"] == statuses.count("new")
        assert all(shown[status] == statuses.count(status) for status in funnel.SMS)
        created = [
            entry
            for entry in entries
            if isinstance(entry.event, CampaignCreated) and entry.address.workspace == workspace
        ]
        assert funnel.kpi(kept)["total"] == len(created)


@given(logs())
def test_the_queue_holds_what_the_funnel_counts(entries: list[Recorded[Any]]) -> None:
    waiting = folded(moderation_projections.fold, entries).get("queue", {}).values()
    funnels = folded(fold_campaigns, entries).get("funnels", {})
    ready = sum(document["review"] for document in waiting)
    assert ready == sum(kept.get("review", 0) for kept in funnels.values())


def test_a_row_tells_what_has_become_of_a_campaign() -> None:
    entries = [recorded(seq, "c", event) for seq, event in enumerate(LIVES[1], 1)]
    row = folded(fold_campaigns, entries)["campaigns"]["c"]
    assert (row["status"], row["listed"], row["place"]) == ("done", True, 1)
    assert row["settings"]["name"] == "b2"
    assert row["contacts"] == {"accepted": 3, "invalid": 1, "duplicate": 0, "suppressed": 0}
    assert row["started_at"] == entries[6].time


def test_a_campaign_that_failed_says_why() -> None:
    entries = [recorded(seq, "c", event) for seq, event in enumerate(LIVES[3], 1)]
    assert folded(fold_campaigns, entries)["campaigns"]["c"]["reason"] == "nobody left to send to"


def row_after(life: tuple[Event, ...]) -> dict[str, Any]:
    entries = [recorded(seq, "c", event) for seq, event in enumerate(life, 1)]
    return folded(fold_campaigns, entries)["campaigns"]["c"]


def test_a_row_tells_whether_it_is_in_the_archive() -> None:
    life = LIVES[4]
    assert [row_after(life[:end])["archived"] for end in range(2, 6)] == [False, True, False, True]


def test_a_row_tells_until_when_its_window_holds_it() -> None:
    life = LIVES[5]
    told = [row_after(life[:end])["paused_until"] for end in range(4, 8)]
    assert told == [None, rfc3339(START), None, None]


def test_the_settings_of_a_workspace_are_in_no_view() -> None:
    entries = [recorded(1, "settings", LIVES[6][0])]
    assert folded(fold_campaigns, entries) == folded(moderation_projections.fold, entries) == {}


@pytest.mark.parametrize("event", [event for life in LIVES for event in life], ids=repr)
def test_every_campaign_event_states_by_itself_what_it_changes(event: Event) -> None:
    counts = folded(fold_campaigns, [recorded(1, "c", event)]).get("funnels", {})
    assert bool(counts) <= isinstance(event, CampaignEvent)
