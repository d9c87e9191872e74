"""`GET` and `PATCH /settings`: what holds for the whole workspace."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from campaign.door import Door, origin_of
from campaign.requests import ChangesBody, Region, no_zero
from campaign.workspace import ChangeSettings, settings_decider
from campaign_events.access import Allowed, Caller, Permission
from campaign_events.answers import answers
from campaign_events.audit import audited, changes, note, watched
from campaign_events.campaign import SETTINGS, WorkspaceSettings
from campaign_events.envelope import Address
from campaign_events.executing import execute
from campaign_events.positions import tell
from campaign_events.strict_body import Flag, Whole

Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
Administrator = Annotated[Caller, Depends(Allowed(Permission.ADMINISTER))]


def _unique(words: tuple[str, ...]) -> tuple[str, ...]:
    if len({word.casefold() for word in words}) < len(words):
        raise ValueError("must not name a word twice")
    return words


type StopWord = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    AfterValidator(no_zero),
]
type StopWords = Annotated[
    tuple[StopWord, ...], Field(min_length=1, max_length=50), AfterValidator(_unique)
]


class SettingsChanges(ChangesBody):
    """Some settings of a workspace; what is not named stays as it is."""

    allow_self_approval: Flag = Field(default=False, validate_default=False)
    default_region: Region | None = None
    stop_words: StopWords = Field(default=(), validate_default=False)
    retention_days: Annotated[Whole, Field(ge=1, le=3650)] = 1


class ShownSettings(WorkspaceSettings):
    """The settings as they hold: what nobody has chosen is what the installation has."""

    retention_days: int


def settings_routes(door: Door, retention_days: int) -> APIRouter:
    """Return the resource; `retention_days` hold where a workspace has not chosen any."""
    routes = APIRouter(prefix="/api/v1/settings", tags=["settings"])

    @routes.get("", responses=answers(ShownSettings))
    async def read(caller: Reader, response: Response) -> dict[str, Any]:
        """Return the workspace's settings, as the log has them at this moment."""
        settings, position = await door.settings(caller.workspace)
        tell(response, position)
        return shown(settings)

    @routes.patch(
        "",
        openapi_extra=audited("settings.changed", "settings"),
        responses=answers(ShownSettings),
    )
    async def change(
        body: SettingsChanges, caller: Administrator, request: Request, response: Response
    ) -> dict[str, Any]:
        """Change some of the workspace's settings."""
        command = ChangeSettings(body.given(), caller.actor)
        address = Address(caller.workspace, SETTINGS)
        decider, seen = watched(settings_decider)
        settings, position = await execute(door.log, decider, address, command, origin_of(request))
        tell(response, position)
        before, after = changes(*(shown(one) for one in (*(seen or [settings]), settings)))
        note(before=before, after=after, resource=caller.workspace)
        return shown(settings)

    def shown(settings: WorkspaceSettings) -> dict[str, Any]:
        return {"retention_days": retention_days} | settings.model_dump(mode="json")

    return routes
