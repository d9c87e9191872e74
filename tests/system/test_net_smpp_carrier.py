"""The real dispatcher against Net::SMPP: one id for every message, and never a report."""

import pytest

from dispatching import Rig, moves
from net_smpp_carrier import NetSmppCarrier, unpacked

pytestmark = [pytest.mark.serial, pytest.mark.timeout(90)]


@pytest.fixture
def rig(stage: Rig, request: pytest.FixtureRequest) -> Rig:
    assert request.config.cache is not None
    modules = unpacked(request.config.cache.mkdir("net_smpp"))
    stage.carrier = NetSmppCarrier(stage.folder, modules)
    return stage


async def test_binding_submitting_and_unbinding_work_and_the_campaign_ends_without_reports(
    rig: Rig,
) -> None:
    rig.link_lines = "sessions = 2\nquery_after_s = 0\n"
    with rig.carrying():
        with rig.dispatcher(delivery_wait_s=2):
            short, long = await rig.approve(400), await rig.approve(50, text="ж" * 100, first=1001)
            await rig.start(short)
            await rig.start(long)
            ends = [await rig.until(one, "message.finished") for one in (short, long)]
        unbound = rig.carrier.lines("unbound")

    assert [moves(facts) for facts in ends] == [{"submitted": 400}, {"submitted": 50}]
    assert len(rig.accepted()) == 400 + 2 * 50
    assert set(rig.accepted().values()) == {1}
    assert len(unbound) == 2
