from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from campaign.campaign import campaign_decider
from campaign.commands import (
    AcceptContacts,
    Approve,
    Archive,
    CampaignCommand,
    Complete,
    Create,
    Delete,
    Edit,
    ExpireSending,
    Fail,
    KeepTime,
    MarkBuildFailed,
    MarkBuilt,
    Pause,
    Reject,
    Restore,
    Resume,
    Start,
    Stop,
)
from campaign.facts import Fact
from campaign.following import NOBODY_LEFT
from campaign.state import Absent, Campaign, State
from campaign_events.campaign import (
    FINAL,
    CampaignApproved,
    CampaignArchived,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignExpired,
    CampaignFailed,
    CampaignPaused,
    CampaignRejected,
    CampaignRestored,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    ContactsUploaded,
    DailyWindow,
    SettingsChanged,
    SmsSettings,
    StatusChanged,
    WorkspaceSettings,
)
from campaign_events.decider import Refused
from campaign_events.envelope import Actor, Unknown
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.sender import SenderCreated
from campaign_events.testing import Given, given

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEVER = DailyWindow(start="09:00", end="09:00", timezone="UTC")
ANN = Actor(id="ann", name="Ann")
MO = Actor(id="mo", name="Mo")


def settings(**changes: Any) -> SmsSettings:
    return SmsSettings(name="Spring", text="Hi", sender_id="s", link_id="sim").model_copy(
        update=changes
    )


CREATED = CampaignCreated(settings=settings(), author=ANN)


def uploaded(accepted: int = 2, *, review: Any = 0, audience: str = "a1") -> ContactsUploaded:
    return ContactsUploaded(
        audience=audience,
        accepted=accepted,
        invalid=1,
        duplicate=0,
        suppressed=0,
        by=ANN,
        review=review,
    )


def upload(accepted: int = 2, audience: str = "a1") -> AcceptContacts:
    return AcceptContacts(audience, accepted, 1, 0, 0, ANN)


READY: tuple[Fact, ...] = (CREATED, uploaded(review=1))
BUILDING = (*READY, ModerationApproved(by=MO), CampaignApproved(was="new", by=MO, review=-1))
PENDING: tuple[Fact, ...] = (
    *BUILDING,
    CampaignBuilt(was="building", queued=2, skipped=0, segments=2),
)
SENDING = (*PENDING, CampaignStarted(was="pending"))
PAUSED = (*SENDING, CampaignPaused(was="sending", by=ANN))
DONE = (*SENDING, CampaignCompleted(was="sending"))
CANCELLED = (*READY, CampaignStopped(was="new", by=ANN, review=-1))
FAILED = (*BUILDING, CampaignFailed(was="building", reason="x"))
EXPIRED = (*PENDING, CampaignExpired(was="pending"))
HISTORIES: dict[str, Sequence[Fact]] = {
    "new": READY,
    "building": BUILDING,
    "pending": PENDING,
    "sending": SENDING,
    "paused": PAUSED,
    "done": DONE,
    "cancelled": CANCELLED,
    "failed": FAILED,
    "expired": EXPIRED,
}


def after(*history: Fact) -> Given[CampaignCommand, Fact, State]:
    return given(campaign_decider, *history)


def test_a_created_campaign_is_new() -> None:
    after().when(Create(settings(), ANN, AT)).then(CREATED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "name must have 1 to 200 characters"),
        ({"text": "x" * 1531}, "text must have 1 to 1530 characters"),
        ({"text": "Hi {{}}"}, "text: the placeholder at index 3 has no name"),
        ({"mode": "on_time"}, "mode on_time needs starts_at"),
        ({"mode": "spread", "starts_at": AT}, "mode spread needs ends_at"),
        ({"mode": "spread", "ends_at": AT + HOUR}, "mode spread needs starts_at"),
        ({"daily_window": NEVER}, "daily_window must not end when it starts"),
        ({"ends_at": AT}, "ends_at has passed already"),
        ({"starts_at": AT + HOUR, "ends_at": AT + HOUR}, "ends_at must be after starts_at"),
    ],
)
def test_unsound_settings_are_invalid_at_creation_and_by_an_edit(
    changes: dict[str, Any], reason: str
) -> None:
    after().when(Create(settings(**changes), ANN, AT)).then_refused(reason, code="invalid")
    after(CREATED).when(Edit(changes, ANN, AT)).then_refused(reason, code="invalid")


def test_all_reasons_are_told_at_once() -> None:
    wish = Create(settings(name=" ", mode="on_time"), ANN, AT)
    after().when(wish).then_refused(
        "name must have 1 to 200 characters", "mode on_time needs starts_at"
    )


def test_an_edit_keeps_what_it_does_not_name() -> None:
    after(CREATED).when(Edit({"text": "Bye"}, MO, AT)).then(
        CampaignEdited(settings=settings(text="Bye"), by=MO)
    )


def test_an_edit_that_changes_nothing_is_no_event() -> None:
    after(CREATED).when(Edit({"text": "Hi"}, MO, AT)).then()


def test_contacts_make_a_campaign_ready_for_a_moderator() -> None:
    after(CREATED).when(upload()).then(uploaded(review=1))
    after(*READY).when(upload()).then(uploaded())
    after(*READY).when(upload(0)).then(uploaded(0, review=-1))
    after(CREATED).when(upload(0)).then(uploaded(0))


def test_a_campaign_that_leaves_new_leaves_the_queue_if_it_was_in_it() -> None:
    after(*READY).when(Approve(MO, "ok")).then(
        CampaignApproved(was="new", by=MO, note="ok", review=-1)
    )
    after(*READY).when(Reject(MO, "no")).then(
        CampaignRejected(was="new", by=MO, note="no", review=-1)
    )
    after(*READY).when(Stop(ANN, AT)).then(CampaignStopped(was="new", by=ANN, review=-1))
    after(CREATED).when(Stop(ANN, AT)).then(CampaignStopped(was="new", by=ANN))
    after(*READY).when(Delete(ANN, AT)).then(CampaignDeleted(was="new", by=ANN, review=-1))


@pytest.mark.parametrize("status", [status for status in HISTORIES if status != "new"])
@pytest.mark.parametrize("command", [Edit({"text": "Bye"}, ANN, AT), upload(), Delete(ANN, AT)])
def test_only_a_new_campaign_can_be_changed(status: str, command: CampaignCommand) -> None:
    after(*HISTORIES[status]).when(command).then_refused(code="illegal_transition")


@pytest.mark.parametrize(
    "decision", [ModerationApproved(by=MO), ModerationRejected(by=MO, note="no")]
)
@pytest.mark.parametrize("command", [Edit({"text": "Bye"}, ANN, AT), upload(), Delete(ANN, AT)])
def test_what_a_moderator_decided_about_is_what_goes_out(
    decision: ModerationApproved | ModerationRejected, command: CampaignCommand
) -> None:
    after(*READY, decision).when(command).then_refused(code="illegal_transition")


def test_a_built_campaign_waits() -> None:
    after(*BUILDING).when(MarkBuilt(2, 1, 3)).then(
        CampaignBuilt(was="building", queued=2, skipped=1, segments=3)
    )


def test_a_campaign_with_nobody_left_fails() -> None:
    after(*BUILDING).when(MarkBuilt(0, 3, 0)).then(
        CampaignFailed(was="building", reason=NOBODY_LEFT)
    )


def test_a_failed_build_fails_the_campaign() -> None:
    after(*BUILDING).when(MarkBuildFailed("no text")).then(
        CampaignFailed(was="building", reason="no text")
    )


@pytest.mark.parametrize(
    ("command", "leaves"),
    [
        (Approve(MO), {"new"}),
        (Reject(MO, "no"), {"new"}),
        (MarkBuilt(1, 0, 1), {"building"}),
        (MarkBuildFailed("x"), {"building"}),
        (Complete(), {"sending", "paused"}),
        (ExpireSending(1), {"sending", "paused"}),
        (ExpireSending(0), set()),
        (Fail("x"), {"building", "pending", "sending", "paused"}),
    ],
)
@pytest.mark.parametrize("status", HISTORIES)
def test_what_others_say_too_late_or_twice_changes_nothing(
    command: CampaignCommand, leaves: set[str], status: str
) -> None:
    outcome = after(*HISTORIES[status]).when(command)
    assert outcome.refusal is None
    assert bool(outcome.events) == (status in leaves)


@pytest.mark.parametrize(
    ("command", "leaves", "event"),
    [
        (Pause(ANN, AT), {"sending"}, CampaignPaused),
        (Resume(ANN, AT), {"paused"}, CampaignResumed),
        (Stop(ANN, AT), set(HISTORIES) - FINAL, CampaignStopped),
    ],
)
@pytest.mark.parametrize("status", HISTORIES)
def test_a_person_may_do_what_the_table_says_and_hears_why_not(
    command: CampaignCommand, leaves: set[str], event: type[StatusChanged], status: str
) -> None:
    outcome = after(*HISTORIES[status]).when(command)
    if status not in leaves:
        outcome.then_refused(code="illegal_transition")
        assert f"that is {status}" in str(outcome.refusal)
        return
    (fact,) = outcome.events
    assert isinstance(fact, event)
    assert fact.was == status


@pytest.mark.parametrize("status", HISTORIES)
def test_only_what_waits_for_a_person_is_started_by_one(status: str) -> None:
    outcome = after(*HISTORIES[status]).when(Start(ANN, AT))
    outcome.then_refused(code="illegal_transition")
    assert f"that is {status} can not be started" in str(outcome.refusal)


@pytest.mark.parametrize(
    "command",
    [Edit({"text": "Bye"}, ANN, AT), Stop(ANN, AT), Approve(MO), KeepTime(AT), Delete(ANN, AT)],
)
def test_what_is_not_there_is_not_found(command: CampaignCommand) -> None:
    after().when(command).then_refused(code="not_found")
    deleted = CampaignDeleted(was="new", by=ANN)
    after(CREATED, deleted).when(command).then_refused(code="not_found")
    after(SenderCreated(name="Shop", by=ANN)).when(command).then_refused(code="not_found")


def test_the_settings_of_a_workspace_are_no_campaign() -> None:
    changed = SettingsChanged(settings=WorkspaceSettings(), by=ANN)
    after(changed).when(Stop(ANN, AT)).then_refused(code="not_found")


def test_a_triggered_campaign_is_ready_without_contacts_and_built_with_nobody() -> None:
    triggered = settings(mode="trigger")
    made = CampaignCreated(settings=triggered, author=ANN, review=1)
    after().when(Create(triggered, ANN, AT)).then(made)
    after(made, *BUILDING[2:]).when(MarkBuilt(0, 0, 0)).then(
        CampaignBuilt(was="building", queued=0, skipped=0, segments=0)
    )


def test_a_triggered_campaign_takes_no_upload() -> None:
    made = CampaignCreated(settings=settings(mode="trigger"), author=ANN, review=1)
    after(made).when(upload()).then_refused(code="refused")
    after(*READY).when(Edit({"mode": "trigger"}, ANN, AT)).then_refused(code="refused")
    edited = CampaignEdited(settings=settings(mode="trigger"), by=ANN, review=1)
    after(CREATED).when(Edit({"mode": "trigger"}, ANN, AT)).then(edited)


def test_messages_left_at_the_end_expire_a_campaign_and_none_left_do_not() -> None:
    after(*SENDING).when(ExpireSending(3)).then(CampaignExpired(was="sending"))
    after(*PAUSED).when(ExpireSending(3)).then(CampaignExpired(was="paused"))
    after(*SENDING).when(ExpireSending(0)).then()


def test_a_copy_may_lack_a_time_and_nobody_is_asked_before_it_has_one() -> None:
    timeless = settings(mode="on_time")
    made = CampaignCreated(settings=timeless, author=MO, cloned_from="c0")
    after().when(Create(timeless, MO, AT, cloned_from="c0")).then(made)
    after(made).when(upload()).then(uploaded())
    after(made, uploaded()).when(Edit({"name": "x"}, MO, AT)).then_refused(
        "mode on_time needs starts_at", code="invalid"
    )
    timed = settings(mode="on_time", starts_at=AT + HOUR)
    after(made, uploaded()).when(Edit({"starts_at": AT + HOUR}, MO, AT)).then(
        CampaignEdited(settings=timed, by=MO, review=1)
    )


@pytest.mark.parametrize("status", HISTORIES)
def test_only_what_has_ended_is_archived_and_only_once(status: str) -> None:
    history = HISTORIES[status]
    archived, restored = CampaignArchived(by=ANN), CampaignRestored(by=MO)
    after(*history).when(Restore(MO, AT)).then_refused(code="illegal_transition")
    if status not in FINAL:
        after(*history).when(Archive(ANN, AT)).then_refused(code="illegal_transition")
        return
    after(*history).when(Archive(ANN, AT)).then(archived)
    after(*history, archived).when(Archive(ANN, AT)).then_refused(code="illegal_transition")
    after(*history, archived).when(Restore(MO, AT)).then(restored)
    after(*history, archived, restored).when(Archive(ANN, AT)).then(archived)


def test_an_event_from_the_future_changes_nothing() -> None:
    after(*SENDING, Unknown(type="campaign.sung", data={})).when(Pause(ANN, AT)).then(
        CampaignPaused(was="sending", by=ANN)
    )


COMMANDS: st.SearchStrategy[CampaignCommand] = st.one_of(
    st.sampled_from(
        [
            Create(settings(), ANN, AT),
            Create(settings(mode="on_time"), ANN, AT, cloned_from="c0"),
            Edit({"mode": "on_time", "starts_at": AT + HOUR}, ANN, AT),
            Edit({"mode": "trigger"}, ANN, AT),
            Edit({"daily_window": {"start": "12:30", "end": "13:30", "timezone": "UTC"}}, ANN, AT),
            Edit({"auto_start": False}, ANN, AT),
            upload(0),
            upload(audience="a2"),
            Approve(MO),
            Reject(MO, "no"),
            MarkBuilt(2, 0, 2),
            MarkBuilt(0, 2, 0),
            MarkBuildFailed("x"),
            Start(ANN, AT),
            KeepTime(AT),
            KeepTime(AT + HOUR),
            KeepTime(AT + 2 * HOUR),
            Pause(ANN, AT),
            Resume(ANN, AT),
            Stop(ANN, AT),
            Complete(),
            Fail("x"),
            ExpireSending(1),
            Archive(ANN, AT),
            Restore(ANN, AT),
            Delete(ANN, AT),
        ]
    )
)


@each(st.lists(COMMANDS, max_size=25))
def test_evolve_takes_all_that_decide_gives_and_the_counts_agree(
    commands: list[CampaignCommand],
) -> None:
    state: State = Absent()
    waiting = 0
    for command in commands:
        try:
            events = campaign_decider.decide(state, command)
        except Refused:
            continue
        for event in events:
            held = isinstance(state, Campaign) and state.held
            was = state.status if isinstance(state, Campaign) else None
            state = campaign_decider.evolve(state, event)
            waiting += getattr(event, "review", 0)
            if isinstance(event, StatusChanged):
                assert event.was == was
                assert isinstance(state, Campaign)
                assert state.status == event.becomes
                if isinstance(event, CampaignResumed) and event.by is None:
                    assert held
        assert waiting == int(isinstance(state, Campaign) and state.awaits_review)
