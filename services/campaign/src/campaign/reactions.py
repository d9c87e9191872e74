"""What this service does when others say something: moderators, the dispatcher, the dialler."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from campaign.campaign import campaign_decider
from campaign.commands import (
    Approve,
    BreakRun,
    CampaignCommand,
    Complete,
    ExpireSending,
    Fail,
    FinishRun,
    MarkBuildFailed,
    MarkBuilt,
    Reject,
)
from campaign_events.call import CallsFinished, DiallingBroken
from campaign_events.envelope import Event, Origin, Recorded, derived_id
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.message import (
    PlanFailed,
    PlanFinished,
    SendingExpired,
    SendingFailed,
    SendingFinished,
)
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.nats_login import NatsLogin
from campaign_events.reaction import Handler, Reaction, broker_of
from campaign_events.service import Resources
from campaign_events.topology import READERS

log = structlog.get_logger(__name__)
STARTING_S = 2.0
"""A start that is broken off leaves sockets behind, so an early end waits this long for it."""


def command_for(event: Event) -> CampaignCommand | None:  # noqa: PLR0911 - one per kind of event
    """Return what an event of another service asks of its campaign; None when it asks nothing."""
    match event:
        case ModerationApproved():
            return Approve(event.by, event.note)
        case ModerationRejected():
            return Reject(event.by, event.note)
        case PlanFinished():
            return MarkBuilt(event.queued, event.skipped, event.segments)
        case PlanFailed():
            return MarkBuildFailed(event.reason)
        case SendingExpired():
            return ExpireSending(event.left)
        case SendingFinished():
            return Complete()
        case SendingFailed():
            return Fail(event.reason)
        case CallsFinished():
            return FinishRun(event.run, event.left)
        case DiallingBroken():
            return BreakRun(event.run, event.reason)
        case _:
            return None


def following(event_log: EventLog) -> Handler:
    """Return the handler of all reactions. The same event twice has one effect."""

    async def follow(recorded: Recorded[Any]) -> None:
        command = command_for(recorded.event)
        if command is None:
            return
        origin = Origin(
            command_id=derived_id("campaign follows", recorded.id),
            at=datetime.now(UTC),
            source="campaign",
            correlation_id=recorded.correlation_id,
            causation_id=recorded.id,
        )
        await execute(event_log, campaign_decider, recorded.address, command, origin)

    return follow


def reactions(resources: Resources) -> Sequence[Reaction]:
    """Return what this service does when others say something."""
    handle = following(resources.log)
    ours = (reader for reader in READERS if reader.durable.startswith("campaign-"))
    return [Reaction.of(reader, handle, resources.db) for reader in ours]


async def follow_others(resources: Resources, those: Sequence[Reaction]) -> None:
    """React for ever. A connection that is closed for good ends the process."""

    async def closed() -> None:
        resources.stopping.set()

    login = NatsLogin.of(resources.name, resources.settings)
    broker = broker_of(
        login,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        closed_cb=closed,
        error_cb=_error,
    )
    for reaction in those:
        reaction.join(broker, login.inbox_prefix)
    starting = asyncio.create_task(broker.start())
    try:
        await asyncio.shield(starting)
        await asyncio.Event().wait()
    finally:
        await asyncio.wait({starting}, timeout=STARTING_S)
        starting.cancel()
        await broker.stop()


async def _error(error: Exception) -> None:
    log.warning("nats error", connection="reactions", why=repr(error))
