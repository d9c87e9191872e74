"""Contacts that join an `always_on` voice campaign while it runs: stored first, then said."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from campaign.audience import Audiences
from campaign.campaign import campaign_decider
from campaign.commands import AddContacts
from campaign.rows import Rows
from campaign.state import Absent, State
from campaign.suppressed import SuppressionList
from campaign.voice.state import VoiceCampaign
from campaign_events.envelope import Actor, Address, Origin, Position, Recorded
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.uploads.reading import Report
from campaign_events.voice import ContactsAdded

type Variables = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Addition:
    """Contacts on their way into one campaign: phones as they were given, and their variables."""

    address: Address
    contacts: Sequence[tuple[str, Variables]]
    region: str | None
    by: Actor
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the contacts go: behind those that the log knows, unless it knows these already."""

    audience: str
    stored: int
    said: ContactsAdded | None
    seen: Position


class Additions:
    """Takes contacts in, for one campaign one request at a time."""

    def __init__(self, log: EventLog, audiences: Audiences, suppressions: SuppressionList) -> None:
        self._log = log
        self._contacts = audiences.contacts
        self._suppressions = suppressions
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, addition: Addition) -> tuple[Report, Position]:
        """Store what is new, have the campaign take it, and tell what became of every row.

        The same command given again has one effect and the same report.

        Raises:
            Refused: the campaign takes no contacts now.

        """
        lock = self._locks.setdefault(addition.address.thing, asyncio.Lock())
        async with lock:
            return await self._take(addition)

    async def _take(self, addition: Addition) -> tuple[Report, Position]:
        rows = Rows.read((cell for cell, _ in addition.contacts), addition.region)
        place = await self._place(addition)
        known = await self._known(place, rows)
        strangers = [phone for phone in rows.phones if phone not in known]
        suppressed = await self._suppressions.among(addition.address.workspace, strangers)
        fresh = [phone for phone in strangers if phone not in suppressed]
        seen = place.seen
        if place.said is None and fresh:
            seen = await self._add(addition, place, rows, fresh)
        added = len(fresh) if place.said is None else _within(known, place.said)
        duplicate = rows.duplicate + len(rows.phones) - len(suppressed) - added
        bad_rows = tuple(rows.bad_rows)
        return Report(added, rows.invalid, duplicate, len(suppressed), bad_rows), seen

    async def _place(self, addition: Addition) -> _Place:
        """Find where the contacts go, after a look at whether any may be added at all."""
        history = await self._log.load(addition.address)
        state = campaign_decider.fold(recorded.event for recorded in history)
        said = _said(history, addition.origin)
        audience, stored = _end(state, addition.address)
        if said is None:
            wish = AddContacts(audience, stored + 1, stored + 1, addition.by)
            campaign_decider.decide(state, wish)
        return _Place(audience, stored, said, Position.of("CAMPAIGNS", history[-1].seq))

    async def _known(self, place: _Place, rows: Rows) -> dict[str, int]:
        """Return the numbers of those phones that are contacts as far as the log knows."""
        chosen = {
            "_id": {"$in": [f"{place.audience}/{phone}" for phone in rows.phones]},
            "number": {"$lte": place.stored},
        }
        found = self._contacts.find(chosen, {"_id": 0, "phone": 1, "number": 1})
        return {contact["phone"]: contact["number"] async for contact in found}

    async def _add(
        self, addition: Addition, place: _Place, rows: Rows, fresh: Sequence[str]
    ) -> Position:
        """Store contacts behind the others. Those that a crash left there were never taken in."""
        leftover = {"audience": place.audience, "number": {"$gt": place.stored}}
        await self._contacts.delete_many(leftover)
        first = place.stored + 1
        documents: list[dict[str, Any]] = [
            {
                "_id": f"{place.audience}/{phone}",
                "audience": place.audience,
                "number": number,
                "phone": phone,
                "variables": dict(addition.contacts[rows.phones[phone] - 1][1]),
                "suppressed": False,
            }
            for number, phone in enumerate(fresh, first)
        ]
        await self._contacts.insert_many(documents, ordered=False)
        command = AddContacts(place.audience, first, place.stored + len(fresh), addition.by)
        _, position = await execute(
            self._log, campaign_decider, addition.address, command, addition.origin
        )
        return position


def _said(history: Sequence[Recorded[Any]], origin: Origin) -> ContactsAdded | None:
    """Return what the log holds of this very command already."""
    for recorded in history:
        if recorded.id == f"{origin.command_id}:0" and isinstance(recorded.event, ContactsAdded):
            return recorded.event
    return None


def _end(state: State, address: Address) -> tuple[str, int]:
    """Return a campaign's audience and its last number; without an upload it bears its own id."""
    match state:
        case VoiceCampaign(audience=audience, stored=stored):
            return audience or address.thing, stored
        case Absent():
            return address.thing, 0
        case _:
            return state.audience or address.thing, 0


def _within(known: Mapping[str, int], said: ContactsAdded) -> int:
    return sum(said.first <= number <= said.last for number in known.values())
