"""Building the recipient list: suppress, render and count, a batch of contacts at a time.

The plan goes into the log; each piece follows the last one there, so a planner that died is taken
up where it stopped and two at once can not both get through.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import structlog
from prometheus_client import Counter

from campaign_events.campaign import ContactsUploaded
from campaign_events.envelope import Address, derived_id, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import (
    BATCH,
    MessagesPlanned,
    PlanFailed,
    PlanFinished,
    Skipped,
    SkipReason,
    Span,
)
from campaign_events.projection import Document
from campaign_events.text import MAX_CHARACTERS, render, segmentation
from campaign_events.voice import ContactsExcluded
from dispatcher.outcomes import keep, origin
from dispatcher.reading import Views
from dispatcher.suppressions import Suppressions

PLANNED = Counter("carillon_planned_messages", "Messages given a place in a campaign's list")

WANTED = {"_id": 0, "number": 1, "phone": 1, "variables": 1}

log = structlog.get_logger(__name__)


class Planner:
    """Plans campaigns from the audience, which the campaign service owns."""

    def __init__(
        self,
        store: EventLog,
        views: Views,
        suppressions: Suppressions,
    ) -> None:
        self._store = store
        self._views = views
        self._suppressions = suppressions

    async def plan(self, campaign: Document) -> None:
        """Plan the contacts that are not planned yet, and say when the list is whole.

        Raises:
            Conflict: another planner is at work on the same campaign.
        """
        address = Address(campaign["workspace"], campaign["_id"])
        sending = await self._views.sendings.find_one({"_id": campaign["_id"]}) or {}
        if sending.get("planned"):
            return
        totals = {name: sending.get(name, 0) for name in ("queued", "skipped", "segments")}
        if campaign["settings"]["mode"] != "trigger":
            await self._plan_contacts(campaign, sending, totals)
        log.info("planned", campaign=campaign["_id"], **totals)
        end = PlanFinished(**totals)
        await keep(self._store, end, address, origin(), derived_id(end.type, campaign["_id"]))

    async def _plan_contacts(
        self, campaign: Document, sending: Document, totals: dict[str, int]
    ) -> None:
        """Give every contact its place. Between two batches others have their turn."""
        address = Address(campaign["workspace"], campaign["_id"])
        audience = self._views.audience(campaign)
        excluded = await self._excluded(address)
        after, seq = sending.get("planned_to", 0), sending.get("planned_seq", 0)
        while after < campaign.get("contacts", 0):
            span = after + 1, min(after + BATCH, campaign["contacts"])
            numbers = {"$gte": span[0], "$lte": span[1]}
            contacts = await audience.numbered(numbers, BATCH, WANTED)
            phones = [contact["phone"] for contact in contacts]
            suppressed = await self._suppressions.among(campaign["workspace"], phones)
            suppressed |= {one["phone"] for one in contacts if one["number"] in excluded}
            text = campaign["settings"]["text"]
            event = planned(audience.id, text, span, contacts, suppressed)
            fact = Fact(event, address, new_id(), after=seq)
            seq = await self._store.append_fact(fact, origin())
            after = event.last
            totals["queued"] += event.queued
            totals["skipped"] += len(event.skipped)
            totals["segments"] += event.segments
            PLANNED.inc(event.last - event.first + 1)

    async def _excluded(self, address: Address) -> set[int]:
        """Return whom the log keeps the campaign from; another upload begins anew."""
        excluded = set[int]()
        for recorded in await self._store.load(address):
            match recorded.event:
                case ContactsUploaded():
                    excluded.clear()
                case ContactsExcluded(numbers=numbers):
                    excluded.update(numbers)
                case _:
                    pass
        return excluded

    async def refuse(self, campaign: Document, reason: str) -> None:
        """Say that the list can not be made."""
        address = Address(campaign["workspace"], campaign["_id"])
        end = PlanFailed(reason=reason)
        await keep(self._store, end, address, origin(), derived_id(end.type, campaign["_id"]))


def planned(
    audience: str,
    text: str,
    span: Span,
    contacts: Sequence[Document],
    suppressed: AbstractSet[str],
) -> MessagesPlanned:
    """Give each number of a span its place; who is not among the contacts was erased."""
    parts: list[tuple[int, int]] = []
    skipped: list[Skipped] = []
    there = {contact["number"]: contact for contact in contacts}
    for number in range(span[0], span[1] + 1):
        contact = there.get(number)
        found = "erased" if contact is None else _segments(text, contact, suppressed)
        if isinstance(found, str):
            skipped.append(Skipped(number=number, reason=found))
        elif parts and parts[-1][0] == found:
            parts[-1] = (found, parts[-1][1] + 1)
        else:
            parts.append((found, 1))
    return MessagesPlanned(
        audience=audience,
        first=span[0],
        last=span[1],
        parts=tuple(parts),
        skipped=tuple(skipped),
    )


def _segments(text: str, contact: Document, suppressed: AbstractSet[str]) -> int | SkipReason:
    """Return what a contact's message costs, or why there is none."""
    if contact["phone"] in suppressed:
        return "suppressed"
    try:
        rendered = render(text, contact["variables"])
    except KeyError:
        return "missing_variable"
    if not 1 <= len(rendered) <= MAX_CHARACTERS:
        return "invalid"
    return segmentation(rendered).segments
