"""A view compared with a fold of the whole log: what differs is found, and nothing else."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client

from campaign_events import verifying
from campaign_events.campaign import CampaignCreated, SmsSettings
from campaign_events.entries import Entries
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.generation import Generation
from campaign_events.projection import Database, Projection
from campaign_events.projector import Projector
from campaign_events.succession import SCRATCH
from campaign_events.verifying import Findings, Verification
from doors import at_work
from ledgers import PROJECTIONS
from read_model.projections import CAMPAIGNS, COUNTERS, HISTORY, MESSAGES

CREATED = CampaignCreated(
    settings=SmsSettings(name="c", text="t", sender_id="s", link_id="l"),
    author=Actor(id="ann", name="Ann"),
)


@pytest.fixture
async def said(log: EventLog, workspace: str) -> Sequence[str]:
    """Campaigns that the log knows."""
    origin = Origin(new_id(), datetime.now(UTC), "test")
    names = [new_id() for _ in range(30)]
    facts = (Fact(CREATED, Address(workspace, name), new_id()) for name in names)
    await asyncio.gather(*(log.append_fact(fact, origin) for fact in facts))
    return names


async def verified(projector: Projector) -> Findings:
    async with projector.db.client.start_session() as session:
        scratch = Generation(projector.projection, SCRATCH, projector.nc, projector.db, session)
        verification = Verification(projector.succession, scratch)
        await scratch.follow(nobody, end=await verification.prepare())
        return await verification.compare(nobody)


async def nobody(_: Entries) -> None:
    return


async def kept(nc: Client, db: Database, log: EventLog, projection: Projection) -> Projector:
    """A view that holds the whole log."""
    projector = Projector(projection, nc, db)
    end = await log.last_seq(projection.stream, projection.subject)
    async with at_work({"view": projector.run()}):
        assert await projector.reached(end, 20)
    return projector


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    "projection", [each for _, each in PROJECTIONS], ids=[f"{a}.{b.name}" for a, b in PROJECTIONS]
)
async def test_what_is_planted_in_any_view_is_found_and_nothing_else(
    nc: Client, db: Database, log: EventLog, projection: Projection
) -> None:
    projector = await kept(nc, db, log, projection)
    assert (await verified(projector)).differing == 0

    for name in projection.collections:
        await projector.view[name].insert_one({"_id": "planted", "count": 1})
    found = await verified(projector)

    assert found.differing == len(projection.collections)
    assert {each.collection for each in found.differences} == set(projection.collections)
    assert {(each.id, each.field, each.folded) for each in found.differences} == {
        ("planted", "*", None)
    }
    left = await db.list_collection_names()
    assert not [name for name in left if name.endswith(".g0")]


async def test_a_difference_names_the_field_and_both_values(
    nc: Client, db: Database, log: EventLog, said: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PIECE", 7)
    projector = await kept(nc, db, log, CAMPAIGNS)
    rows = projector.view["campaigns"]
    await rows.update_one({"_id": said[3]}, {"$set": {"status": "done", "counts": {"x": 0}}})
    await rows.delete_one({"_id": said[4]})

    found = await verified(projector)

    told = {(each.id, each.field): (each.stored, each.folded) for each in found.differences}
    assert told.keys() == {(said[3], "status"), (said[4], "*")}
    assert told[said[3], "status"] == ("done", "new")
    assert told[said[4], "*"][0] is None
    assert found.differing == 2


async def test_a_view_is_verified_while_it_goes_on(
    nc: Client, db: Database, log: EventLog, said: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PIECE", 3)
    monkeypatch.setattr(verifying, "STRETCH_S", 0.01)
    projector = Projector(HISTORY, nc, db)
    over = asyncio.Event()
    origin = Origin(new_id(), datetime.now(UTC), "test")

    async def go_on() -> None:
        while not over.is_set():
            fact = Fact(CREATED, Address("w", new_id()), new_id())
            await projector.reached(await log.append_fact(fact, origin), 10)

    async with at_work({"view": projector.run()}):
        assert await projector.reached(await log.last_seq("CAMPAIGNS"), 20)
        going = asyncio.create_task(go_on())
        before = projector.seq
        found = await verified(projector)
        over.set()
        await going

    assert found.differing == 0
    assert before < found.position <= projector.seq
    assert found.documents >= len(said)


async def test_what_mongodb_forgets_by_its_age_is_no_difference(
    nc: Client, db: Database, log: EventLog
) -> None:
    projector = await kept(nc, db, log, MESSAGES)
    now = datetime.now(UTC)
    seconds = projector.view[COUNTERS]
    await seconds.insert_one({"_id": "old", "second": now - timedelta(days=2), "count": 1})
    await seconds.insert_one({"_id": "new", "second": now, "count": 1})

    found = await verified(projector)

    assert [each.id for each in found.differences] == ["new"]
