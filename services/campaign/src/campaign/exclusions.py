"""Phones that a campaign must not reach: found among its contacts, said, and marked.

The log says who is excluded; the dispatcher and the dialler read that. The mark `excluded` in the
audience follows: estimates count by it, and a repeated request makes those that a crash left out.
`suppressed` stays what the upload found: runs under way count on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from campaign.audience import Audiences
from campaign.campaign import campaign_decider
from campaign.commands import Exclude
from campaign.rows import Rows
from campaign.state import Absent
from campaign_events.envelope import Actor, Address, Origin, Position
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.projection import Document
from campaign_events.uploads.reading import Report
from campaign_events.voice import ContactsExcluded

STRANGER = "not a contact of this campaign"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Phones, as they were given, on their way out of one campaign."""

    address: Address
    phones: Sequence[str]
    region: str | None
    by: Actor
    origin: Origin


class Exclusions:
    """Keeps a campaign from contacts."""

    def __init__(self, log: EventLog, audiences: Audiences) -> None:
        self._log = log
        self._contacts = audiences.contacts

    async def take(self, exclusion: Exclusion) -> tuple[Report, Position]:
        """Exclude the contacts with these phones, and tell what became of every row.

        `accepted` are excluded by this, `suppressed` were excluded or suppressed before. The same
        command given again has one effect and the same report.

        Raises:
            Refused: the campaign can not be kept from contacts any more, or has others now.

        """
        rows = Rows.read(exclusion.phones, exclusion.region)
        audience, found = await self._found(exclusion, rows)
        for phone in [phone for phone in rows.phones if phone not in found]:
            rows.refuse(rows.phones[phone], STRANGER)
        known = [contact for contact in found.values() if not contact["suppressed"]]
        accepted, position = await self._exclude(exclusion, audience, known)
        suppressed = len(found) - accepted
        bad_rows = tuple(sorted(rows.bad_rows))
        report = Report(accepted, rows.invalid, rows.duplicate, suppressed, bad_rows)
        return report, position

    async def _found(
        self, exclusion: Exclusion, rows: Rows
    ) -> tuple[str | None, dict[str, Document]]:
        """Return the audience and its contacts by phone, if any may be excluded at all."""
        history = await self._log.load(exclusion.address)
        state = campaign_decider.fold(recorded.event for recorded in history)
        audience = None if isinstance(state, Absent) else state.audience
        if isinstance(state, Absent) or not _said(history, exclusion.origin):
            campaign_decider.decide(state, Exclude(audience, (), exclusion.by))
        if audience is None:
            return None, {}
        names = [f"{audience}/{phone}" for phone in rows.phones]
        wanted = {"phone": 1, "number": 1, "suppressed": 1}
        found = self._contacts.find({"_id": {"$in": names}}, wanted)
        return audience, {contact["phone"]: contact async for contact in found}

    async def _exclude(
        self, exclusion: Exclusion, audience: str | None, contacts: Sequence[Document]
    ) -> tuple[int, Position]:
        """Say and mark; return how many this command has excluded."""
        numbers = [contact["number"] for contact in contacts]
        command = Exclude(audience, numbers, exclusion.by)
        _, position = await execute(
            self._log, campaign_decider, exclusion.address, command, exclusion.origin
        )
        history = await self._log.load(exclusion.address)
        state = campaign_decider.fold(recorded.event for recorded in history)
        if not isinstance(state, Absent) and state.audience == audience:
            gone = [contact["_id"] for contact in contacts if contact["number"] in state.excluded]
            await self._contacts.update_many({"_id": {"$in": gone}}, {"$set": {"excluded": True}})
        said = _said(history, exclusion.origin)
        return sum(len(event.numbers) for event in said), position


def _said(history: Sequence[Any], origin: Origin) -> list[ContactsExcluded]:
    """Return what the log holds of this very command."""
    return [
        recorded.event
        for recorded in history
        if recorded.id.startswith(f"{origin.command_id}:")
        and isinstance(recorded.event, ContactsExcluded)
    ]
