"""The servers of a platform's clusters: who leads, and whether all of them are there."""

import asyncio
from typing import Any

import nats
import nats.errors
from nats.js.errors import Error as JetStreamError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from campaign_events.topology import STREAMS
from stacks import Platform

NATS = ("nats", "nats-2", "nats-3")
MONGO = ("mongo", "mongo-2", "mongo-3")
WHOLE_WITHIN_S = 60.0
HEALTHY = {"PRIMARY", "SECONDARY"}


async def nats_leader(up: Platform, stream: str = "MESSAGES") -> str:
    """The process that leads a stream."""
    nc = await nats.connect(up.file().nats_url.split(","))
    try:
        cluster = (await nc.jetstream(timeout=5).stream_info(stream)).cluster
    finally:
        await nc.close()
    assert cluster is not None
    number = str(cluster.leader).rpartition("-")[2]
    return NATS[int(number) - 1]


async def mongo_primary(up: Platform) -> str:
    """The process that takes writes."""
    async with AsyncMongoClient[dict[str, Any]](up.file().mongo_url) as client:
        primary = (await client.admin.command("hello"))["primary"]
    places = up.file().services
    return next(name for name in MONGO if places[name].url.endswith(primary))


async def whole(up: Platform) -> None:
    """Wait until every stream has all its replicas, and the replica set all its members."""
    why = "not looked at"
    try:
        async with asyncio.timeout(WHOLE_WITHIN_S):
            while why:
                try:
                    why = await _missing_replicas(up) or await _missing_members(up)
                except (nats.errors.Error, JetStreamError, PyMongoError, OSError) as error:
                    why = repr(error)
                if why:
                    await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not whole within {WHOLE_WITHIN_S} s: {why}") from None


async def _missing_replicas(up: Platform) -> str:
    nc = await nats.connect(up.file().nats_url.split(","), max_reconnect_attempts=3)
    try:
        js = nc.jetstream(timeout=5)
        clusters = {
            stream.name: (await js.stream_info(str(stream.name))).cluster for stream in STREAMS
        }
    finally:
        await nc.close()
    for name, cluster in clusters.items():
        replicas = (cluster.replicas or []) if cluster else []
        current = [one for one in replicas if one.current and not one.offline]
        if cluster is None or not cluster.leader or len(current) < len(NATS) - 1:
            return f"{name}: {cluster}"
    return ""


async def _missing_members(up: Platform) -> str:
    async with AsyncMongoClient[dict[str, Any]](up.file().mongo_url) as client:
        status = await client.admin.command("replSetGetStatus")
    states = [member["stateStr"] for member in status["members"]]
    well = len(states) == len(MONGO) and set(states) <= HEALTHY and "PRIMARY" in states
    return "" if well else str(states)
