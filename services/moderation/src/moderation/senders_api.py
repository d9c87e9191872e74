"""The HTTP door for senders: naming them, changing them, deciding about each change."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.answers import Items, answers
from campaign_events.audit import audited, changes, note, watched
from campaign_events.decider import Refused
from campaign_events.envelope import Address
from campaign_events.paging import Paged
from campaign_events.positions import settled
from moderation import directory
from moderation.answers import ShownSender, WaitingRevision
from moderation.bodies import Approval, NewRevision, NewSender, Rejection
from moderation.desk import At, Attempt, Wish, address
from moderation.sender import (
    SENDER,
    Approve,
    Archive,
    Create,
    Reject,
    Revise,
    Sender,
    SenderCommand,
    shown,
)

router = APIRouter(prefix="/api/v1")
Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
Author = Annotated[Caller, Depends(Allowed(Permission.SENDERS))]
Moderator = Annotated[Caller, Depends(Allowed(Permission.MODERATE))]
Administrator = Annotated[Caller, Depends(Allowed(Permission.ADMINISTER))]
Settled = Annotated[object, Depends(settled)]


@router.get("/senders", responses=answers(Items[ShownSender]))
async def senders(caller: Reader, desk: At, page: Paged, _: Settled) -> dict[str, Any]:
    """Return the senders of the workspace, the oldest first."""
    found = await directory.page(desk.views.senders, caller.workspace, page, waiting=False)
    return page.answer(
        found,
        lambda kept: int(kept["place"]),
        lambda kept: shown(kept["_id"], directory.sender(kept)),
    )


@router.post(
    "/senders",
    status_code=201,
    openapi_extra=audited("sender.created", "sender"),
    responses=answers(ShownSender, 201),
)
async def create(caller: Author, wish: Wish, body: NewSender) -> dict[str, Any]:
    """Make a sender; its first revision waits for a moderator at once."""
    command = Create(name=body.name, wording=body.wording, by=caller.actor)
    place = Address(caller.workspace, wish.origin.command_id)
    return await _do(wish, place, command)


@router.post(
    "/senders/{sender_id}/revisions",
    status_code=201,
    openapi_extra=audited("sender.revised", "sender"),
    responses=answers(ShownSender, 201),
)
async def revise(
    caller: Author,
    wish: Wish,
    sender_id: str,
    body: NewRevision,
) -> dict[str, Any]:
    """Submit another revision of a sender."""
    command = Revise(wording=body.wording, by=caller.actor)
    place = address(caller.workspace, sender_id, "sender")
    return await _do(wish, place, command)


@router.post(
    "/senders/{sender_id}/archive",
    openapi_extra=audited("sender.archived", "sender"),
    responses=answers(ShownSender),
)
async def archive(caller: Administrator, wish: Wish, sender_id: str) -> dict[str, Any]:
    """Let a sender be used no more."""
    place = address(caller.workspace, sender_id, "sender")
    return await _do(wish, place, Archive(by=caller.actor))


@router.get("/moderation/senders", responses=answers(Items[WaitingRevision]))
async def waiting(caller: Reader, desk: At, page: Paged, _: Settled) -> dict[str, Any]:
    """Return the revisions that wait for a moderator; a page holds whole senders."""
    found = await directory.page(desk.views.senders, caller.workspace, page, waiting=True)
    answer = page.answer(found, lambda kept: int(kept["place"]), directory.waiting_revisions)
    answer["items"] = [revision for revisions in answer["items"] for revision in revisions]
    return answer


@router.post(
    "/moderation/senders/{sender_id}/revisions/{number}/approve",
    openapi_extra=audited("sender.approved", "sender"),
    responses=answers(ShownSender),
)
async def approve(
    caller: Moderator,
    wish: Wish,
    sender_id: str,
    number: int,
    body: Approval | None = None,
) -> dict[str, Any]:
    """Make a revision the current one."""
    note = (body.note or None) if body else None
    place = address(caller.workspace, sender_id, "sender")
    allowed = (await wish.desk.settings(caller.workspace)).allow_self_approval
    command = Approve(number=number, by=caller.actor, note=note, self_approval=allowed)
    return await _do(wish, place, command)


@router.post(
    "/moderation/senders/{sender_id}/revisions/{number}/reject",
    openapi_extra=audited("sender.rejected", "sender"),
    responses=answers(ShownSender),
)
async def reject(
    caller: Moderator,
    wish: Wish,
    sender_id: str,
    number: int,
    body: Rejection,
) -> dict[str, Any]:
    """Refuse a revision."""
    command = Reject(number=number, by=caller.actor, note=body.note)
    place = address(caller.workspace, sender_id, "sender")
    return await _do(wish, place, command)


async def _do(wish: Attempt, place: Address, command: SenderCommand) -> dict[str, Any]:
    """Carry a command out and return the sender as it is now."""
    decider, seen = watched(SENDER)
    try:
        sender = await wish.carry_out(decider, place, command, "sender")
    except Refused:
        found = seen[0] if seen else None
        note(before=None if found is None else {"status": found.status, "current": found.current})
        raise
    before, after = _noted(seen[0] if seen else sender), _noted(sender)
    if before:
        before, after = changes(before, after)
    note(before=before or None, after=after, resource=place.thing)
    return {} if sender is None else shown(place.thing, sender)


def _noted(sender: Sender | None) -> dict[str, Any]:
    """Return what the audit trail is told of a sender."""
    if sender is None:
        return {}
    revisions = {
        f"revision_{number}": {
            **submitted.revision.model_dump(exclude={"number"}),
            "status": submitted.status,
            "note": submitted.note,
        }
        for number, submitted in sender.revisions.items()
    }
    current = sender.current
    return {"name": sender.name, "status": sender.status, "current_revision": current} | revisions
