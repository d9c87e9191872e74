"""What a service does for its views besides following the log: builds, switches, verifications."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import FastAPI
from prometheus_client import Counter
from pymongo.errors import PyMongoError

from campaign_events import ops
from campaign_events.building import Order
from campaign_events.generation import AheadOfLog, check_place
from campaign_events.parked_desk import ParkedDesk
from campaign_events.parking import is_away
from campaign_events.problems import not_found
from campaign_events.projector import Projector
from campaign_events.service import Resources
from campaign_events.settings import Settings
from campaign_events.standing import described, placed
from campaign_events.succession import Job, Standing, stands

REBUILDS = Counter(
    "carillon_projection_rebuilds",
    "Work on generations of a view",
    ["projection", "kind", "outcome"],
)

LOOK_S = 1.0
WATCH_S = 0.25
"""While another process keeps a view: so much longer readers here may see what was before."""
AGAIN_S = (1.0, 2.0, 5.0, 15.0)
"""How long a build rests after its process has died; the last one again and again."""

log = structlog.get_logger(__name__)


class Upkeep:
    """Keeps the views of one service, and answers what operators want of them."""

    def __init__(self, resources: Resources, projectors: Sequence[Projector]) -> None:
        self._resources = resources
        self._projectors = projectors
        self._parked: Callable[[Projector], int] = lambda _: 0
        self._news = {projector.projection.name: asyncio.Event() for projector in projectors}
        self._asked = asyncio.Event()
        self._efforts: dict[str, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Have readers look at what is live, before the first of them comes.

        Raises:
            AheadOfLog: it holds what the log does not; nothing may work by it.

        """
        for projector in self._projectors:
            await projector.prepare()
            try:
                await self._check(projector)
            except AheadOfLog as ahead:
                if not self._resources.settings.regrow_views:
                    raise
                log.warning("view put aside", why=str(ahead))
                standing = await projector.succession.standing()
                await projector.succession.switched(standing.live, standing.newest + 1)
                await projector.prepare()

    async def _check(self, projector: Projector) -> None:
        projection, (live, seq) = projector.projection, await projector.succession.place()
        name = projection.checkpoint(live)
        await check_place(self._resources.log, name, seq, projection.stream)

    def serve(self, app: FastAPI) -> None:
        """Have operators' questions about the views answered beside the app."""
        desk: ParkedDesk = app.state.parked
        desk.projectors, self._parked = self._projectors, desk.of_view
        app.state.answerers |= self.answerers()

    def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the process does, by name."""
        return {"upkeep": self._look()}

    async def _look(self) -> None:
        """See where all views stand, and have done what is wanted of those that are kept here."""
        async with asyncio.TaskGroup() as working:
            while True:
                try:
                    await self._see(working)
                except PyMongoError as error:
                    if not is_away(error):
                        raise
                    log.warning("MongoDB is away", why=repr(error))
                await self._rest()

    async def _rest(self) -> None:
        """Rest until asked: for `LOOK_S`, or for `WATCH_S` while another process keeps a view."""
        for _ in range(round(LOOK_S / WATCH_S)):
            keeps_all = all(one.live is not None for one in self._projectors)
            if await _heard(self._asked, WATCH_S) or not keeps_all:
                return

    async def _see(self, working: asyncio.TaskGroup) -> None:
        seen = await stands(self._resources.db, [one.projection for one in self._projectors])
        for projector, stand in zip(self._projectors, seen, strict=True):
            await projector.see(stand)
            name = projector.projection.name
            effort = self._efforts.get(name)
            if _due(projector, stand.standing) and (effort is None or effort.done()):
                self._efforts[name] = working.create_task(self._bring_about(projector))

    async def _bring_about(self, projector: Projector) -> None:
        """Do what is wanted of a view, for as long as this process keeps it."""
        news, tries = self._news[projector.projection.name], 0
        while True:
            try:
                job = _due(projector, await projector.succession.standing())
                if job is None:
                    return
                tries = 0 if await self._advance(projector, job) else tries + 1
            except PyMongoError as error:
                if not is_away(error):
                    raise
                log.warning("MongoDB is away", projection=projector.projection.id, why=repr(error))
                await _heard(news, LOOK_S)
            if tries:
                await _heard(news, AGAIN_S[min(tries, len(AGAIN_S)) - 1])

    async def _advance(self, projector: Projector, job: Job) -> bool:
        """Bring a job to its end; False when it has to be tried again."""
        succession = projector.succession
        is_live = job.generation == projector.view.generation  # a crash after the switch
        code = 0 if is_live else await self._built(projector, job)
        if projector.live is None:
            return True
        if code != 0:
            trouble = f"its process ended with {code}: the log of {self._resources.name} says why"
            REBUILDS.labels(projector.projection.name, job.kind, "failed").inc()
            log.warning("build starts again", projection=projector.projection.id, code=code)
            await succession.note(job.id, trouble=trouble)
            return False
        if job.switch and not is_live:
            if not await succession.note(job.id, state="switching"):
                return True
            await projector.switch(job.generation)
        await succession.note(job.id, state="done", ended_at=datetime.now(UTC), trouble=None)
        REBUILDS.labels(projector.projection.name, job.kind, "done").inc()
        log.info("done", job=job.kind, projection=projector.projection.id, to=job.generation)
        return True

    async def _built(self, projector: Projector, job: Job) -> int:
        """Have a process of its own grow the generation; return how that ended."""
        told = self._resources.settings
        order = Order(
            service=self._resources.name,
            settings=Settings(**{name: getattr(told, name) for name in Settings.model_fields}),
            database=projector.db.name,
            projection=projector.projection,
            job=job.id,
            number=job.generation,
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "campaign_events.building"),
            projector.projection.checkpoint(job.generation),
            stdin=asyncio.subprocess.PIPE,
        )
        try:
            if process.stdin is not None:
                process.stdin.write(order.packed)
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def answerers(self) -> Mapping[str, ops.Answerer]:
        """Return what operators may ask, by the name of the question."""
        return {
            "places": self._places,
            "projections": self._listed,
            "projection": self._shown,
            "rebuild": self._rebuild,
            "switch": self._switch,
            "rollback": self._rollback,
            "drop": self._drop,
            "verify": self._verify,
            "verification": self._verification,
        }

    async def _places(self, _: ops.Body) -> list[dict[str, Any]]:
        return [placed(one, self._parked(one)) for one in self._projectors]

    async def _listed(self, _: ops.Body) -> list[dict[str, Any]]:
        telling = (described(one, self._resources) for one in self._projectors)
        return await asyncio.gather(*telling)

    async def _shown(self, body: ops.Body) -> dict[str, Any]:
        return await described(self._named(body), self._resources)

    async def _rebuild(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        await projector.succession.rebuild(switch=body.get("switch", True))
        return await self._begun(projector)

    async def _switch(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        await projector.succession.change("switch", body.get("generation"))
        return await self._begun(projector)

    async def _rollback(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        await projector.succession.change("rollback")
        return await self._begun(projector)

    async def _drop(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        dropped = await projector.succession.drop(body.get("generation"))
        return {"dropped": dropped, **await self._begun(projector)}

    async def _verify(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        await projector.succession.verify()
        return await self._begun(projector)

    async def _verification(self, body: ops.Body) -> dict[str, Any]:
        projector = self._named(body)
        found = await projector.db.verifications.find_one({"_id": projector.projection.id})
        if found is None:
            raise not_found(f"verification: {projector.projection.name} was never verified")
        del found["_id"]
        return found

    async def _begun(self, projector: Projector) -> dict[str, Any]:
        self._news[projector.projection.name].set()
        self._asked.set()
        return await described(projector, self._resources)

    def _named(self, body: ops.Body) -> Projector:
        for projector in self._projectors:
            if projector.projection.name == body.get("name"):
                return projector
        raise not_found("projection")


def _due(projector: Projector, standing: Standing) -> Job | None:
    """Return what is to be done about a view by this process, if anything is."""
    job = standing.job
    return job if job is not None and job.is_running and projector.live is not None else None


async def _heard(news: asyncio.Event, within_s: float) -> bool:
    """Wait for news, but not for long; tell whether there are any."""
    with suppress(TimeoutError):
        await asyncio.wait_for(news.wait(), within_s)
    came = news.is_set()
    news.clear()
    return came
