"""What a request to the moderation service works with."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from campaign_events.campaign import SETTINGS, SettingsChanged, WorkspaceSettings
from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Address, Event, Origin
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.positions import tell
from campaign_events.problems import not_found
from moderation.estimates import Estimates
from moderation.projections import Views

_THING = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Desk:
    """The log, the views, and the look at contacts."""

    log: EventLog
    views: Views
    estimates: Estimates

    async def settings(self, workspace: str) -> WorkspaceSettings:
        """Return what an admin has chosen last, from the log: a decision leaves no room for lag."""
        history = await self.log.load(Address(workspace, SETTINGS))
        changes = [entry.event for entry in history if isinstance(entry.event, SettingsChanged)]
        return changes[-1].settings if changes else WorkspaceSettings()


async def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request's try to change something; the same `Idempotency-Key` is the same try."""

    desk: Desk
    origin: Origin
    response: Response

    async def carry_out[C, S](
        self, decider: Decider[C, Event, S], place: Address, command: C, what: str
    ) -> S:
        """Decide and append, and put the place into the answer. Returns the state afterwards.

        Raises:
            Problem: 404 when there is no such thing.
            Refused: a rule says no.

        """
        try:
            state, position = await execute(self.desk.log, decider, place, command, self.origin)
        except Refused as refusal:
            raise (not_found(what) if refusal.code == "not_found" else refusal) from refusal
        tell(self.response, position)
        return state


async def _attempt(request: Request, response: Response) -> Attempt:
    state = request.state
    origin = Origin(state.command_id, datetime.now(UTC), "moderation", state.request_id)
    return Attempt(await _desk(request), origin, response)


At = Annotated[Desk, Depends(_desk)]
Wish = Annotated[Attempt, Depends(_attempt)]


def address(workspace: str, thing: str, what: str) -> Address:
    """Return where a thing's history is.

    Raises:
        Problem: 404 when no thing can have this id.

    """
    if _THING.fullmatch(thing) is None:
        raise not_found(what)
    return Address(workspace, thing)
