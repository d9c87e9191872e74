"""What a person wishes of a campaign, and what the clock alone brings about."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from campaign.commands import Action, Archive, KeepTime, Pause, Restore, Resume, Start, Stop
from campaign.state import Campaign
from campaign_events.campaign import (
    FINAL,
    CampaignArchived,
    CampaignExpired,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    SmsCampaignEvent,
    Status,
)
from campaign_events.decider import Refused
from campaign_events.envelope import Actor, rfc3339


def act(campaign: Campaign, command: Action) -> Sequence[SmsCampaignEvent]:
    """Decide what a person wishes: what is already so is a mistake, and said."""
    was = campaign.status
    match command:
        case Start():
            _must_be(campaign, "pending", "started")
            if campaign.settings.auto_start:
                raise _illegal(campaign, "started by hand: it starts by itself")
            _must_not_be_over(campaign, command.at)
            return _begin(campaign, command.at, command.by)
        case Pause():
            _must_be(campaign, "sending", "paused")
            return [CampaignPaused(was=was, by=command.by)]
        case Resume():
            _must_be(campaign, "paused", "resumed")
            _must_not_be_over(campaign, command.at)
            _must_be_let(campaign, command.at)
            until = campaign.window_changes(command.at)
            return [CampaignResumed(was=was, by=command.by, until=until)]
        case Stop():
            if was in FINAL:
                raise _illegal(campaign, "stopped")
            return [CampaignStopped(was=was, by=command.by)]
        case Archive() | Restore():
            return [_put(campaign, command)]
        case _:
            assert_never(command)


def keep_time(campaign: Campaign, command: KeepTime) -> Sequence[SmsCampaignEvent]:
    """Decide what the clock brings about; not yet, or not any more, is no mistake."""
    at = command.at
    match campaign.status:
        case "pending" if campaign.is_over(at):
            return [CampaignExpired(was="pending")]
        case "pending" if _is_due(campaign, at):
            return _begin(campaign, at)
        case "sending" if not campaign.may_send(at):
            return [_held(campaign, at)]
        case "paused" if campaign.held and campaign.may_send(at) and not campaign.is_over(at):
            return [CampaignResumed(was="paused", until=campaign.window_changes(at))]
        case _:
            return []


def _is_due(campaign: Campaign, at: datetime) -> bool:
    settings = campaign.settings
    return settings.auto_start and (settings.starts_at is None or settings.starts_at <= at)


def _begin(campaign: Campaign, at: datetime, by: Actor | None = None) -> Sequence[SmsCampaignEvent]:
    """Start; outside of its daily window the campaign is held from the first moment."""
    if campaign.may_send(at):
        return [CampaignStarted(was="pending", by=by, until=campaign.window_changes(at))]
    return [CampaignStarted(was="pending", by=by), _held(campaign, at)]


def _held(campaign: Campaign, at: datetime) -> CampaignPaused:
    return CampaignPaused(was="sending", until=campaign.window_changes(at))


def _put(campaign: Campaign, command: Archive | Restore) -> SmsCampaignEvent:
    match command:
        case Archive() if campaign.status not in FINAL:
            raise _illegal(campaign, "archived")
        case Archive() if campaign.archived:
            raise Refused("this campaign is in the archive already", code="illegal_transition")
        case Archive():
            return CampaignArchived(by=command.by)
        case Restore() if not campaign.archived:
            raise Refused("this campaign is not in the archive", code="illegal_transition")
        case Restore():
            return CampaignRestored(by=command.by)
        case _:
            assert_never(command)


def _must_be(campaign: Campaign, status: Status, action: str) -> None:
    if campaign.status != status:
        raise _illegal(campaign, action)


def _illegal(campaign: Campaign, action: str) -> Refused:
    return Refused(
        f"a campaign that is {campaign.status} can not be {action}", code="illegal_transition"
    )


def _must_not_be_over(campaign: Campaign, at: datetime) -> None:
    if campaign.is_over(at):
        raise Refused("ends_at of this campaign has passed")


def _must_be_let(campaign: Campaign, at: datetime) -> None:
    """Outside of its daily window nothing may go out, whoever wishes it."""
    window = campaign.settings.daily_window
    if window is None or campaign.may_send(at):
        return
    opens = campaign.window_changes(at) or at
    shown = f"{opens.astimezone(ZoneInfo(window.timezone)):%H:%M} {window.timezone}"
    raise Refused(f"the daily window is closed: it opens at {rfc3339(opens)} ({shown})")
