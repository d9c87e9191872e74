"""What the audit trail is told of a campaign: its settings and where it stands, nobody's number."""

from typing import Any

from campaign.campaign import campaign_decider
from campaign.commands import CampaignCommand
from campaign.state import Absent, State
from campaign.voice.state import VoiceCampaign
from campaign_events.audit import changes, note, watched
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Origin, Position
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute


async def carry_out_noted(
    log: EventLog, command: CampaignCommand, address: Address, origin: Origin
) -> Position:
    """Carry out the command, and note what it found and what it left.

    Raises:
        Refused, Conflict, Unavailable, Rejected: as `execute` does.

    """
    decider, seen = watched(campaign_decider)
    try:
        left, position = await execute(log, decider, address, command, origin)
    except Refused:
        _note_refused(seen)
        raise
    before, after = _described(seen[0]) if seen else {}, _described(left)
    if before and after:
        before, after = changes(before, after)
    note(before=before or None, after=after or None, resource=address.thing)
    return position


def _note_refused(seen: list[State]) -> None:
    if seen and (found := _described(seen[0])):
        note(before={"status": found["status"], "archived": found["archived"]})


def _described(state: State) -> dict[str, Any]:
    if isinstance(state, Absent):
        return {}
    settings = state.settings.model_dump(mode="json", exclude_none=True)
    run = {"run": state.run} if isinstance(state, VoiceCampaign) else {}
    return {**settings, "status": state.status, "archived": state.archived, **run}
