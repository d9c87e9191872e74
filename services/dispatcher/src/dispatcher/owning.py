"""Owning a link: by a lease, one dispatcher plans and sends the campaigns of that link.

Dispatchers share the links: who owns fewest reaches for a free one first, and who owns two more
than another gives one up.
"""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from campaign_events import tracing
from campaign_events.backoff import Backoff
from campaign_events.decider import Conflict
from campaign_events.envelope import rfc3339
from campaign_events.leases import Lease, held
from campaign_events.parking import AWAY, is_away
from campaign_events.projection import Document
from campaign_events.projector import Projector
from campaign_events.service import Resources
from campaign_events.shares import Shares
from dispatcher.inbound import OptOuts
from dispatcher.inflight import InFlight
from dispatcher.links.link import Link
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from dispatcher.outgoing import Outgoing
from dispatcher.ownership import Ownership
from dispatcher.planning import Planner
from dispatcher.pushes import Pushes
from dispatcher.querying import Querying
from dispatcher.reading import Views
from dispatcher.recalling import recall
from dispatcher.sending import Limits, Sender
from dispatcher.settling import Settling
from dispatcher.shelf import Shelf
from dispatcher.suppressions import Suppressions

LOOK_S = 1.0
AGAIN_S = 0.5
CATCH_UP_S = 5.0
AT_WORK = ("building", "sending", "paused")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LinkOwner:
    """One candidate for the ownership of one link."""

    resources: Resources
    settings: LinkSettings
    views: Views
    projectors: Sequence[Projector]
    """Campaigns first, then messages; with whatever else must be up to date."""
    shares: Shares
    suppressions: Suppressions
    opt_outs: OptOuts
    pushes: Pushes
    secret: bytes
    owner: str
    delivery_wait: timedelta
    undecided_wait_s: float
    holds: bool = False
    """Whether the link's lease is held."""
    _owned: tuple[Link, Sender] | None = None
    _backoff: Backoff = field(default_factory=Backoff)
    _changed: set[str] = field(default_factory=set)
    _all_changed: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _plans: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def heard(self, campaigns: AbstractSet[str]) -> None:
        """Take note of campaigns that a projected batch is about."""
        self._changed |= campaigns
        self._news.set()

    def heard_plans(self, campaigns: AbstractSet[str]) -> None:
        """Take note of messages that were added to the plans of campaigns under way."""
        planned = campaigns - self._plans.keys()
        if planned:
            self._changed |= planned
            self._news.set()

    def look_soon(self) -> None:
        """Look at every campaign of the link: another dispatcher was told what has changed."""
        self._all_changed = True
        self._news.set()

    def look_at_plans(self) -> None:
        """Look at the campaigns under way whose plan may grow: another dispatcher has folded it."""
        if self._owned is None:
            return
        growing = {one.id for one in self._owned[1].campaigns if one.mode == "trigger"}
        if growing:
            self._changed |= growing
            self._news.set()

    def forget(self, phone: str) -> None:
        """Send nothing more to somebody who was erased."""
        if self._owned is not None:
            self._owned[1].forget(phone)

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
        """Own the link whenever nobody else does, for ever.

        Whoever is away is waited for: then the link is let go, and taken up again.
        """
        name = f"{self.resources.name}.link-{self.settings.id}"
        while True:
            try:
                async with held(self.resources.nc, name, self.owner, may=self.shares.may) as lease:
                    self._hold(holds=True)
                    async with open_link(self.settings) as link:
                        await self._own(lease, link)
            except (PyMongoError, *AWAY) as error:
                if not is_away(error):
                    raise
                log.warning("link let go", link=self.settings.id, why=repr(error))
            finally:
                self._hold(holds=False)
            await asyncio.sleep(AGAIN_S)

    def _hold(self, *, holds: bool) -> None:
        self.holds = holds
        self.shares.changed()

    async def _own(self, lease: Lease, link: Link) -> None:
        """Take up the link's campaigns where the log says they are; go on until the lease ends."""
        store = await Ownership.declare(self.resources.log, self.settings.id, lease)
        await self._catch_up()
        inflight = InFlight(
            self.settings.id,
            self.views.of_messages,
            lambda: self.projectors[1].seq,
            self.views.told,
        )
        settling = Settling(inflight, self.undecided_wait_s, self.settings.on_unknown)
        await recall(self.views, self.settings.id, settling)
        sender = Sender(
            store,
            link,
            Limits(
                self.settings.unanswered,
                self.settings.segments_per_second,
                self.delivery_wait,
            ),
            settling,
            Shelf(
                self.views.of_messages,
                lambda: self.projectors[1].seq,
                self.suppressions,
                self.secret,
            ),
            self.suppressions.is_fresh,
            self.opt_outs,
            self._backoff,
        )
        # Before the sender hears the first report, so that its counters miss nothing.
        unready = await self._place_all({"status": {"$in": list(AT_WORK)}}, sender)
        following = asyncio.create_task(self._follow(sender, unready))
        sending = asyncio.create_task(sender.run(lease))
        asking = asyncio.create_task(Querying(link, self.settings, self.views).run())
        sharing = asyncio.create_task(self._until_others_have_less())
        self._owned = link, sender
        try:
            done, _ = await asyncio.wait(
                {following, sending, asking, sharing}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            self._owned = None
            sender.stop()
            ending = (following, asking, sharing, *self._plans.values())
            for task in ending:
                task.cancel()
            await asyncio.gather(sending, *ending, return_exceptions=True)
            self._plans.clear()

    async def _until_others_have_less(self) -> None:
        """Wait until another dispatcher should have this link."""
        while not self.shares.too_many():  # noqa: ASYNC110 - told over time, there is no event
            await asyncio.sleep(LOOK_S)
        self.shares.gave_up()
        log.info("link given up", link=self.settings.id, why="another dispatcher has less to do")

    async def _catch_up(self) -> None:
        """Wait until the views hold all that the previous owner wrote."""
        for projector in self.projectors:
            projection = projector.projection
            end = await self.resources.log.last_seq(projection.stream, projection.subject)
            while not await projector.reached(end, CATCH_UP_S):
                log.info(
                    "catching up", projection=projector.projection.id, at=projector.seq, to=end
                )

    async def _follow(self, sender: Sender, unready: set[str]) -> None:
        """Do with each campaign of the link what its status says, whenever that changes."""
        while True:
            await self._until_news()
            ids, self._changed = self._changed | unready, set()
            wanted: Document = {"_id": {"$in": list(ids)}}
            if self._all_changed:
                self._all_changed = False
                ids |= {campaign.id for campaign in sender.campaigns}
                at_work = {"status": {"$in": list(AT_WORK)}}
                wanted = {"$or": [{"_id": {"$in": list(ids)}}, at_work]}
            elif not ids:
                continue
            unready = await self._place_all(wanted, sender)

    async def _place_all(self, wanted: Document, sender: Sender) -> set[str]:
        """Place the link's campaigns that match; return those that have to be looked at again."""
        mine = {**wanted, "settings.link_id": self.settings.id}
        campaigns = await self.views.campaigns.find(mine).to_list()
        ids = {"$in": [campaign["_id"] for campaign in campaigns]}
        sendings = {row["_id"]: row async for row in self.views.sendings.find({"_id": ids})}
        unready = set[str]()
        for campaign in campaigns:
            placed = False
            with self._backoff.guarding(campaign["_id"]):
                placed = await self._place(campaign, sendings.get(campaign["_id"], {}), sender)
            if not placed:
                unready.add(campaign["_id"])
        return unready

    async def _until_news(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), LOOK_S)
        except TimeoutError:
            return
        self._news.clear()

    async def _place(self, campaign: Document, sending: Document, sender: Sender) -> bool:
        """Do with a campaign what its status says; False when that has to wait."""
        campaign_id = campaign["_id"]
        if campaign["status"] == "building":
            return self._plan(campaign)
        self._plans.pop(campaign_id, None)
        if campaign["status"] not in ("sending", "paused"):
            sender.drop(campaign_id)
            return True
        known = sender.get(campaign_id)
        if known is not None:
            known.follow(campaign)
            known.hear_plan(sending)
            sender.wake.set()
            return True
        if self._backoff.rests(campaign_id):
            return False
        source = await self.views.source(campaign)
        if not sending.get("planned") or source is None:
            return False
        waiting = {"campaign": campaign_id, "due_at": {"$exists": True}}
        resting = await self.views.deferred.count_documents(waiting)
        audience = self.views.audience(campaign)
        sender.put(Outgoing.of(campaign, sending, source, audience, resting))
        if campaign["settings"]["mode"] == "trigger":
            self.pushes.take_up(campaign)
        return True

    def _plan(self, campaign: Document) -> bool:
        """Have the campaign planned, once at a time; look again until its status has moved on."""
        campaign_id = campaign["_id"]
        running = self._plans.get(campaign_id)
        rests = self._backoff.rests(campaign_id)
        if not rests and (running is None or running.done()):
            self._plans[campaign_id] = asyncio.create_task(self._planned(campaign))
        return False

    async def _planned(self, campaign: Document) -> None:
        planner = Planner(self.resources.log, self.views, self.suppressions)
        led_to_by = campaign.get("traceparent")
        try:
            with (
                self._backoff.guarding(campaign["_id"]),
                tracing.span("plan", parent=led_to_by, campaign=campaign["_id"]),
            ):
                if await self.views.source(campaign) is None:
                    await planner.refuse(campaign, "the sender has no approved revision")
                else:
                    await planner.plan(campaign)
        except Conflict as conflict:
            log.warning("plan starts over", campaign=campaign["_id"], why=str(conflict))
