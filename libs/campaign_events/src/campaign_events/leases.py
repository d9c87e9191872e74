"""One owner at a time: a message with a time to live, whose sequence is the fencing number."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.js.client import JetStreamContext
from prometheus_client import Counter, Gauge

from campaign_events.topology import LEASES

HELD = Gauge("carillon_held_leases", "Leases held by this process", ["kind"])
LOSSES = Counter("carillon_lease_losses", "Leases lost while they were in use", ["kind"])

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lease:
    """The right to own `name`; `epoch` grows with every owner and goes into what it writes."""

    name: str
    epoch: int
    seq: int
    good_until: float = inf
    """On the loop's clock: nobody else can have it before."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_good(self) -> bool:
        """Whether it is certain, even after a long pause of this process, that nobody else owns."""
        return not self.lost.is_set() and asyncio.get_running_loop().time() < self.good_until


@asynccontextmanager
async def held(
    nc: Client,
    name: str,
    owner: str,
    *,
    ttl_s: int = 5,
    may: Callable[[], bool] = lambda: True,
) -> AsyncIterator[Lease]:
    """Wait for the lease, hold and renew it, and give it back at the end.

    When a renewal fails or comes too late `lease.lost` is set: the owner must stop at once.
    While `may` says no it is left to others. A process that died is followed at once by one of the
    same `owner` name, which nobody else may have.
    """
    js = nc.jetstream(timeout=2)
    subject = f"lease.{name}"
    seq, asked = await _acquire(js, subject, owner, ttl_s, may)
    lease = Lease(name, epoch=seq, seq=seq, good_until=asked + ttl_s)
    log.info("lease taken", lease=name, epoch=seq)
    kind = name.partition("-")[0].rpartition(".")[2]
    HELD.labels(kind).inc()
    losses = LOSSES.labels(kind)
    renewing = asyncio.create_task(_renew(js, subject, owner, lease, ttl_s))
    try:
        yield lease
    finally:
        HELD.labels(kind).dec()
        if lease.lost.is_set():
            losses.inc()
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        if not lease.lost.is_set():
            await _give_back(js, subject, owner, lease.seq)


async def _acquire(
    js: JetStreamContext, subject: str, owner: str, ttl_s: int, may: Callable[[], bool]
) -> tuple[int, float]:
    """Return the sequence of the lease message, and when it was asked for."""
    after = 0
    while True:
        asked = asyncio.get_running_loop().time()
        try:
            if may():
                return await _claim(js, subject, owner, after, ttl_s), asked
        except nats.js.errors.BadRequestError:
            if after == 0 and (after := await _left_behind(js, subject, owner)):
                continue
            after = 0
        except (nats.js.errors.APIError, nats.errors.Error):
            after = 0
        await asyncio.sleep(ttl_s / 10)


async def _left_behind(js: JetStreamContext, subject: str, owner: str) -> int:
    """Return the lease message of an earlier process of this owner's name; 0 if there is none."""
    try:
        found = await js.get_last_msg(LEASES, subject, direct=True)
    except (nats.js.errors.APIError, nats.errors.Error):
        return 0
    return found.seq or 0 if found.data == owner.encode() else 0


async def _claim(js: JetStreamContext, subject: str, owner: str, after: int, ttl_s: int) -> int:
    """Write the lease message in place of the entry `after` (0: of none); return its sequence."""
    headers = {"Nats-Expected-Last-Subject-Sequence": str(after), "Nats-TTL": str(ttl_s)}
    return (await js.publish(subject, owner.encode(), headers=headers)).seq


async def _renew(js: JetStreamContext, subject: str, owner: str, lease: Lease, ttl_s: int) -> None:
    """Renew at a third of the time to live; give up when it must have run out."""
    loop = asyncio.get_running_loop()
    pause = ttl_s / 3
    while True:
        await asyncio.sleep(pause)
        asked = loop.time()
        try:
            async with asyncio.timeout(max(lease.good_until - asked, 0.01)):
                lease.seq = await _claim(js, subject, owner, lease.seq, ttl_s)
            lease.good_until, pause = asked + ttl_s, ttl_s / 3
        except (nats.js.errors.APIError, nats.errors.Error, TimeoutError) as error:
            taken = False
            if isinstance(error, nats.js.errors.BadRequestError):
                # Our last renewal may have been stored without our having heard so.
                ours = await _left_behind(js, subject, owner)
                taken = ours <= lease.seq
                lease.seq = max(ours, lease.seq)
            if taken or loop.time() >= lease.good_until:
                log.warning("lease lost", lease=lease.name, why=repr(error))
                lease.lost.set()
                return
            pause = ttl_s / 20


async def _give_back(js: JetStreamContext, subject: str, owner: str, seq: int) -> None:
    """Let the next owner in soon: a second is the shortest time to live."""
    try:
        await _claim(js, subject, owner, seq, 1)
    except (nats.js.errors.APIError, nats.errors.Error) as error:
        log.info("lease runs out by itself", subject=subject, why=repr(error))
