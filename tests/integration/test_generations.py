"""A view grows anew beside the live one; readers change over without seeing less than before."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from pymongo.errors import AutoReconnect

from campaign_events import succession
from campaign_events.campaign import CampaignCreated, SmsSettings
from campaign_events.decider import Refused
from campaign_events.entries import Heading
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.generation import AheadOfLog
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.shared_projection import SharedProjector
from campaign_events.succession import Job, Succession
from campaign_events.upkeep import Upkeep
from doors import Issuer, at_work, resources
from read_model.projections import HISTORY
from read_model.views import history

pytestmark = [
    pytest.mark.timeout(120),
    # pymongo leaves its socket to the garbage collector when it is cancelled while it connects.
    pytest.mark.filterwarnings("ignore:.*socket:pytest.PytestUnraisableExceptionWarning"),
]

SMALL = replace(HISTORY, batch=10)
"""Many commits, so that there is a middle to be killed in."""
CREATED = CampaignCreated(
    settings=SmsSettings(name="c", text="t", sender_id="s", link_id="l"),
    author=Actor(id="ann", name="Ann"),
)


@dataclass
class Kept:
    """A view that is kept, what was said to it, and what operators ask of it."""

    projector: Projector
    upkeep: Upkeep
    log: EventLog
    workspace: str
    told: list[int]

    async def say(self, times: int) -> int:
        """Say so many things; return the place of the last."""
        origin = Origin(new_id(), datetime.now(UTC), "test")
        facts = [Fact(CREATED, Address(self.workspace, new_id()), new_id()) for _ in range(times)]
        return max(await asyncio.gather(*(self.log.append_fact(fact, origin) for fact in facts)))

    async def read(self) -> int:
        """Read as people do: how many facts of the workspace are there?"""
        return await self.projector.view[history.NAME].count_documents(
            {"workspace": self.workspace}
        )

    async def ask(self, question: str, **body: Any) -> Any:
        answerers = self.upkeep.answerers()
        return await answerers[question]({"name": "history", **body})

    async def job(self) -> Job:
        job = (await self.projector.succession.standing()).job
        assert job is not None
        return job

    async def until(self, wanted: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(40):
            while not wanted(job := await self.job()):
                await asyncio.sleep(0.02)
        return job

    async def done(self) -> Job:
        return await self.until(lambda job: job.state == "done")


@dataclass
class Stage:
    """Where services that keep the view can be started."""

    nc: Client
    db: Database
    urls: tuple[str, str]
    issuer: Issuer
    workspace: str

    @asynccontextmanager
    async def service(self, **settings: Any) -> AsyncIterator[Kept]:
        told: list[int] = []

        async def committed(headings: Sequence[Heading]) -> None:
            told.extend(heading.seq for heading in headings)

        projector = Projector(SMALL, self.nc, self.db, committed)
        async with self.keeping(projector, told, **settings) as kept:
            yield kept

    @asynccontextmanager
    async def keeping(
        self, projector: Projector, told: list[int], **settings: Any
    ) -> AsyncIterator[Kept]:
        owned = resources("read_model", self.issuer, self.nc, self.db, urls=self.urls)
        owned = replace(owned, settings=owned.settings.model_copy(update=settings))
        upkeep = Upkeep(owned, [projector])
        await upkeep.prepare()
        async with at_work({"view": projector.run(), **upkeep.work()}):
            yield Kept(projector, upkeep, owned.log, self.workspace, told)


@pytest.fixture
def stage(  # noqa: PLR0917
    nc: Client, db: Database, nats_url: str, mongo_url: str, tmp_path: Path, workspace: str
) -> Stage:
    return Stage(nc, db, (nats_url, mongo_url), Issuer.make(tmp_path), workspace)


async def test_reads_are_never_empty_or_older_while_a_view_is_rebuilt_and_switched(
    stage: Stage,
) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(500), 20)
        over = asyncio.Event()
        seen: list[tuple[int, int]] = []

        async def go_on() -> None:
            while not over.is_set():
                await kept.projector.reached(await kept.say(5), 20)

        async def look() -> None:
            while not over.is_set():
                place = kept.projector.seq
                seen.append((place, await kept.read()))

        working = [asyncio.create_task(go_on()), asyncio.create_task(look())]
        for question, live in (("rebuild", 2), ("rollback", 1), ("switch", 2)):
            await kept.ask(question)
            await kept.done()
            assert kept.projector.view.generation == live
        over.set()
        await asyncio.gather(*working)
        last = await kept.say(1)
        assert await kept.projector.reached(last, 20)

        assert seen == sorted(seen)
        assert seen[0][1] >= 500
        assert sorted(set(kept.told)) == kept.told
        assert kept.told[-1] == last
        assert (await kept.ask("drop"))["dropped"] == 1
        assert HISTORY.collection(history.NAME) not in await stage.db.list_collection_names()
        assert await kept.read() > seen[-1][1]


async def test_what_readers_are_led_back_to_is_not_dropped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who drops waits for the last readers; meanwhile somebody else thinks better of it."""
    monkeypatch.setattr(succession, "LAST_READS", timedelta(seconds=6))
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(20), 20)
        await kept.ask("rebuild")
        await kept.done()
        dropping = asyncio.create_task(kept.ask("drop"))
        await kept.ask("rollback")
        await kept.until(lambda job: (job.kind, job.state) == ("rollback", "done"))

        with pytest.raises(Refused, match="switched to"):
            await dropping
        assert kept.projector.view.generation == 1
        assert await kept.projector.reached(await kept.say(10), 20)
        assert await kept.read() == 30


async def test_a_builder_that_is_killed_goes_on_where_it_was(stage: Stage) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(6000), 30)
        await kept.ask("rebuild")

        job = await kept.until(lambda job: bool(job.progress and job.progress["position"]))
        assert job.progress is not None
        assert job.progress["position"] < job.progress["target"]
        killed = job.progress["pid"]
        os.kill(killed, signal.SIGKILL)
        places = await kept.projector.succession.places()
        again = await kept.until(lambda it: bool(it.progress and it.progress["pid"] != killed))

        assert again.progress is not None
        assert again.progress["position"] >= places[2] > 0
        await kept.done()
        assert kept.projector.view.generation == 2
        assert await kept.read() == 6000
        assert len(await kept.projector.view[history.NAME].index_information()) == 2


async def test_a_build_and_its_end_outlive_the_service(stage: Stage) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(600), 30)
        await kept.ask("rebuild")
        job = await kept.until(lambda job: bool(job.progress and job.progress["position"]))
    assert job.is_running

    async with stage.service() as kept:
        assert (await kept.done()).id == job.id
        assert kept.projector.view.generation == 2
        assert await kept.read() == 600
        await kept.ask("drop")

    async with stage.service() as kept:
        assert await kept.read() == 600


async def test_what_makes_no_sense_is_refused_and_says_why(stage: Stage) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(600), 30)
        with pytest.raises(Refused, match="rebuild it first"):
            await kept.ask("switch")
        with pytest.raises(Refused, match="rebuild it first"):
            await kept.ask("rollback")
        with pytest.raises(Refused, match="is live"):
            await kept.ask("drop", generation=1)
        with pytest.raises(Refused, match="has no generation 7"):
            await kept.ask("switch", generation=7)

        await kept.ask("rebuild")
        with pytest.raises(Refused, match="under way"):
            await kept.ask("rebuild")
        with pytest.raises(Refused, match="under way"):
            await kept.ask("verify")


async def test_a_crash_right_after_the_switch_leaves_nothing_to_be_done_again(stage: Stage) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(10), 20)
        await kept.ask("rebuild")
        job = await kept.done()
        unsaid = {"$set": {"job.state": "switching"}, "$unset": {"job.ended_at": ""}}
        await stage.db.generations.update_one({"job.id": job.id}, unsaid)
        with pytest.raises(Refused, match="is live"):
            await kept.ask("drop", generation=2)

        assert (await kept.done()).id == job.id
        assert await kept.projector.reached(await kept.say(10), 20)
        assert await kept.read() == 20


async def test_a_switch_that_mongodb_breaks_off_is_made_by_whoever_keeps_the_view_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = SharedProjector(SMALL, stage.nc, stage.db, owner="one")
    switched, away = Succession.switched, [AutoReconnect("away"), None]

    async def once_away(succession: Succession, live: int, wanted: int) -> None:
        if error := away.pop(0):
            raise error
        await switched(succession, live, wanted)

    monkeypatch.setattr(Succession, "switched", once_away)
    async with stage.keeping(projector, []) as kept:
        assert await projector.reached(await kept.say(100), 20)
        await kept.ask("rebuild")
        await kept.done()
        assert (projector.view.generation, away) == (2, [])
        assert await projector.reached(await kept.say(10), 20)
        assert await kept.read() == 110


async def test_an_unfinished_build_can_be_dropped(stage: Stage) -> None:
    async with stage.service() as kept:
        await kept.projector.reached(await kept.say(800), 30)
        await kept.ask("rebuild")
        job = await kept.until(lambda job: bool(job.progress and job.progress["position"]))

        assert (await kept.ask("drop"))["dropped"] == 2

        assert (await kept.job()).state == "cancelled"
        assert list(await kept.projector.succession.places()) == [1]
        await _gone(job)
        assert "campaign_history.r1.g2" not in await stage.db.list_collection_names()
        assert (await kept.ask("rebuild"))["job"]["generation"] == 3


async def test_processes_that_share_a_view_change_over_together(stage: Stage) -> None:
    first = SharedProjector(SMALL, stage.nc, stage.db, owner="one")
    second = SharedProjector(SMALL, stage.nc, stage.db, owner="two")
    async with stage.keeping(first, []) as kept, stage.keeping(second, []) as other:
        last = await kept.say(100)
        assert await first.reached(last, 20)
        assert await second.reached(last, 20)

        await other.ask("rebuild")
        await kept.done()

        async with asyncio.timeout(60):
            while {first.view.generation, second.view.generation} != {2}:
                await asyncio.sleep(0.02)
        assert await kept.read() == await other.read() == 100
        last = await kept.say(10)
        assert await first.reached(last, 20)
        assert await second.reached(last, 20)
        assert await kept.read() == await other.read() == 110


async def test_a_view_that_is_ahead_of_the_log_is_put_aside_only_when_that_is_wanted(
    stage: Stage,
) -> None:
    async with stage.service() as kept:
        end = await kept.say(20)
        assert await kept.projector.reached(end, 20)
    ahead = {"$set": {"seq": end + 1}}
    await stage.db.checkpoints.update_one({"_id": SMALL.checkpoint()}, ahead)

    with pytest.raises(AheadOfLog, match="CARILLON_REGROW_VIEWS=1"):
        async with stage.service():
            pass
    async with stage.service(regrow_views=True) as kept:
        assert await kept.projector.reached(end, 60)
        assert (kept.projector.view.generation, await kept.read()) == (2, 20)


async def _gone(job: Job) -> None:
    assert job.progress is not None
    async with asyncio.timeout(60):
        while Path(f"/proc/{job.progress['pid']}/stat").exists():
            await asyncio.sleep(0.02)
