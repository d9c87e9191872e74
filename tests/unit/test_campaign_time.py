"""What the clock brings about, and what it forbids: daily windows in the campaign's life."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign.campaign import campaign_decider
from campaign.cloning import copied
from campaign.commands import CampaignCommand, KeepTime, Pause, Resume, Start, Stop
from campaign.facts import Fact
from campaign.state import State
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCreated,
    CampaignExpired,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    DailyWindow,
    SmsSettings,
)
from campaign_events.envelope import Actor
from campaign_events.testing import Given, given

ANN = Actor(id="ann", name="Ann")
WINDOW = DailyWindow(start="09:00", end="18:00", timezone="Europe/Berlin")
NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
CLOSES = datetime(2026, 11, 22, 17, tzinfo=UTC)
OPENS = datetime(2026, 11, 23, 8, tzinfo=UTC)
NIGHT = datetime(2026, 11, 22, 20, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def windowed(**changes: Any) -> SmsSettings:
    return SmsSettings(
        name="Spring", text="Hi", sender_id="s", link_id="sim", daily_window=WINDOW
    ).model_copy(update=changes)


def pending(*then: Fact, **changes: Any) -> Given[CampaignCommand, Fact, State]:
    return given(
        campaign_decider,
        CampaignCreated(settings=windowed(**changes), author=ANN),
        CampaignApproved(was="new", by=ANN),
        CampaignBuilt(was="building", queued=2, skipped=0, segments=2),
        *then,
    )


STARTED = CampaignStarted(was="pending", until=CLOSES)
HELD = CampaignPaused(was="sending", until=OPENS)
PAUSED = CampaignPaused(was="sending", by=ANN)


def waiting(**changes: Any) -> Given[CampaignCommand, Fact, State]:
    """A campaign without a window."""
    return pending(daily_window=None, **changes)


def test_on_demand_is_due_at_once() -> None:
    waiting().when(KeepTime(NOON)).then(CampaignStarted(was="pending"))


def test_on_time_is_due_at_its_time() -> None:
    timed = {"mode": "on_time", "starts_at": NOON}
    waiting(**timed).when(KeepTime(NOON - HOUR)).then()
    waiting(**timed).when(KeepTime(NOON)).then(CampaignStarted(was="pending"))


def test_without_auto_start_it_waits_for_a_person() -> None:
    waiting(auto_start=False).when(KeepTime(NOON)).then()
    waiting(auto_start=False).when(Start(ANN, NOON)).then(CampaignStarted(was="pending", by=ANN))
    early: dict[str, Any] = {"auto_start": False, "mode": "on_time", "starts_at": NOON + HOUR}
    waiting(**early).when(Start(ANN, NOON)).then(CampaignStarted(was="pending", by=ANN))


def test_beyond_its_end_nothing_starts_and_what_waits_expires() -> None:
    manual: dict[str, Any] = {"auto_start": False, "ends_at": NOON}
    waiting(**manual).when(Start(ANN, NOON)).then_refused("ends_at of this campaign has passed")
    waiting(**manual).when(KeepTime(NOON)).then(CampaignExpired(was="pending"))
    waiting(**manual).when(KeepTime(NOON - HOUR)).then()
    waiting(ends_at=NOON).when(KeepTime(NOON)).then(CampaignExpired(was="pending"))


def test_a_start_within_the_window_lasts_until_it_closes() -> None:
    pending().when(KeepTime(NOON)).then(STARTED)
    pending(auto_start=False).when(Start(ANN, NOON)).then(
        CampaignStarted(was="pending", by=ANN, until=CLOSES)
    )


def test_a_start_outside_of_the_window_is_held_at_once() -> None:
    pending().when(KeepTime(NIGHT)).then(CampaignStarted(was="pending"), HELD)
    pending(auto_start=False).when(Start(ANN, NIGHT)).then(
        CampaignStarted(was="pending", by=ANN), HELD
    )


def test_the_window_pauses_when_it_closes_and_resumes_when_it_opens() -> None:
    pending(STARTED).when(KeepTime(CLOSES - SECOND)).then()
    pending(STARTED).when(KeepTime(CLOSES)).then(HELD)
    pending(STARTED, HELD).when(KeepTime(OPENS - SECOND)).then()
    pending(STARTED, HELD).when(KeepTime(OPENS)).then(
        CampaignResumed(was="paused", until=OPENS + timedelta(hours=9))
    )


def test_the_window_resumes_only_what_it_paused() -> None:
    pending(STARTED, PAUSED).when(KeepTime(OPENS)).then()
    resumed = CampaignResumed(was="paused", until=CLOSES)
    pending(STARTED, HELD, resumed, PAUSED).when(KeepTime(OPENS)).then()


def test_outside_of_the_window_nobody_resumes_and_hears_when_it_opens() -> None:
    reason = (
        "the daily window is closed: it opens at 2026-11-23T08:00:00.000000Z (09:00 Europe/Berlin)"
    )
    for pause in (HELD, PAUSED):
        pending(STARTED, pause).when(Resume(ANN, NIGHT)).then_refused(reason, code="refused")


def test_within_the_window_a_person_resumes_whoever_paused() -> None:
    for pause in (HELD, PAUSED):
        pending(STARTED, pause).when(Resume(ANN, NOON)).then(
            CampaignResumed(was="paused", by=ANN, until=CLOSES)
        )


def test_what_the_window_holds_can_be_stopped_and_not_paused() -> None:
    pending(STARTED, HELD).when(Pause(ANN, NIGHT)).then_refused(code="illegal_transition")
    pending(STARTED, HELD).when(Stop(ANN, NIGHT)).then(CampaignStopped(was="paused", by=ANN))


def test_a_window_that_opens_beyond_the_end_resumes_nothing() -> None:
    pending(STARTED, HELD, ends_at=OPENS).when(KeepTime(OPENS)).then()


def test_a_campaign_without_a_window_is_left_alone() -> None:
    free = pending(CampaignStarted(was="pending"), daily_window=None)
    free.when(KeepTime(NIGHT)).then()


@pytest.mark.parametrize("length", [1, 193, 194, 200])
def test_a_copy_has_a_name_of_its_own_within_200_characters(length: int) -> None:
    name = copied(windowed(name="x" * length), None, NOON).name
    assert name == "x" * min(length, 193) + " (copy)"
    assert copied(windowed(), "Summer", NOON).name == "Summer"


def test_a_copy_keeps_what_is_still_to_come_and_forgets_moments_that_have_passed() -> None:
    settings = windowed(mode="spread", starts_at=NOON, ends_at=NIGHT, auto_start=False)
    assert copied(settings, "Spring", NOON - SECOND) == settings
    assert copied(settings, "Spring", NOON) == settings.model_copy(update={"starts_at": None})
    over = copied(settings, "Spring", NIGHT)
    assert isinstance(over, SmsSettings)
    assert (over.starts_at, over.ends_at, over.mode) == (None, None, "spread")
    assert over.daily_window == WINDOW
