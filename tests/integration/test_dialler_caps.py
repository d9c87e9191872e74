"""How often one contact may be rung, seen from the phone network."""

import asyncio
from datetime import datetime, timedelta

from campaign_events.voice import DiallingStopped
from dialling import BY, Rig, answering
from phones_process import Phones

HABITS: dict[str, object] = {"seed": 7, "time_scale": 100.0, "answer": 0.2, "patience_s": 3000}
HOUR = timedelta(hours=1)
GAP = timedelta(seconds=3)
ON_ITS_WAY_S = 0.5
"""From the decision to call somebody, which counts, to the phone that rings."""


async def test_nobody_is_rung_more_often_than_the_caps_allow(rig: Rig, phones: Phones) -> None:
    caps = [{"calls": 1, "hours": GAP / HOUR}, {"calls": 2, "hours": 1}]
    redial = {"max_attempts": 5, "retry_delay_minutes": 0}
    campaign = await rig.start(30, contact_caps=caps, redial_rules=redial)
    with rig.dialler():
        await rig.until(campaign, "call.dialled")
        async with asyncio.timeout(60), answering(rig, "author") as client:
            while True:
                calls = (await client.get(f"/api/v1/campaigns/{campaign}/calls")).json()["items"]
                waiting = [call for call in calls if call["status"] == "retry_scheduled"]
                if waiting and all(call["attempts"] == 2 for call in waiting):
                    break
                await asyncio.sleep(0.1)
        await rig.say(campaign, DiallingStopped(was="running", by=BY))
        await rig.until(campaign, "call.finished")

    rung: dict[str, list[float]] = {}
    for line in phones.lines("dialled"):
        rung.setdefault(line["phone"], []).append(line["at"])
    assert max(map(len, rung.values())) == 2
    gaps = [times[1] - times[0] for times in rung.values() if len(times) == 2]
    assert min(gaps) >= GAP.total_seconds() - ON_ITS_WAY_S
    for call in waiting:
        due_at = datetime.fromisoformat(call["next_attempt_at"]).timestamp()
        assert due_at >= rung[call["phone"]][0] + HOUR.total_seconds() - ON_ITS_WAY_S
