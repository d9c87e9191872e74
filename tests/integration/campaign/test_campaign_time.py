"""The campaign service and the clock, over a real log and a real view of what is due."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client

from campaign.core import Core
from campaign.launching import AT_ONCE, DUE, Launcher
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignExpired,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
)
from campaign_events.envelope import Address, Origin, encode, new_id
from campaign_events.message import SendingExpired, SendingFinished
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_team import CAMPAIGNS, MODERATOR, Team, core_in, eventually, problem
from doors import at_work

WINDOW = {"start": "09:00", "end": "18:00", "timezone": "Europe/Berlin"}
NOON = datetime(2030, 6, 3, 10, tzinfo=UTC)
CLOSES = datetime(2030, 6, 3, 16, tzinfo=UTC)
OPENS = datetime(2030, 6, 4, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    """A launcher whose clock the test sets, and the view that it looks at."""

    def __init__(self, team: Team, nc: Client, db: Database) -> None:
        self.team = team
        self.view = Projector(DUE, nc, db)
        self.launcher = Launcher(self.view.view, team.log, Core(nc))

    async def strikes(self, moment: datetime) -> None:
        """It is this moment: everything that was said before is in the view."""
        assert await self.view.reached(await self.team.log.last_seq("CAMPAIGNS"), 10)
        await self.launcher.look(moment)


@pytest.fixture
async def clock(team: Team, nc: Client, db: Database) -> AsyncIterator[Clock]:
    clock = Clock(team, nc, db)
    async with at_work({"due view": clock.view.run()}):
        yield clock


async def built(team: Team, **changes: object) -> str:
    campaign = await team.made(**changes)
    await team.say(CampaignApproved(was="new", by=MODERATOR), campaign)
    await team.say(CampaignBuilt(was="building", queued=2, skipped=0, segments=2), campaign)
    return campaign


async def lived(team: Team, campaign: str) -> list[type]:
    """What has happened since the campaign was built."""
    return [type(fact) for fact in (await team.facts(campaign))[3:]]


@pytest.mark.usefixtures("core")
async def test_a_window_pauses_and_resumes_a_campaign_again_and_again(
    team: Team, clock: Clock
) -> None:
    campaign = await built(team, daily_window=WINDOW)
    for moment in (NOON, CLOSES - SECOND, CLOSES, CLOSES, OPENS - SECOND, OPENS, OPENS):
        await clock.strikes(moment)
    await clock.strikes(CLOSES + timedelta(days=1))

    facts = (await team.facts(campaign))[3:]
    assert facts == [
        CampaignStarted(was="pending", until=CLOSES),
        CampaignPaused(was="sending", until=OPENS),
        CampaignResumed(was="paused", until=CLOSES + timedelta(days=1)),
        CampaignPaused(was="sending", until=OPENS + timedelta(days=1)),
    ]


@pytest.mark.usefixtures("core")
async def test_a_campaign_that_this_version_can_not_read_keeps_no_other_waiting(
    team: Team, clock: Clock, nc: Client
) -> None:
    newer, campaign = await built(team), await built(team)
    address = Address(team.workspace, newer)
    fact = CampaignStarted(was="pending")
    entry = encode(fact, new_id(), address, Origin(new_id(), NOON, "test"))
    await nc.jetstream().publish(
        f"campaign.{team.workspace}.{newer}.sung", entry.replace(b".started", b".sung")
    )
    await clock.strikes(NOON)

    assert await lived(team, campaign) == [CampaignStarted]


@pytest.mark.usefixtures("core")
async def test_what_is_due_in_the_night_is_held_until_the_window_opens(
    team: Team, clock: Clock
) -> None:
    campaign = await built(team, daily_window=WINDOW)
    await clock.strikes(CLOSES + SECOND)
    held = await lived(team, campaign)
    await clock.strikes(OPENS)

    assert held == [CampaignStarted, CampaignPaused]
    assert await lived(team, campaign) == [*held, CampaignResumed]


async def test_without_core_a_window_still_pauses_but_opens_only_when_core_is_back(
    team: Team, clock: Clock, nc: Client
) -> None:
    campaign = await built(team, daily_window=WINDOW)
    await team.say(CampaignStarted(was="pending", until=CLOSES), campaign)
    await clock.strikes(CLOSES)
    await clock.strikes(OPENS)
    away = await lived(team, campaign)
    async with core_in(nc):
        clock.launcher = Launcher(clock.view.view, team.log, Core(nc))
        await clock.strikes(CLOSES + timedelta(days=1))
        too_late = await lived(team, campaign)
        await clock.strikes(OPENS + timedelta(days=1))

    assert away == too_late == [CampaignStarted, CampaignPaused]
    assert await lived(team, campaign) == [*away, CampaignResumed]


@pytest.mark.usefixtures("core")
async def test_a_long_absence_costs_no_window(team: Team, clock: Clock) -> None:
    """Nobody looked from one noon to the next: the campaign was left sending, and goes on."""
    campaign = await built(team, daily_window=WINDOW)
    await clock.strikes(NOON)
    await clock.strikes(NOON + timedelta(days=1))
    between = await lived(team, campaign)
    await clock.strikes(CLOSES + timedelta(days=1))

    assert between == [CampaignStarted]
    assert await lived(team, campaign) == [CampaignStarted, CampaignPaused]


@pytest.mark.usefixtures("core")
async def test_many_campaigns_are_due_at_once(team: Team, clock: Clock) -> None:
    campaigns = [await built(team) for _ in range(AT_ONCE + 1)]
    await clock.strikes(NOON)

    assert [await lived(team, campaign) for campaign in campaigns] == (
        [[CampaignStarted]] * len(campaigns)
    )


@pytest.mark.usefixtures("core")
async def test_outside_of_its_window_a_started_campaign_waits_and_says_until_when(
    team: Team,
) -> None:
    now = datetime.now(UTC)
    hours = (now + timedelta(hours=2), now + timedelta(hours=3))
    start, end = (f"{hour:%H:%M}" for hour in hours)
    window = {"start": start, "end": end, "timezone": "UTC"}
    campaign = await built(team, daily_window=window, auto_start=False)

    async with team.speak("author") as author:
        started = await author.post(f"{CAMPAIGNS}/{campaign}/start")
        resumed = await author.post(f"{CAMPAIGNS}/{campaign}/resume")
        paused = await author.post(f"{CAMPAIGNS}/{campaign}/pause")

    opens = hours[0].replace(second=0, microsecond=0)
    assert started.json()["status"] == "paused"
    assert datetime.fromisoformat(started.json()["paused_until"]) == opens
    assert f"it opens at {opens:%Y-%m-%dT%H:%M}" in problem(resumed, 409, "refused")
    problem(paused, 409, "illegal_transition")


@pytest.mark.usefixtures("core", "staffed")
async def test_a_campaign_starts_within_a_second_of_its_time(team: Team) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    campaign = await built(team, mode="on_time", starts_at=due.isoformat())
    await team.until(campaign, CampaignStarted)

    assert timedelta(0) <= datetime.now(UTC) - due < timedelta(seconds=1.5)


@pytest.mark.usefixtures("core")
async def test_a_campaign_that_starts_by_itself_is_not_started_by_hand(team: Team) -> None:
    campaign = await built(team, mode="on_time", starts_at="2100-01-01T00:00:00Z")
    async with team.speak("author") as author:
        answer = await author.post(f"{CAMPAIGNS}/{campaign}/start")

    assert "starts by itself" in problem(answer, 409, "illegal_transition")


@pytest.mark.usefixtures("core")
async def test_what_waits_beyond_its_end_expires(team: Team, clock: Clock) -> None:
    campaign = await built(team, auto_start=False, ends_at=NOON.isoformat())
    await clock.strikes(NOON - SECOND)
    assert await lived(team, campaign) == []
    await clock.strikes(NOON)

    assert await lived(team, campaign) == [CampaignExpired]


@pytest.mark.usefixtures("staffed")
async def test_messages_left_at_the_end_expire_a_campaign(team: Team) -> None:
    for status in ("sending", "paused"):
        campaign = await built(team, auto_start=False)
        await team.say(CampaignStarted(was="pending"), campaign)
        if status == "paused":
            await team.say(CampaignPaused(was="sending", by=MODERATOR), campaign)
        await team.say(SendingExpired(left=3), campaign)
        assert (await team.until(campaign, CampaignExpired)).was == status


@pytest.mark.usefixtures("staffed")
async def test_without_messages_left_at_the_end_a_campaign_is_done_when_all_are_final(
    team: Team,
) -> None:
    campaign = await built(team, auto_start=False)
    await team.say(CampaignStarted(was="pending"), campaign)
    await team.say(SendingExpired(left=0), campaign)
    await team.say(SendingFinished(), campaign)

    async def over() -> bool:
        async with team.speak("author") as author:
            answer = await author.patch(f"{CAMPAIGNS}/{campaign}", json={"name": "x"})
        return "that is done" in problem(answer, 409, "illegal_transition")

    await eventually(over)


@pytest.mark.parametrize(("window_used", "is_sending"), [(0, False), (12, False), (13, True)])
async def test_uploads_give_way_to_a_link_that_uses_more_than_a_quarter_of_its_window(
    nc: Client, window_used: int, *, is_sending: bool
) -> None:
    core = Core(nc)
    assert not core.is_sending()
    async with core_in(nc, window_used):
        assert await core.health() is not None
    assert core.is_sending() is is_sending
