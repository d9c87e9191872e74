"""Stored audiences: contacts in MongoDB, and a register of whose they are.

Contact: `{_id: "<audience>/<phone>", audience, number, phone, variables, suppressed}`; numbers are
contiguous from 1 in row order. Dispatcher and moderation read them, and write nothing here.
Claims: numbers of a running campaign's audience that are stored and not yet said (see `adding`).
Register: an audience is `writing`, then `kept`. Whatever may turn out to be garbage has a
`sweep_at` before it can become so; then the log decides whether it is (see `sweeping`).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from pymongo import IndexModel

from campaign.suppressed import SuppressionList
from campaign_events.envelope import Address
from campaign_events.projection import Database
from campaign_events.uploads.contacts import Contact

ABANDONED_AFTER = timedelta(seconds=120)
ALIVE_EVERY_S = 20.0
CHANGED_WITHIN = timedelta(seconds=60)


class UploadLost(Exception):
    """The audience was given up while it was still being written."""


class Audiences:
    """The register, and the contacts behind it."""

    def __init__(self, db: Database) -> None:
        self.contacts = db.contacts
        self.register = db.audiences
        self.claims = db.additions

    async def prepare(self) -> None:
        """Make the indexes."""
        await self.contacts.create_indexes([IndexModel([("audience", 1), ("number", 1)])])
        await self.register.create_indexes(
            [IndexModel("campaign"), IndexModel("sweep_at", sparse=True)]
        )

    @asynccontextmanager
    async def writing(self, audience: str, address: Address) -> AsyncIterator[None]:
        """Register a new audience while its contacts are written; it is garbage if that fails."""
        await self.register.insert_one(
            {
                "_id": audience,
                "workspace": address.workspace,
                "campaign": address.thing,
                "state": "writing",
                "sweep_at": datetime.now(UTC) + ABANDONED_AFTER,
            }
        )
        alive = asyncio.create_task(self._stay_alive(audience))
        try:
            yield
        except BaseException:
            await self.doubt(audience)
            raise
        finally:
            alive.cancel()

    async def seal(self, audience: str) -> None:
        """End the writing, before the log says that the audience is the campaign's.

        Raises:
            UploadLost: it had been given up.

        """
        sealed = await self.register.update_one(
            {"_id": audience, "state": "writing"},
            {"$set": {"state": "kept", "sweep_at": datetime.now(UTC) + ABANDONED_AFTER}},
        )
        if sealed.matched_count == 0:
            raise UploadLost

    async def doubt(self, audience: str) -> None:
        """Have an audience looked at now, whether it is still somebody's."""
        await self.register.update_one(
            {"_id": audience}, {"$set": {"state": "kept", "sweep_at": datetime.now(UTC)}}
        )

    async def expect_change(self, campaign: str) -> None:
        """Have a campaign's audiences looked at even if we die in the middle of changing them."""
        await self._look_at(campaign, datetime.now(UTC) + CHANGED_WITHIN)

    async def doubt_all(self, campaign: str) -> None:
        """Have all finished audiences of a campaign looked at now: one may be the current."""
        await self._look_at(campaign, datetime.now(UTC))

    async def _look_at(self, campaign: str, sweep_at: datetime) -> None:
        await self.register.update_many(
            {"campaign": campaign, "state": {"$ne": "writing"}}, {"$min": {"sweep_at": sweep_at}}
        )

    async def _stay_alive(self, audience: str) -> None:
        while True:
            await asyncio.sleep(ALIVE_EVERY_S)
            await self.register.update_one(
                {"_id": audience, "state": "writing"},
                {"$set": {"sweep_at": datetime.now(UTC) + ABANDONED_AFTER}},
            )


class AudienceWriter:
    """Stores the contacts of one new audience, batch by batch, one batch ahead of the reading."""

    def __init__(
        self, audiences: Audiences, suppressions: SuppressionList, workspace: str, audience: str
    ) -> None:
        self._contacts = audiences.contacts
        self._suppressions = suppressions
        self._workspace = workspace
        self._audience = audience
        self._storing: asyncio.Task[None] | None = None
        self._stored = 0
        self.duplicate = 0
        self.suppressed = 0

    @property
    def accepted(self) -> int:
        """How many contacts are stored and not suppressed."""
        return self._stored - self.suppressed

    async def add(self, contacts: Sequence[Contact]) -> None:
        """Store the contacts behind those that were added before."""
        await self.settled()
        self._storing = asyncio.create_task(self._store(contacts))

    async def settled(self) -> None:
        """Wait until everything that was added is stored."""
        if self._storing is not None:
            await self._storing

    async def abandon(self) -> None:
        """Let the batch in hand come to its end, whatever it is, and store nothing more."""
        if self._storing is not None:
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _store(self, contacts: Sequence[Contact]) -> None:
        fresh: dict[str, dict[str, str]] = {}
        for phone, variables in contacts:
            fresh.setdefault(phone, variables)
        if self._stored:
            known = self._contacts.find(
                {"_id": {"$in": [f"{self._audience}/{phone}" for phone in fresh]}},
                {"_id": 0, "phone": 1},
            )
            async for document in known:
                del fresh[document["phone"]]
        self.duplicate += len(contacts) - len(fresh)
        if not fresh:
            return
        suppressed = await self._suppressions.among(self._workspace, fresh)
        documents = [
            {
                "_id": f"{self._audience}/{phone}",
                "audience": self._audience,
                "number": number,
                "phone": phone,
                "variables": variables,
                "suppressed": phone in suppressed,
            }
            for number, (phone, variables) in enumerate(fresh.items(), self._stored + 1)
        ]
        await self._contacts.insert_many(documents, ordered=False)
        self._stored += len(documents)
        self.suppressed += len(suppressed)
