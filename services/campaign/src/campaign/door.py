"""What every request needs: the campaign it is about, and a command carried out on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from pydantic import TypeAdapter, ValidationError

from campaign.campaign import campaign_decider
from campaign.commands import CampaignCommand
from campaign.core import Core
from campaign.noting import carry_out_noted
from campaign.showing import shown
from campaign.state import Absent, Campaign
from campaign.voice.state import VoiceCampaign
from campaign.workspace import settings_decider
from campaign_events.access import Allowed, Caller, Permission
from campaign_events.campaign import SETTINGS, WorkspaceSettings
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Id, Origin, Position
from campaign_events.eventlog import EventLog
from campaign_events.positions import tell
from campaign_events.problems import Problem, not_found
from campaign_events.sender import SenderArchived, SenderCreated

Author = Annotated[Caller, Depends(Allowed(Permission.AUTHOR))]
_ID: TypeAdapter[str] = TypeAdapter(Id)


async def _id_of_campaign(campaign_id: Annotated[str, Path()]) -> str:
    """Return the id in the path; what can be no id names no campaign."""
    try:
        return _ID.validate_python(campaign_id)
    except ValidationError as error:
        raise not_found("campaign") from error


CampaignId = Annotated[str, Depends(_id_of_campaign)]


def origin_of(request: Request) -> Origin:
    """Return where the request's command comes from; a repeated POST has the same command id."""
    state = request.state
    return Origin(state.command_id, datetime.now(UTC), "campaign", state.request_id)


@dataclass(frozen=True, slots=True)
class Door:
    """The way from a request to the log and back."""

    log: EventLog
    core: Core

    async def known(self, address: Address) -> Campaign | VoiceCampaign:
        """Return the campaign.

        Raises:
            Problem: 404.

        """
        history = await self.log.load(address)
        state = campaign_decider.fold(recorded.event for recorded in history)
        if isinstance(state, Absent):
            raise not_found("campaign")
        return state

    async def settings(self, workspace: str) -> tuple[WorkspaceSettings, Position]:
        """Return the settings of a workspace, and the place of their last change."""
        history = await self.log.load(Address(workspace, SETTINGS))
        state = settings_decider.fold(recorded.event for recorded in history)
        return state, Position.of("CAMPAIGNS", history[-1].seq if history else 0)

    async def carry_out(
        self, command: CampaignCommand, address: Address, origin: Origin, response: Response
    ) -> None:
        """Carry out the command and tell the position in the response.

        Raises:
            Problem: 404 or 422; `Refused` (409) for every other refusal.

        """
        try:
            position = await carry_out_noted(self.log, command, address, origin)
        except Refused as refusal:
            raise problem_of(refusal) from refusal
        tell(response, position)

    async def show(self, address: Address, caller: Caller) -> dict[str, Any]:
        """Return the campaign as it is now."""
        return shown(await self.log.load(address), caller)

    async def region_of(self, campaign: Campaign | VoiceCampaign, workspace: str) -> str | None:
        """Return where a campaign's national numbers are at home, or else the workspace's."""
        region = campaign.settings.default_region
        return region or (await self.settings(workspace))[0].default_region

    async def must_reach_core(self, campaign: Campaign | VoiceCampaign) -> None:
        """Refuse while nothing can be started: nobody is called without the dialler either.

        Raises:
            Problem: 503 `core_unavailable`.

        """
        if await self.core.health() is None:
            detail = "The dispatcher does not answer: nothing can be started."
            raise Problem(503, "core_unavailable", detail)
        if isinstance(campaign, VoiceCampaign) and await self.core.voice() is None:
            detail = "The dialler does not answer: no voice campaign can be started."
            raise Problem(503, "core_unavailable", detail)

    async def must_be_usable(self, workspace: str, given: Mapping[str, object]) -> None:
        """Check the sender, the link and the destination that a campaign is about to name.

        Raises:
            Problem: 422. Links and telephony sides can only be checked while their owner answers.

        """
        errors = []
        sender, link = given.get("sender_id"), given.get("link_id")
        if sender is not None and not await self._may_send(Address(workspace, str(sender))):
            reason = "this workspace has no such sender, or it is archived"
            errors.append({"field": "sender_id", "reason": reason})
        if link is not None:
            health = await self.core.health()
            if health is not None and link not in {known.id for known in health.links}:
                errors.append({"field": "link_id", "reason": "there is no such link"})
        if (destination := given.get("destination")) is not None:
            voice, side = await self.core.voice(), str(destination).partition(":")[0]
            if voice is not None and side not in {known.id for known in voice.telephony}:
                reason = f"there is no telephony {side}"
                errors.append({"field": "destination", "reason": reason})
        if errors:
            detail = "; ".join(f"{error['field']}: {error['reason']}" for error in errors)
            raise Problem(422, "invalid", f"The campaign can not use them: {detail}", errors=errors)

    async def _may_send(self, sender: Address) -> bool:
        facts = [recorded.event for recorded in await self.log.load(sender)]
        return any(isinstance(fact, SenderCreated) for fact in facts) and not any(
            isinstance(fact, SenderArchived) for fact in facts
        )


def problem_of(refusal: Refused) -> Exception:
    """Return how a refusal is answered: 404, 422, or as it is (409)."""
    match refusal.code:
        case "not_found":
            return not_found("campaign")
        case "invalid":
            return Problem(422, "invalid", f"{refusal}.", reasons=refusal.reasons)
        case _:
            return refusal
