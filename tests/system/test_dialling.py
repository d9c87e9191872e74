"""A big campaign in the simulated phone network, while its dialler is killed again and again."""

import asyncio
import os
import random
from collections import Counter

import pytest

from dialling import Rig, states
from phones_process import Phones, rung_twice_at_once

CONTACTS, KILLS = (5000, 10) if os.environ.get("CARILLON_CHAOS") else (1500, 4)
"""`make chaos` takes the whole of it."""
SEATS = 200
HABITS: dict[str, object] = {
    "seed": 11,
    "time_scale": 50.0,
    "answer": 0.4,
    "patience_s": 3000,
    "dispositions": {"not_interested": 0.2},
}
FINAL = {
    *("completed", "failed", "abandoned", "machine_detected", "window_closed", "manual_stopped")
}


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.timeout(400)
async def test_every_contact_comes_to_one_end_although_its_dialler_is_killed_again_and_again(
    rig: Rig, phones: Phones
) -> None:
    chance = random.Random(1)
    campaign = await rig.start(CONTACTS, concurrency_limit=SEATS, cps_limit=300)
    for kill in range(KILLS):
        with rig.dialler() as process:
            before = len(phones.lines("dialled"))
            async with asyncio.timeout(40):
                while len(phones.lines("dialled")) < before + (50 if kill else 500):
                    await asyncio.sleep(0.1)
            await asyncio.sleep(chance.uniform(0, 1))
            process.kill()
            process.wait()
    with rig.dialler():
        facts = await rig.until(campaign, "call.finished", 250)

    ends = states(facts)
    assert len(ends) == CONTACTS
    assert set(ends.values()) <= FINAL
    assert not rung_twice_at_once(phones.lines("ended"))
    rung = Counter(line["call_id"] for line in phones.lines("dialled"))
    assert max(rung.values()) == 1
    assert max(Counter(line["phone"] for line in phones.lines("dialled")).values()) <= 2
