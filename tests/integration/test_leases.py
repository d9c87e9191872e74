import asyncio

from nats.aio.client import Client

from campaign_events.leases import held


async def test_only_one_holds_a_lease_and_the_next_has_a_higher_epoch(
    nc: Client, workspace: str
) -> None:
    async def second() -> int:
        async with held(nc, workspace, "b", ttl_s=2) as lease:
            return lease.epoch

    async with held(nc, workspace, "a", ttl_s=2) as first:
        waiting = asyncio.create_task(second())
        done, _ = await asyncio.wait([waiting], timeout=3)
        assert not done
        assert not first.lost.is_set()

    assert await asyncio.wait_for(waiting, 5) > first.epoch


async def test_a_lease_that_somebody_else_took_is_lost(nc: Client, workspace: str) -> None:
    async with held(nc, workspace, "a", ttl_s=2) as lease:
        await nc.jetstream().publish(f"lease.{workspace}", b"usurper")

        await asyncio.wait_for(lease.lost.wait(), 5)
