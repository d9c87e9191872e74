"""When a campaign's sending comes to its end, and how. No I/O, no clock."""

from datetime import datetime, timedelta

from campaign_events.message import SendingExpired, SendingFailed, SendingFinished
from dispatcher import refusals
from dispatcher.outgoing import Outgoing

PUSHED_LATE = timedelta(seconds=1)
"""What was pushed just before `ends_at` may still be on its way into the plan."""

type End = SendingExpired | SendingFailed | SendingFinished


def end_of(campaign: Outgoing, now: datetime, delivery_wait: timedelta) -> End | None:
    """Return the end that a campaign has come to, if nobody has stated it yet.

    After `ends_at` that is said when nothing is unanswered any more, so that what comes back
    counts among what is left.
    """
    if campaign.finished:
        return None
    refused = _refuses(campaign)
    if refused is not None:
        return SendingFailed(reason=refused)
    if campaign.final:
        return SendingFinished()
    if _expires(campaign, now):
        return SendingExpired(left=campaign.queued)
    if campaign.all_sent and _waited(campaign, now, delivery_wait):
        return SendingFinished(waited=True)
    return None


def _refuses(campaign: Outgoing) -> str | None:
    if not campaign.accepted and campaign.refused >= refusals.FIRST:
        return f"the link refused the first {campaign.refused} messages"
    if campaign.refusals.last_long:
        minutes = refusals.LONG // timedelta(minutes=1)
        return f"the link has refused everything for {minutes} minutes"
    return None


def _expires(campaign: Outgoing, now: datetime) -> bool:
    if campaign.ends_at is None or campaign.expired or campaign.submitting:
        return False
    patience = PUSHED_LATE if campaign.mode == "trigger" else timedelta(0)
    return campaign.ends_at + patience <= now


def _waited(campaign: Outgoing, now: datetime, delivery_wait: timedelta) -> bool:
    last = campaign.last_submitted_at
    return last is not None and now - last > delivery_wait
