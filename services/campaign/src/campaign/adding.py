"""Contacts that join an `always_on` voice campaign while it runs: stored first, then said."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from pymongo.asynchronous.client_session import AsyncClientSession as Session
from pymongo.errors import DuplicateKeyError, PyMongoError

from campaign.audience import Audiences
from campaign.campaign import campaign_decider
from campaign.commands import AddContacts
from campaign.rows import Rows
from campaign.state import Absent, State
from campaign.suppressed import SuppressionList
from campaign.voice.state import VoiceCampaign
from campaign_events.decider import Conflict, Refused
from campaign_events.envelope import Actor, Address, Origin, Position, Recorded
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.uploads.reading import Report
from campaign_events.voice import ContactsAdded

TRIES = 30
"""A transaction of somebody else takes some milliseconds, and a dead one's a minute."""
type Variables = Mapping[str, str]
type Document = dict[str, Any]


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
    """Takes contacts in, for one campaign one request at a time.

    A request's contacts are stored in one transaction with a claim on their numbers. Whoever finds
    a claim says in the log what its owner may not have come to say: the same command, so it happens
    once. Then the claim goes.
    """

    def __init__(self, log: EventLog, audiences: Audiences, suppressions: SuppressionList) -> None:
        self._log = log
        self._contacts = audiences.contacts
        self._claims = audiences.claims
        self._suppressions = suppressions
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, addition: Addition) -> tuple[Report, Position]:
        """Store what is new, have the campaign take it, and tell what became of every row.

        The same command given again has one effect and the same report.

        Raises:
            Refused: the campaign takes no contacts now.
            Conflict: other processes keep being faster.

        """
        rows = Rows.read((cell for cell, _ in addition.contacts), addition.region)
        lock = self._locks.setdefault(addition.address.thing, asyncio.Lock())
        async with lock:
            for attempt in range(TRIES):
                if claim := await self._claims.find_one({"_id": addition.address.thing}):
                    with suppress(Refused):
                        await self._say(addition.address, claim)
                try:
                    return await self._take(addition, rows)
                except PyMongoError as error:
                    if not _is_overtaken(error):
                        raise
                await asyncio.sleep(0.01 * attempt)
        raise Conflict(f"{addition.address.thing} takes other contacts all the time")

    async def _take(self, addition: Addition, rows: Rows) -> tuple[Report, Position]:
        claim: Document | None = None
        client = self._contacts.database.client
        async with client.start_session() as session, await session.start_transaction():
            # First, so that nobody adds anything between the look at the log and what comes of it.
            campaign = {"_id": addition.address.thing}
            await self._claims.insert_one(campaign, session=session)
            place = await self._place(addition)
            known = await self._known(place, rows, session)
            strangers = [phone for phone in rows.phones if phone not in known]
            suppressed = await self._suppressions.among(addition.address.workspace, strangers)
            fresh = [phone for phone in strangers if phone not in suppressed]
            if place.said is None and fresh:
                claim = _claim(addition, place, len(fresh))
                await self._claims.replace_one(campaign, claim, session=session)
                await self._store(addition, place, rows, fresh, session)
            else:
                await self._claims.delete_one(campaign, session=session)
        seen = place.seen if claim is None else await self._say(addition.address, claim)
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

    async def _known(self, place: _Place, rows: Rows, session: Session) -> dict[str, int]:
        """Return the numbers of those phones that are contacts as far as the log knows."""
        chosen = {
            "_id": {"$in": [f"{place.audience}/{phone}" for phone in rows.phones]},
            "number": {"$lte": place.stored},
        }
        found = self._contacts.find(chosen, {"_id": 0, "phone": 1, "number": 1}, session=session)
        return {contact["phone"]: contact["number"] async for contact in found}

    async def _store(
        self,
        addition: Addition,
        place: _Place,
        rows: Rows,
        fresh: Sequence[str],
        session: Session,
    ) -> None:
        """Store contacts behind the others. Those that the log has refused may be there still."""
        refused = {"audience": place.audience, "number": {"$gt": place.stored}}
        await self._contacts.delete_many(refused, session=session)
        documents: list[Document] = [
            {
                "_id": f"{place.audience}/{phone}",
                "audience": place.audience,
                "number": number,
                "phone": phone,
                "variables": dict(addition.contacts[rows.phones[phone] - 1][1]),
                "suppressed": False,
            }
            for number, phone in enumerate(fresh, place.stored + 1)
        ]
        await self._contacts.insert_many(documents, ordered=False, session=session)

    async def _say(self, address: Address, claim: Document) -> Position:
        """Have the campaign take what has been stored for it."""
        command = AddContacts(
            claim["audience"], claim["first"], claim["last"], Actor.model_validate(claim["by"])
        )
        origin = Origin(claim["command"], claim["at"], claim["source"], claim["correlation"])
        try:
            _, position = await execute(self._log, campaign_decider, address, command, origin)
        except Refused:
            await self._drop(claim)
            raise
        await self._drop(claim)
        return position

    async def _drop(self, claim: Document) -> None:
        await self._claims.delete_one({"_id": claim["_id"], "command": claim["command"]})


def _claim(addition: Addition, place: _Place, count: int) -> Document:
    origin = addition.origin
    return {
        "_id": addition.address.thing,
        "audience": place.audience,
        "first": place.stored + 1,
        "last": place.stored + count,
        "by": addition.by.model_dump(),
        "command": origin.command_id,
        "at": origin.at,
        "source": origin.source,
        "correlation": origin.correlation_id,
    }


def _is_overtaken(error: PyMongoError) -> bool:
    """Whether another process adds contacts to the same campaign, or has just done so."""
    return isinstance(error, DuplicateKeyError) or error.has_error_label(
        "TransientTransactionError"
    )


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
