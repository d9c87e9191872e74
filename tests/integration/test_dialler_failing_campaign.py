"""A voice campaign whose own data can not be worked on keeps no other one from being dialled."""

import asyncio

from pymongo import AsyncMongoClient

from dialler.views import CAMPAIGNS
from dialling import ALL_DAY, Rig, states

HABITS: dict[str, object] = {"seed": 5, "time_scale": 100.0, "answer": 0.5, "patience_s": 3000}


async def test_a_campaign_whose_time_zone_is_unknown_waits_and_others_are_dialled(rig: Rig) -> None:
    with rig.dialler() as process:
        bad = await rig.start(10, time_window={**ALL_DAY, "timezone": "Mars/Olympus"})
        log = rig.folder / "dialler.log"
        async with asyncio.timeout(20):
            while "campaign passed over" not in log.read_text():
                await asyncio.sleep(0.05)
        other = await rig.start(10)
        assert len(states(await rig.until(other, "call.finished"))) == 10
        async with AsyncMongoClient[dict[str, object]](rig.mongo_url) as mongo:
            campaigns = mongo["dialler"][CAMPAIGNS.collection("campaigns")]
            mended = {"settings.time_window.timezone": "UTC"}
            await campaigns.update_one({"_id": bad}, {"$set": mended})
        facts = await rig.until(bad, "call.finished")
        assert process.poll() is None

    assert len(states(facts)) == 10
    assert log.read_text().count("campaign passed over") < 10
