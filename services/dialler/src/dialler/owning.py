"""Owning a campaign: by a lease, one dialler calls its contacts.

Diallers share the campaigns: who owns fewest reaches for the next one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from campaign_events import tracing
from campaign_events.backoff import Backoff
from campaign_events.call import RunOpened
from campaign_events.entries import Heading
from campaign_events.envelope import Address, derived_id
from campaign_events.leases import Lease, held
from campaign_events.parking import AWAY, is_away
from campaign_events.projection import Document
from campaign_events.projector import Projector
from campaign_events.service import Resources
from campaign_events.shares import Shares
from campaign_events.voice import VoiceSettings
from dialler.closing import Closer
from dialler.dialling import Dialling, OwnershipInDoubt
from dialler.ending import Endings
from dialler.facts import append
from dialler.finishing import Finisher
from dialler.joining import Joiner
from dialler.live import LiveBlock, Pulse
from dialler.names import run_name
from dialler.noting import Notes
from dialler.nowhere import Nowhere
from dialler.pace import Pace
from dialler.reading import Views
from dialler.run import Fences, Run
from dialler.shelf import Shelf
from dialler.switchboard import Switchboard
from dialler.talking import Talking
from dialler.tally import Tally
from dialler.telephony.telephony import parted

OWNED = Gauge("carillon_owned_campaigns", "Campaigns that this dialler owns")
LET_GO = Counter("carillon_let_go_campaigns", "Campaigns that this dialler had to let go of")

LOOK_S = 1.0
CATCH_UP_S = 5.0
AT_WORK = ("running", "paused")
LAST_TURN_S = 3.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Owners:
    """One candidate for the ownership of every campaign that is to be dialled."""

    resources: Resources
    views: Views
    campaigns: Projector
    calls: Projector
    switchboards: Mapping[str, Switchboard]
    owner: str
    shares: Shares = field(init=False)
    _owned: dict[str, Dialling | None] = field(default_factory=dict)
    _contending: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        self.shares = Shares(
            self.resources.nc, self.resources.name, self.owner, lambda: [*self._owned]
        )

    async def heard(self, headings: Sequence[Heading]) -> None:
        """Take note of campaigns that a projected batch is about."""
        self._changed |= {heading.address.thing for heading in headings}
        self._news.set()

    def look_soon(self) -> None:
        """Look at every campaign: something was decided, another dialler has told the view."""
        self._changed |= self._owned.keys()
        self._news.set()

    def block(self, campaign: str) -> LiveBlock | None:
        """Return how dialling goes in a campaign; None when it is not owned here."""
        dialling = self._owned.get(campaign)
        if dialling is None:
            return None
        return {"workspace": dialling.run.workspace, **dialling.block()}

    @property
    def diallings(self) -> Sequence[Dialling]:
        """What is dialled here."""
        return [dialling for dialling in self._owned.values() if dialling is not None]

    async def run(self) -> None:
        """Reach for every campaign at work, and do with those owned what their status says."""
        try:
            while True:
                try:
                    await self._look()
                except PyMongoError as error:
                    if not is_away(error):
                        raise
                    log.warning("MongoDB is away, nobody is reached for", why=repr(error))
                await self._until_news()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Have the turns in hand come to their end, then let go of everything."""
        self._stopping = True
        for dialling in self.diallings:
            dialling.stop()
        busy = [self._contending[name] for name, one in self._owned.items() if one is not None]
        if busy:
            await asyncio.wait(busy, timeout=LAST_TURN_S)
        tasks = list(self._contending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_news(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), LOOK_S)
        except TimeoutError:
            return
        self._news.clear()

    async def _look(self) -> None:
        changed, self._changed = self._changed, set()
        await self._tell(changed & self._owned.keys())
        for name, task in list(self._contending.items()):
            if task.done():
                del self._contending[name]
                with self._backoff.guarding(name):
                    task.result()
        for campaign in await self._at_work() - self._contending.keys():
            if self._backoff.rests(campaign):
                continue
            self._contending[campaign] = asyncio.create_task(self._contend(campaign))

    async def _at_work(self) -> set[str]:
        """Return the campaigns that somebody has to own."""
        active = self.views.campaigns.find({"status": {"$in": list(AT_WORK)}}, {"run": 1})
        runs = {run_name(row["_id"], row["run"]): row["_id"] async for row in active}
        names = set(runs.values())
        if runs:
            over = self.views.runs.find({"_id": {"$in": list(runs)}, "finished": True}, {"_id": 1})
            names -= {runs[row["_id"]] async for row in over}
        unfinished = self.views.runs.find({"finished": False}, {"campaign": 1})
        return names | {row["campaign"] async for row in unfinished}

    async def _tell(self, changed: set[str]) -> None:
        """Have the owned campaigns do what was decided about them."""
        if not changed:
            return
        async for campaign in self.views.campaigns.find({"_id": {"$in": list(changed)}}):
            dialling = self._owned.get(campaign["_id"])
            if dialling is None:
                continue
            with self._backoff.guarding(campaign["_id"]):
                _follow(dialling, campaign)
            if self._backoff.rests(campaign["_id"]):
                dialling.stop()

    async def _contend(self, campaign: str) -> None:
        """Own a campaign as soon as nobody else does, until nothing is left to do for it."""
        name = f"{self.resources.name}.calls-{campaign}"
        async with held(self.resources.nc, name, self.owner, may=self.shares.may) as lease:
            self._owned[campaign] = None
            self._count()
            try:
                await self._own(lease, campaign)
            except (OwnershipInDoubt, PyMongoError, *AWAY) as why:
                if not (isinstance(why, OwnershipInDoubt) or is_away(why)):
                    raise
                LET_GO.inc()
                log.warning("campaign let go", campaign=campaign, why=repr(why))
            finally:
                if lease.lost.is_set():
                    LET_GO.inc()
                del self._owned[campaign]
                self._count()

    def _count(self) -> None:
        OWNED.set(len(self._owned))
        self.shares.changed()

    async def _own(self, lease: Lease, name: str) -> None:
        """Dial the runs of a campaign where the log says they are, until the lease ends."""
        while not (lease.lost.is_set() or self._stopping):
            await self._catch_up()
            campaign = await self.views.campaigns.find_one({"_id": name})
            if campaign is None:
                return
            runs = await self.views.runs.find({"campaign": name}).sort("run").to_list()
            fences = Fences.of(runs)
            # A run whose live calls have not ended goes before the next one: nobody rings twice.
            unfinished = [run for run in runs if not run.get("finished")]
            if unfinished:
                await self._dial(lease, campaign, Run.of(campaign, unfinished[0], fences))
            elif campaign["status"] in AT_WORK and not _opened(runs, campaign["run"]):
                await self._open(campaign, fences)
            else:
                return

    async def _catch_up(self) -> None:
        """Wait until the views hold all that the previous owner wrote."""
        for projector in (self.campaigns, self.calls):
            end = await self.resources.log.last_seq(projector.projection.stream)
            while not await projector.reached(end, CATCH_UP_S):
                log.info(
                    "catching up", projection=projector.projection.id, at=projector.seq, to=end
                )

    async def _open(self, campaign: Document, fences: Fences) -> None:
        """Say who waits to be called in a run that has just begun.

        Contacts that join a campaign without an upload are an audience of the campaign's own id.
        """
        run, as_of = campaign["run"], self.campaigns.seq
        event = RunOpened(
            run=run,
            audience=campaign.get("audience") or campaign["_id"],
            total=await self.views.eligible(campaign, run, as_of),
            last=campaign.get("contacts", 0),
            as_of=as_of,
        )
        address = Address(campaign["workspace"], campaign["_id"])
        name = derived_id(event.type, campaign["_id"], str(run))
        with tracing.span(
            "open run", linked=[campaign.get("traceparent")], campaign=campaign["_id"]
        ):
            await append(self.resources.log, event, address, after=fences.opened, name=name)

    async def _dial(self, lease: Lease, campaign: Document, run: Run) -> None:
        telephony, _ = parted(run.settings.destination)
        switchboard = self.switchboards.get(telephony) or Switchboard(Nowhere(telephony))
        try:
            dialling = await self._dialling(run, switchboard, lease)
            dialling.joiner.contacts = campaign.get("contacts", 0)
            self._owned[run.campaign] = dialling
            self._changed.add(run.campaign)
            await dialling.take_over()
            log.info("dialling", campaign=run.campaign, run=run.number, epoch=lease.epoch)
            if telephony not in self.switchboards and not run.broken:
                await dialling.finisher.fail(run, f"there is no telephony called {telephony}")
            await dialling.work()
        finally:
            self._owned[run.campaign] = None
            switchboard.disconnect(run.campaign)

    async def _dialling(self, run: Run, switchboard: Switchboard, lease: Lease) -> Dialling:
        store, views = self.resources.log, self.views
        now = datetime.now(UTC).timestamp()
        hours = await views.hours.find({"campaign": run.campaign}).to_list()
        pace = Pace(run.settings, Tally(hours), now)

        def calls_to() -> int:
            return self.calls.seq

        def campaigns_to() -> int:
            return self.campaigns.seq

        return Dialling(
            store=store,
            views=views,
            run=run,
            extension=switchboard.connect(run.campaign),
            pace=pace,
            talking=Talking(pace.room),
            endings=Endings(store, views, run),
            closer=Closer(store, views, calls_to),
            joiner=Joiner(store, views),
            finisher=Finisher(store, views, calls_to, campaigns_to),
            shelf=Shelf(views, calls_to),
            notes=Notes(views.live, run),
            pulse=Pulse(now),
            lease=lease,
        )


def _opened(runs: Sequence[Document], number: int) -> bool:
    return any(run["run"] == number for run in runs)


def _follow(dialling: Dialling, campaign: Document) -> None:
    dialling.run.follow(campaign)
    dialling.pace.follow(VoiceSettings.model_validate(campaign["settings"]))
    dialling.joiner.contacts = campaign.get("contacts", 0)
    dialling.closer.news = True
    dialling.extension.stirred.set()
