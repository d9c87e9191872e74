"""One person's contacts, erased: what stays is that there was somebody with this number.

The place in the audience stays, without phone and variables, so that every number still adds up.
Voice campaigns exclude the contact first: the log says so, and what waits for them is closed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pymongo import UpdateOne

from campaign.audience import Audiences
from campaign.campaign import campaign_decider
from campaign.commands import Exclude
from campaign.voice.state import VoiceCampaign
from campaign_events.decider import Refused
from campaign_events.envelope import Address, Origin, derived_id
from campaign_events.erasing import Counts, Erasure, holding
from campaign_events.eventlog import EventLog
from campaign_events.executing import execute
from campaign_events.projection import Document

KEPT = ("audience", "number", "suppressed", "excluded")
AT_ONCE = 20
TRIES = 3
"""An audience is replaced by an upload, and named by the first contacts that join."""

type Places = Mapping[str, Address]
"""Whose an audience is."""


class ContactErasing:
    """Erases contacts, and what other contacts' variables say of the person."""

    def __init__(self, log: EventLog, audiences: Audiences) -> None:
        self._log = log
        self._contacts = audiences.contacts
        self._register = audiences.register

    async def erase(self, erasure: Erasure) -> Counts:
        """Erase the person; return how many contacts they were."""
        erased = hidden = 0
        async for found in holding(self._contacts, {}, erasure.writings):
            owners = await self._owners({contact["audience"] for contact in found})
            meant = [
                contact
                for contact in found
                if contact["audience"] not in owners
                or erasure.concerns(owners[contact["audience"]].workspace)
            ]
            persons = [contact for contact in meant if contact.get("phone") == erasure.phone]
            await self._exclude(persons, owners, erasure)
            await self._bury(persons)
            erased += len(persons)
            others = [contact for contact in meant if contact.get("phone") != erasure.phone]
            hidden += await self._hide(others, erasure)
        return {"contacts": erased, "mentions": hidden}

    async def forget(self, _: Erasure) -> None:
        """Nothing is read ahead here."""

    async def _owners(self, audiences: set[str]) -> Places:
        """Return whose these audiences are; one without an upload bears its campaign's id."""
        rows = self._register.find({"_id": {"$in": list(audiences)}})
        owners = {row["_id"]: Address(row["workspace"], row["campaign"]) async for row in rows}
        unknown = [
            self._log.load_subject("CAMPAIGNS", f"campaign.*.{audience}.voice_created")
            for audience in audiences - owners.keys()
        ]
        for created in await asyncio.gather(*unknown):
            owners |= {recorded.address.thing: recorded.address for recorded in created}
        return owners

    async def _exclude(
        self, contacts: Sequence[Document], owners: Places, erasure: Erasure
    ) -> None:
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for contact in contacts:
            numbers[contact["audience"]].append(contact["number"])
        named = [name for name in numbers if name in owners]
        for start in range(0, len(named), AT_ONCE):
            some = named[start : start + AT_ONCE]
            await asyncio.gather(
                *(self._exclude_from(name, owners[name], numbers[name], erasure) for name in some)
            )

    async def _exclude_from(
        self, audience: str, address: Address, numbers: Sequence[int], erasure: Erasure
    ) -> None:
        """Have a voice campaign call them no more, while this is its audience.

        Raises:
            Refused: others keep replacing its audience.

        """
        command_id = derived_id(erasure.command_id, audience, *map(str, sorted(numbers)))
        origin = Origin(command_id, datetime.now(UTC), "campaign", erasure.command_id)
        for attempt in range(1, TRIES + 1):
            history = await self._log.load(address)
            state = campaign_decider.fold(recorded.event for recorded in history)
            if not isinstance(state, VoiceCampaign):
                return
            if (state.audience or address.thing) != audience:
                return
            command = Exclude(state.audience, numbers, erasure.by)
            try:
                await execute(self._log, campaign_decider, address, command, origin)
            except Refused:
                if attempt == TRIES:
                    raise
            else:
                return

    async def _bury(self, contacts: Sequence[Document]) -> None:
        """Put in the place of each contact one without a phone, in one moment."""
        if not contacts:
            return
        names = [contact["_id"] for contact in contacts]
        graves = [
            {
                "_id": f"{contact['audience']}/erased/{contact['number']}",
                **{name: contact[name] for name in KEPT if name in contact},
                "erased": True,
            }
            for contact in contacts
        ]
        async with (
            self._contacts.database.client.start_session() as session,
            await session.start_transaction(),
        ):
            await self._contacts.delete_many({"_id": {"$in": names}}, session=session)
            await self._contacts.insert_many(graves, session=session)

    async def _hide(self, contacts: Sequence[Document], erasure: Erasure) -> int:
        """Hide the phone in variables of others."""
        writes = [
            UpdateOne(
                {"_id": contact["_id"]},
                {"$set": {"variables": erasure.writings.hide(contact["variables"])}},
            )
            for contact in contacts
            if "variables" in contact
        ]
        if writes:
            await self._contacts.bulk_write(writes, ordered=False)
        return len(writes)
