"""The HTTP door for moderators: the queue of campaigns, and decisions about them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.answers import Items, answers
from campaign_events.audit import audited, note, watched
from campaign_events.paging import Paged
from campaign_events.positions import settled
from campaign_events.projection import Document
from moderation import directory, queue
from moderation.answers import Decided, Waiting
from moderation.bodies import Approval, Rejection
from moderation.decision import DECISION, Approve, ModerationCommand, Reject
from moderation.desk import At, Attempt, Desk, Wish, address
from moderation.estimates import Glimpse
from moderation.sender import SENDER, Sender

router = APIRouter(prefix="/api/v1/moderation/campaigns")
Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
Moderator = Annotated[Caller, Depends(Allowed(Permission.MODERATE))]


@router.get("", responses=answers(Items[Waiting]))
async def waiting(
    caller: Reader, desk: At, page: Paged, _: Annotated[object, Depends(settled)]
) -> dict[str, Any]:
    """Return the campaigns that wait for a decision, the newest last."""
    rows = await queue.page(desk.views.queue, caller.workspace, page)
    senders = await directory.by_id(
        desk.views.senders, caller.workspace, [row["sender_id"] for row in rows]
    )
    glimpses = await desk.estimates.of(rows)
    return page.answer(
        rows,
        lambda row: int(row["place"]),
        lambda row: _shown(row, senders.get(row["sender_id"]), glimpses[row["_id"]]),
    )


def _shown(row: Document, sender: Document | None, glimpse: Glimpse) -> dict[str, Any]:
    recipients = row.get("accepted", 0) - row.get("excluded", 0)
    return {
        "id": row["_id"],
        "name": row["name"],
        "workspace": row["workspace"],
        "mode": row["mode"],
        "sender": {
            "id": row["sender_id"],
            "name": None if sender is None else sender["name"],
            "saddr": None if sender is None else directory.saddr(sender),
        },
        "starts_at": row["starts_at"],
        "created_at": row["created_at"],
        "author": row["author"],
        "recipients": recipients,
        "segments": round(glimpse.segments * recipients),
        "text": row["text"],
        "sample": glimpse.sample,
    }


@router.post(
    "/{campaign_id}/approve",
    status_code=202,
    openapi_extra=audited("campaign.approved", "campaign"),
    responses=answers(Decided, 202),
)
async def approve(
    caller: Moderator,
    wish: Wish,
    campaign_id: str,
    body: Approval | None = None,
) -> dict[str, Any]:
    """Let a campaign go; it follows within a moment."""
    candidate = DECISION.fold(
        recorded.event
        for recorded in await wish.desk.log.load(address(caller.workspace, campaign_id, "campaign"))
    )
    sender_id = "" if candidate is None else candidate.sender_id
    command = Approve(
        by=caller.actor,
        note=(body.note or None) if body else None,
        sender_id=sender_id,
        sender=await _sender(wish.desk, caller.workspace, sender_id),
        self_approval=(await wish.desk.settings(caller.workspace)).allow_self_approval,
    )
    return await _decide(wish, caller, campaign_id, command)


@router.post(
    "/{campaign_id}/reject",
    status_code=202,
    openapi_extra=audited("campaign.rejected", "campaign"),
    responses=answers(Decided, 202),
)
async def reject(
    caller: Moderator,
    wish: Wish,
    campaign_id: str,
    body: Rejection,
) -> dict[str, Any]:
    """Refuse a campaign; it follows within a moment."""
    command = Reject(by=caller.actor, note=body.note)
    return await _decide(wish, caller, campaign_id, command)


async def _sender(desk: Desk, workspace: str, sender_id: str) -> Sender | None:
    if not sender_id:
        return None
    history = await desk.log.load(address(workspace, sender_id, "sender"))
    return SENDER.fold(recorded.event for recorded in history)


async def _decide(
    wish: Attempt, caller: Caller, campaign_id: str, command: ModerationCommand
) -> dict[str, Any]:
    place = address(caller.workspace, campaign_id, "campaign")
    decider, seen = watched(DECISION)
    try:
        state = await wish.carry_out(decider, place, command, "campaign")
    finally:
        if seen and seen[0] is not None:
            note(before={"status": seen[0].status, "decision": seen[0].verdict})
    if state is not None:
        note(after={"status": state.status, "decision": state.verdict, "note": command.note})
    return {
        "id": campaign_id,
        "decision": None if state is None else state.verdict,
        "by": caller.actor.model_dump(),
        "note": command.note,
    }
