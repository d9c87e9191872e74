"""Owning a link: by a lease, one dispatcher plans and sends the campaigns of that link."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.decider import Conflict
from campaign_events.envelope import Batch, rfc3339
from campaign_events.leases import Lease, held
from campaign_events.message import UnmatchedReport
from campaign_events.projection import Database, Document, Projector
from campaign_events.service import Resources
from campaign_events.text import render, segmentation
from dispatcher.inbound import OptOuts
from dispatcher.inflight import Fate, InFlight, Message, ends_of, stored
from dispatcher.links.link import Link, Source
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from dispatcher.outgoing import Outgoing, Shelf
from dispatcher.planning import Planner
from dispatcher.querying import Querying
from dispatcher.sending import Limits, Sender
from dispatcher.settling import Settling
from dispatcher.strays import STRAYS_KEPT
from dispatcher.suppressions import Suppressions
from dispatcher.undecided import KEPT_S
from dispatcher.views import CAMPAIGNS, MESSAGES

LOOK_S = 1.0
CATCH_UP_S = 5.0
AT_WORK = ("building", "sending", "paused")

log = structlog.get_logger(__name__)


class Views:
    """The dispatcher's collections, of the revisions that its projections keep."""

    def __init__(self, db: Database, audience: Database) -> None:
        self.campaigns = db[CAMPAIGNS.collection("campaigns")]
        self.senders = db[CAMPAIGNS.collection("senders")]
        self.messages = db[MESSAGES.collection("messages")]
        self.deferred = db[MESSAGES.collection("deferred")]
        self.sendings = db[MESSAGES.collection("sendings")]
        self.unmatched = db[MESSAGES.collection("unmatched")]
        self.contacts: AsyncCollection[Document] = audience["contacts"]

    async def told(self, rows: Sequence[Document], *, with_phones: bool) -> list[Message]:
        """Return messages as their documents say, on demand with the phones they went to."""
        wanted = {"_id": {"$in": list({row["campaign"] for row in rows})}}
        found = self.campaigns.find(wanted, {"workspace": 1, "audience": 1})
        campaigns = {row["_id"]: row async for row in found}
        phones = await self._phones(rows, campaigns) if with_phones else {}
        return [
            stored(
                row,
                campaigns[row["campaign"]]["workspace"],
                phones.get((campaigns[row["campaign"]]["audience"], row["number"]), ""),
            )
            for row in rows
        ]

    async def _phones(
        self, rows: Sequence[Document], campaigns: Mapping[str, Document]
    ) -> dict[tuple[str, int], str]:
        """Return the phones of these messages by audience and number; an erased one has none."""
        numbers: dict[str, list[int]] = {}
        for row in rows:
            numbers.setdefault(campaigns[row["campaign"]]["audience"], []).append(row["number"])
        some = [
            {"audience": audience, "number": {"$in": those}} for audience, those in numbers.items()
        ]
        fields = {"audience": 1, "number": 1, "phone": 1}
        found = self.contacts.find({"$or": some}, fields)
        return {(one["audience"], one["number"]): one["phone"] async for one in found}

    async def source(self, campaign: Document) -> Source | None:
        """Return the current approved revision of a campaign's sender, as a link wants it."""
        sender = await self.senders.find_one({"_id": campaign["settings"]["sender_id"]})
        if sender is None or "current" not in sender:
            return None
        revision = sender["revisions"][str(sender["current"])]
        return Source(
            address=revision["saddr"],
            ton=revision["ston"],
            npi=revision["snpi"],
            dton=revision["dton"],
            dnpi=revision["dnpi"],
        )


@dataclass(slots=True)
class LinkOwner:
    """One candidate for the ownership of one link."""

    resources: Resources
    settings: LinkSettings
    views: Views
    projectors: Sequence[Projector]
    suppressions: Suppressions
    opt_outs: OptOuts
    secret: bytes
    owner: str
    delivery_wait: timedelta
    undecided_wait_s: float
    _owned: tuple[Link, Sender] | None = None
    _changed: set[str] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _plans: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def heard(self, batch: Batch) -> None:
        """Take note of campaigns that a projected batch is about."""
        self._changed |= {recorded.address.thing for recorded in batch}
        self._news.set()

    def health(self) -> Document | None:
        """Tell how the link is; None while it is not owned here."""
        if self._owned is None:
            return None
        link, sender = self._owned
        connection = link.health()
        failed_at = connection.last_error_at
        return {
            **self.settings.shown(),
            "state": "up" if link.up else "down",
            "sessions_up": connection.sessions_up,
            "sessions": connection.sessions,
            "window": connection.window,
            "window_used": connection.window_used,
            "allowed_segments_per_second": round(sender.allowed_per_s, 2),
            "throttled_share": round(sender.throttled_share, 4),
            "reconnects": connection.reconnects,
            "unmatched_reports": len(sender.settling.strays),
            "undecided_messages": len(sender.settling.undecided),
            "last_error": connection.last_error,
            "last_error_at": None if failed_at is None else rfc3339(failed_at),
        }

    async def run(self) -> None:
        """Own the link whenever nobody else does, for ever."""
        while True:
            async with (
                held(self.resources.nc, f"link-{self.settings.id}", self.owner) as lease,
                open_link(self.settings) as link,
            ):
                await self._own(lease, link)

    async def _own(self, lease: Lease, link: Link) -> None:
        """Take up the link's campaigns where the log says they are; go on until the lease ends."""
        await self._catch_up()
        inflight = InFlight(
            self.settings.id,
            self.views.messages,
            lambda: self.projectors[1].seq,
            self.views.told,
        )
        settling = Settling(inflight, self.undecided_wait_s, self.settings.on_unknown)
        await self._recall(settling)
        sender = Sender(
            self.resources.log,
            link,
            Limits(
                self.settings.unanswered,
                self.settings.segments_per_second,
                self.delivery_wait,
            ),
            settling,
            Shelf(self.views.messages, self.views.deferred, self.views.contacts, self.secret),
            self.suppressions.is_fresh,
            self.opt_outs,
        )
        # Before the sender hears the first report, so that its counters miss nothing.
        unready = await self._place_all({"status": {"$in": list(AT_WORK)}}, sender)
        following = asyncio.create_task(self._follow(sender, unready))
        sending = asyncio.create_task(sender.run(lease))
        asking = asyncio.create_task(Querying(link, self.settings, self.views).run())
        self._owned = link, sender
        try:
            done, _ = await asyncio.wait(
                {following, sending, asking}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            self._owned = None
            sender.stop()
            ending = (following, asking, *self._plans.values())
            for task in ending:
                task.cancel()
            await asyncio.gather(sending, *ending, return_exceptions=True)
            self._plans.clear()

    async def _catch_up(self) -> None:
        """Wait until the views hold all that the previous owner wrote."""
        for projector in self.projectors:
            end = await self.resources.log.last_seq(projector.projection.stream)
            while not await projector.reached(end, CATCH_UP_S):
                log.info(
                    "catching up", projection=projector.projection.id, at=projector.seq, to=end
                )

    async def _recall(self, settling: Settling) -> None:
        """Remember what the previous owner left undecided, and reports that nobody could place."""
        for message in await self._left_behind():
            settling.wait_for(message)
        strays = self.views.unmatched.find({"link": self.settings.id})
        rows = await strays.sort("at", DESCENDING).limit(STRAYS_KEPT).to_list()
        settling.strays.remember(UnmatchedReport.model_validate(row) for row in reversed(rows))

    async def _left_behind(self) -> list[Message]:
        """Return this link's messages that were taken without an outcome, or ended unknown."""
        since = datetime.now(UTC) - timedelta(seconds=KEPT_S)
        unknown = await self.views.messages.find(
            {"link": self.settings.id, "unknown": True, "unknown_at": {"$gt": since}}
        ).to_list()
        sendings = await self.views.sendings.find({"open": {"$exists": True, "$ne": []}}).to_list()
        numbers: dict[str, dict[int, Fate]] = {}
        for row in unknown:
            numbers.setdefault(row["campaign"], {})[row["number"]] = "unknown"
        for sending in sendings:
            numbers.setdefault(sending["_id"], {}).update(
                dict.fromkeys(sending["open"], "submitting")
            )
        mine = {"_id": {"$in": list(numbers)}, "settings.link_id": self.settings.id}
        messages = [
            message
            async for campaign in self.views.campaigns.find(mine)
            for message in await self._recalled(campaign, numbers[campaign["_id"]])
        ]
        ends = {(row["campaign"], row["number"]): ends_of(row) for row in unknown}
        for message in messages:
            message.ends = ends.get(message.key, {})
        if messages:
            log.warning("undecided messages", link=self.settings.id, count=len(messages))
        return messages

    async def _recalled(self, campaign: Document, fates: Mapping[int, Fate]) -> list[Message]:
        """Return what can be said of messages whose answers nobody knows."""
        found = self.views.contacts.find(
            {"audience": campaign["audience"], "number": {"$in": list(fates)}}
        )
        return [
            Message(
                campaign=campaign["_id"],
                workspace=campaign["workspace"],
                number=contact["number"],
                parts=segmentation(
                    render(campaign["settings"]["text"], contact["variables"])
                ).segments,
                fate=fates[contact["number"]],
                phone=contact["phone"],
            )
            async for contact in found
        ]

    async def _follow(self, sender: Sender, unready: set[str]) -> None:
        """Do with each campaign of the link what its status says, whenever that changes."""
        while True:
            await self._until_news()
            ids, self._changed = self._changed | unready, set()
            unready = await self._place_all({"_id": {"$in": list(ids)}}, sender)

    async def _place_all(self, wanted: Document, sender: Sender) -> set[str]:
        """Place the link's campaigns that match; return those that have to be looked at again."""
        found = self.views.campaigns.find({**wanted, "settings.link_id": self.settings.id})
        return {
            campaign["_id"] async for campaign in found if not await self._place(campaign, sender)
        }

    async def _until_news(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), LOOK_S)
        except TimeoutError:
            return
        self._news.clear()

    async def _place(self, campaign: Document, sender: Sender) -> bool:
        """Do with a campaign what its status says; False when that has to wait."""
        campaign_id = campaign["_id"]
        if campaign["status"] == "building":
            return self._plan(campaign)
        if campaign["status"] not in ("sending", "paused"):
            sender.drop(campaign_id)
            return True
        known = sender.get(campaign_id)
        if known is not None:
            known.paused = campaign["status"] == "paused"
            sender.wake.set()
            return True
        sending = await self.views.sendings.find_one({"_id": campaign_id}) or {}
        source = await self.views.source(campaign)
        if not sending.get("planned") or source is None:
            return False
        outgoing = Outgoing.of(campaign, sending, source)
        await self._remember_deferred(outgoing)
        sender.put(outgoing)
        return True

    async def _remember_deferred(self, outgoing: Outgoing) -> None:
        resting = self.views.deferred.find(
            {"campaign": outgoing.id, "due_at": {"$exists": True}}, {"number": 1, "due_at": 1}
        )
        async for row in resting:
            outgoing.rest_until(row["number"], row["due_at"])

    def _plan(self, campaign: Document) -> bool:
        """Have the campaign planned, once at a time; look again until its status has moved on."""
        campaign_id = campaign["_id"]
        running = self._plans.get(campaign_id)
        if running is None or running.done():
            self._plans[campaign_id] = asyncio.create_task(self._planned(campaign))
        return False

    async def _planned(self, campaign: Document) -> None:
        planner = Planner(
            self.resources.log, self.views.contacts, self.views.sendings, self.suppressions
        )
        try:
            if await self.views.source(campaign) is None:
                await planner.refuse(campaign, "the sender has no approved revision")
            else:
                await planner.plan(campaign)
        except Conflict as conflict:
            log.warning("plan starts over", campaign=campaign["_id"], why=str(conflict))
