"""The lifecycle of a voice campaign: the table of product section 5, given / when / then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import strategies as some

from campaign.campaign import campaign_decider
from campaign.commands import (
    AcceptContacts,
    AddContacts,
    Approve,
    Archive,
    BreakRun,
    CampaignCommand,
    CancelRestart,
    Complete,
    Create,
    Delete,
    Edit,
    Exclude,
    FinishRun,
    KeepTime,
    Pause,
    Restart,
    Restore,
    Resume,
    Start,
    Stop,
)
from campaign.facts import Fact
from campaign.state import Absent, State
from campaign.voice.rules import NO_CALLER_ID, NO_SEATS, NO_WINDOW, NOBODY_LEFT
from campaign.voice.state import VoiceCampaign
from campaign_events.campaign import (
    CampaignArchived,
    CampaignCreated,
    CampaignDeleted,
    CampaignRestored,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.decider import Refused
from campaign_events.envelope import Actor
from campaign_events.testing import Given, given
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
    TimeWindow,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceSettings,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = Actor(id="ann", name="Ann")
MO = Actor(id="mo", name="Mo")


def settings(**changes: Any) -> VoiceSettings:
    return VoiceSettings(
        name="Calls", destination="sim:agents", caller_ids=("+442079460000",)
    ).model_copy(update=changes)


def uploaded(accepted: int = 3, suppressed: int = 1) -> ContactsUploaded:
    return ContactsUploaded(
        audience="a1", accepted=accepted, invalid=0, duplicate=0, suppressed=suppressed, by=ANN
    )


def excluded(*numbers: int, by_now: int = 0) -> ContactsExcluded:
    return ContactsExcluded(numbers=numbers, excluded=by_now or len(numbers), by=ANN)


CREATED = VoiceCampaignCreated(settings=settings(), author=ANN)
DRAFT: tuple[Fact, ...] = (CREATED, uploaded())
RUNNING = (*DRAFT, DiallingStarted(was="draft", run=1, by=ANN))
PAUSED = (*RUNNING, DiallingPaused(was="running", by=ANN))
COMPLETED = (*RUNNING, DiallingCompleted(was="running"), ContactsLeft(run=1, left=2))
FAILED = (*RUNNING, DiallingFailed(was="running", reason="x"))
PREPARED = (*COMPLETED, CampaignRestarted(was="completed", run=2, by=ANN))
AGAIN = (*PREPARED, DiallingStarted(was="draft", run=2, by=ANN))
HISTORIES: dict[str, Sequence[Fact]] = {
    "draft": DRAFT,
    "running": RUNNING,
    "paused": PAUSED,
    "completed": COMPLETED,
    "failed": FAILED,
    "prepared": PREPARED,
}
EDIT = Edit({"name": "New"}, MO, AT)
COMMANDS: dict[str, CampaignCommand] = {
    "edit": EDIT,
    "upload": AcceptContacts("a2", 1, 0, 0, 0, MO),
    "start": Start(MO, AT),
    "pause": Pause(MO, AT),
    "resume": Resume(MO, AT),
    "stop": Stop(MO, AT),
    "restart": Restart(MO, AT),
    "cancel-restart": CancelRestart(MO, AT),
    "delete": Delete(MO, AT),
    "archive": Archive(MO, AT),
}
TABLE: dict[str, set[str]] = {
    "draft": {"edit", "upload", "start", "delete"},
    "running": {"pause", "stop"},
    "paused": {"edit", "resume", "stop"},
    "completed": {"restart", "archive"},
    "failed": {"restart", "archive"},
    "prepared": {"edit", "start", "cancel-restart"},
}


def after(*history: Fact) -> Given[CampaignCommand, Fact, State]:
    return given(campaign_decider, *history)


def refusal_of(history: Sequence[Fact], command: CampaignCommand) -> Refused | None:
    try:
        campaign_decider.decide(campaign_decider.fold(history), command)
    except Refused as refusal:
        return refusal
    return None


@pytest.mark.parametrize("action", COMMANDS)
@pytest.mark.parametrize("status", HISTORIES)
def test_each_status_allows_what_the_table_says_and_nothing_else(status: str, action: str) -> None:
    refusal = refusal_of(HISTORIES[status], COMMANDS[action])

    if action in TABLE[status]:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.code == "illegal_transition"


def test_a_created_voice_campaign_is_a_draft() -> None:
    after().when(Create(settings(), ANN, AT)).then(CREATED)
    after(CREATED).when(Create(settings(), ANN, AT)).then_refused(code="conflict")
    after().when(Create(settings(name=" "), ANN, AT)).then_refused(code="invalid")


def test_the_life_of_a_run() -> None:
    after(*DRAFT).when(Start(MO, AT)).then(DiallingStarted(was="draft", run=1, by=MO))
    after(*RUNNING).when(Pause(MO, AT)).then(DiallingPaused(was="running", by=MO))
    after(*PAUSED).when(Resume(MO, AT)).then(DiallingResumed(was="paused", by=MO))
    after(*PAUSED).when(Stop(MO, AT)).then(DiallingStopped(was="paused", by=MO))


def test_a_restart_prepares_the_next_run_and_can_be_given_up() -> None:
    for history, was in ((COMPLETED, "completed"), (FAILED, "failed")):
        restarted = CampaignRestarted.model_validate({"was": was, "run": 2, "by": MO})
        after(*history).when(Restart(MO, AT)).then(restarted)
        cancelled = RestartCancelled.model_validate({"becomes": was, "run": 1, "by": MO})
        after(*history, restarted).when(CancelRestart(MO, AT)).then(cancelled)
        back = campaign_decider.fold((*history, restarted, cancelled))
        assert isinstance(back, VoiceCampaign)
        assert (back.status, back.run) == (was, 1)
    after(*PREPARED).when(Start(MO, AT)).then(DiallingStarted(was="draft", run=2, by=MO))


def test_what_is_in_the_archive_is_restored_before_it_is_restarted() -> None:
    archived = (*COMPLETED, CampaignArchived(by=MO))
    after(*archived).when(Restart(MO, AT)).then_refused(code="illegal_transition")
    after(*archived).when(Archive(MO, AT)).then_refused(code="illegal_transition")
    after(*archived).when(Restore(MO, AT)).then(CampaignRestored(by=MO))
    after(*COMPLETED).when(Restore(MO, AT)).then_refused(code="illegal_transition")


def test_a_start_is_refused_for_all_reasons_at_once() -> None:
    nothing = settings(caller_ids=(), concurrency_limit=0, time_window=TimeWindow(days=()))
    bare = after(VoiceCampaignCreated(settings=nothing, author=ANN))
    reasons = (NOBODY_LEFT, NO_CALLER_ID, NO_SEATS, NO_WINDOW)
    bare.when(Start(MO, AT)).then_refused(*reasons, code="refused")


@pytest.mark.parametrize("window", [TimeWindow(days=()), TimeWindow(end="09:00")])
def test_a_window_that_never_opens_keeps_from_starting(window: TimeWindow) -> None:
    edited = VoiceCampaignEdited(settings=settings(time_window=window), by=ANN)
    after(*DRAFT, edited).when(Start(MO, AT)).then_refused(NO_WINDOW)
    after(*PAUSED, edited).when(Resume(MO, AT)).then_refused(NO_WINDOW)


def test_a_window_may_go_over_midnight() -> None:
    night = VoiceCampaignEdited(
        settings=settings(time_window=TimeWindow(start="22:00", end="06:00")), by=ANN
    )
    after(*DRAFT, night).when(Start(MO, AT)).then(DiallingStarted(was="draft", run=1, by=MO))


def test_nobody_left_keeps_from_starting() -> None:
    after(CREATED, uploaded(0)).when(Start(MO, AT)).then_refused(NOBODY_LEFT)
    after(*DRAFT, excluded(1, 2, 3)).when(Start(MO, AT)).then_refused(NOBODY_LEFT)
    last = (*RUNNING, DiallingCompleted(was="running"), ContactsLeft(run=1, left=0))
    prepared = CampaignRestarted(was="completed", run=2, by=ANN)
    after(*last, prepared).when(Start(MO, AT)).then_refused(NOBODY_LEFT)


def test_who_is_left_is_given_the_benefit_of_the_doubt_until_the_dialler_has_said() -> None:
    stopped = (*RUNNING, DiallingStopped(was="running", by=ANN))
    prepared = (*stopped, CampaignRestarted(was="completed", run=2, by=ANN))
    after(*prepared).when(Start(MO, AT)).then(DiallingStarted(was="draft", run=2, by=MO))


def test_one_that_is_always_on_starts_with_nobody() -> None:
    always = VoiceCampaignCreated(settings=settings(always_on=True), author=ANN)
    after(always).when(Start(MO, AT)).then(DiallingStarted(was="draft", run=1, by=MO))


def test_a_finished_run_completes_its_campaign_and_says_who_is_left() -> None:
    left = ContactsLeft(run=1, left=2)
    after(*RUNNING).when(FinishRun(1, 2)).then(DiallingCompleted(was="running"), left)
    after(*PAUSED).when(FinishRun(1, 2)).then(DiallingCompleted(was="paused"), left)
    after(*COMPLETED).when(FinishRun(1, 2)).then()
    after(*AGAIN).when(FinishRun(1, 2)).then()
    stopped = (*RUNNING, DiallingStopped(was="running", by=ANN))
    after(*stopped).when(FinishRun(1, 2)).then(left)
    prepared = (*stopped, CampaignRestarted(was="completed", run=2, by=ANN))
    after(*prepared).when(FinishRun(1, 2)).then(left)
    after(*prepared).when(FinishRun(2, 2)).then()


def test_one_that_is_always_on_does_not_complete_by_itself() -> None:
    always = VoiceCampaignCreated(settings=settings(always_on=True), author=ANN)
    running = (always, DiallingStarted(was="draft", run=1, by=ANN))
    after(*running).when(FinishRun(1, 0)).then()
    stopped = DiallingStopped(was="running", by=ANN)
    after(*running, stopped).when(FinishRun(1, 4)).then(ContactsLeft(run=1, left=4))


def test_a_broken_run_fails_its_campaign() -> None:
    for history, was in ((RUNNING, "running"), (PAUSED, "paused")):
        failed = DiallingFailed.model_validate({"was": was, "reason": "gone"})
        after(*history).when(BreakRun(1, "gone")).then(failed)
    after(*RUNNING).when(BreakRun(2, "gone")).then()
    after(*COMPLETED).when(BreakRun(1, "gone")).then()


def test_a_change_within_a_group_leaves_the_rest_of_it() -> None:
    change = Edit({"time_window": {"start": "10:00"}, "amd": {"enabled": True}}, MO, AT)
    [edited] = after(*DRAFT).when(change).events
    assert isinstance(edited, VoiceCampaignEdited)
    assert edited.settings.time_window == TimeWindow(start="10:00")
    assert edited.settings.amd.enabled
    assert edited.settings.amd.total_analysis_ms == 5000
    after(*DRAFT).when(Edit({"time_window": {"start": "09:00"}}, MO, AT)).then()


def test_the_destination_is_locked_while_the_campaign_is_paused() -> None:
    elsewhere = Edit({"destination": "sim:others"}, MO, AT)
    moved = VoiceCampaignEdited(settings=settings(destination="sim:others"), by=MO)
    after(*PAUSED).when(elsewhere).then_refused(code="illegal_transition")
    after(*DRAFT).when(elsewhere).then(moved)
    after(*PREPARED).when(elsewhere).then(moved)


def test_contacts_are_added_while_an_always_on_campaign_runs() -> None:
    always = (VoiceCampaignCreated(settings=settings(always_on=True), author=ANN), uploaded())
    running = (*always, DiallingStarted(was="draft", run=1, by=ANN))
    add = AddContacts("a1", 5, 6, MO)
    after(*running).when(add).then(ContactsAdded(audience="a1", first=5, last=6, by=MO))
    after(*running).when(AddContacts("a1", 4, 6, MO)).then_refused(code="conflict")
    after(*always).when(add).then_refused(code="illegal_transition")
    after(*RUNNING).when(add).then_refused(code="illegal_transition")


def test_exclusions_name_each_contact_once_and_500_at_a_time() -> None:
    after(*RUNNING).when(Exclude("a1", (3, 1, 3), MO)).then(
        ContactsExcluded(numbers=(1, 3), excluded=2, by=MO)
    )
    after(*RUNNING, excluded(1, 2)).when(Exclude("a1", (2, 3), MO)).then(
        ContactsExcluded(numbers=(3,), excluded=3, by=MO)
    )
    after(*RUNNING, excluded(1)).when(Exclude("a1", (1,), MO)).then()
    many = after(*RUNNING).when(Exclude("a1", range(1, 1002), MO)).events
    told = [(len(e.numbers), e.excluded) for e in many if isinstance(e, ContactsExcluded)]
    assert told == [(500, 500), (500, 1000), (1, 1001)]


def test_numbers_of_another_audience_are_not_excluded() -> None:
    after(*RUNNING).when(Exclude("a0", (1,), MO)).then_refused(code="conflict")
    sms = after(SMS, uploaded(2).model_copy(update={"review": 1}))
    sms.when(Exclude("a0", (1,), MO)).then_refused(code="conflict")


def test_another_upload_forgets_who_was_excluded() -> None:
    state = campaign_decider.fold((*DRAFT, excluded(1), uploaded()))
    assert isinstance(state, VoiceCampaign)
    assert state.excluded == frozenset()


def test_a_draft_that_was_never_started_is_deleted() -> None:
    after(*DRAFT).when(Delete(MO, AT)).then(CampaignDeleted(was="draft", by=MO))
    assert isinstance(campaign_decider.fold((*DRAFT, CampaignDeleted(was="draft", by=MO))), Absent)


def test_moderators_messages_and_the_clock_move_no_voice_campaign() -> None:
    for command in (Approve(MO), Complete(), KeepTime(AT)):
        for history in HISTORIES.values():
            after(*history).when(command).then()


SMS = CampaignCreated(
    settings=SmsSettings(name="Spring", text="Hi", sender_id="s", link_id="sim"), author=ANN
)


def test_an_sms_campaign_knows_no_runs() -> None:
    for command in (Restart(MO, AT), CancelRestart(MO, AT), AddContacts("a1", 5, 5, MO)):
        after(SMS).when(command).then_refused(code="illegal_transition")
    after(SMS).when(FinishRun(1, 0)).then()
    after(SMS, *RUNNING[2:]).when(BreakRun(1, "x")).then()


def test_an_sms_campaign_is_kept_from_contacts_while_it_is_new() -> None:
    ready = uploaded(2).model_copy(update={"review": 1})
    after(SMS, ready).when(Exclude("a1", (1,), MO)).then(
        ContactsExcluded(numbers=(1,), excluded=1, by=MO)
    )
    after(SMS, ready, excluded(1)).when(Exclude("a1", (2,), MO)).then(
        ContactsExcluded(numbers=(2,), excluded=2, by=MO, review=-1)
    )


@each(some.lists(some.sampled_from([*COMMANDS.values(), FinishRun(1, 1), BreakRun(1, "x")])))
def test_whatever_is_wished_the_history_stays_one_that_can_be_folded(
    wishes: list[CampaignCommand],
) -> None:
    history: list[Fact] = [*DRAFT]
    for wish in wishes:
        if refusal_of(history, wish) is None:
            history += campaign_decider.decide(campaign_decider.fold(history), wish)
    state = campaign_decider.fold(history)
    assert isinstance(state, Absent | VoiceCampaign)
