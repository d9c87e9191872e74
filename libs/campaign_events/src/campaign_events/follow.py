"""Ordered pull: every entry of a stream once, in order, over anything that may go wrong.

An ephemeral consumer without acknowledgements, heard over a connection of its own; a request for
more is always out before the last entries are used up. A gap, a missing heartbeat, a lost consumer
or a restarted server lead to a new consumer behind the last entry that was handed over.
"""

import asyncio

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.nuid import NUID

from campaign_events.entries import Entries, Stored
from campaign_events.nats_login import login_of
from campaign_events.wire import Delivery, Wire, WireLost

log = structlog.get_logger(__name__)
HEARTBEAT = "100"
REQUEST_OVER = frozenset(("404", "408"))
HEARTBEAT_S = 1.0
REQUEST_S = 30.0
AGAIN_S = 0.25
SLICE = 500
"""Entries that are taken without a break: half a millisecond."""


class _Lost(Exception):
    """The consumer can not be trusted any more."""


class Follower:
    """Reads one stream from behind `after` to its end and on, for ever.

    `subject` filters on the server; one filter is cheap, two are not.
    `batch` bounds what is held in memory: at most one and a half times as many entries.
    """

    def __init__(
        self,
        nc: Client,
        stream: str,
        *,
        subject: str = ">",
        after: int = 0,
        batch: int = 1000,
    ) -> None:
        self._nc = nc
        self._js = nc.jetstream(timeout=5)
        self._stream = stream
        self._subject = subject
        self._batch = batch
        self._next = after + 1
        self._names = NUID()
        self._consumer: str | None = None
        self._wire: Wire | None = None
        self._listening: asyncio.Task[None] | None = None
        self._arrived: list[Delivery] = []
        self._wake = asyncio.Event()
        self._wanted = 0
        self._consumed = 0
        self._status: str | None = None
        self.pending = 0
        """How many matching entries the server still had behind the last one handed over."""

    async def fetch(self) -> Entries:
        """Wait for news and return it: at least one entry, in log order.

        Far from the end of the stream the wait goes on until there is half a batch.

        Raises:
            nats.errors.ConnectionClosedError: the connection is closed for good.

        """
        while True:
            try:
                if self._wire is None:
                    self._wire = await self._open()
                if self._wanted <= self._batch // 2:
                    self._request(self._wire)
                await self._news()
                if self._arrived and (taken := await self._take()):
                    return Entries(taken)
            except (
                *(_Lost, WireLost, TimeoutError),
                *(nats.errors.Error, nats.js.errors.Error),
            ) as error:
                if self._nc.is_closed:
                    raise nats.errors.ConnectionClosedError from error
                log.warning("follower starts over", stream=self._stream, why=repr(error))
                await self.close()
                await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        """Let the consumer go; the server forgets it by itself when it can not be told."""
        wire, self._wire = self._wire, None
        listening, self._listening = self._listening, None
        self._arrived, self._wanted, self._status = [], 0, None
        if listening is not None:
            listening.cancel()
        if wire is not None:
            await wire.close()
        name, self._consumer = self._consumer, None
        if name is None or self._nc.is_closed:
            return
        try:
            await self._nc.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{name}", b"")
        except nats.errors.Error as error:
            log.info("consumer left behind", stream=self._stream, why=repr(error))

    async def _open(self) -> Wire:
        server = self._nc.connected_url
        if server is None:
            raise _Lost("not connected")
        self._consumer = f"follow-{self._names.next().decode()[-12:]}"
        self._inbox = self._nc.new_inbox()
        self._consumed = 0
        await self._js.add_consumer(
            self._stream,
            ConsumerConfig(
                name=self._consumer,
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._next,
                filter_subject=None if self._subject == ">" else self._subject,
                mem_storage=True,
                num_replicas=1,
                inactive_threshold=60,
            ),
        )
        wire = await Wire.open(server, login_of(self._nc))
        wire.subscribe(self._inbox)
        self._listening = asyncio.create_task(self._listen(wire))
        return wire

    async def _listen(self, wire: Wire) -> None:
        """Take in what comes; how much that is the requests bound."""
        try:
            while True:
                for delivery in await wire.read():
                    if delivery.reply.startswith(b"$JS.ACK."):
                        self._arrived.append(delivery)
                    elif delivery.status != HEARTBEAT:
                        self._status = f"{delivery.status}"
                self._wake.set()
        except WireLost as error:
            self._status = str(error)
        finally:
            self._wake.set()

    def _request(self, wire: Wire) -> None:
        body = {
            "batch": self._batch,
            "expires": int(REQUEST_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        self._wanted += self._batch
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        wire.publish(subject, orjson.dumps(body), self._inbox)

    async def _news(self) -> None:
        """Wait for entries or for the end of a request; silence beyond three heartbeats is loss."""
        while not self._worth_taking() and self._status is None:
            self._wake.clear()
            await asyncio.wait_for(self._wake.wait(), HEARTBEAT_S * 3)
        status, self._status = self._status, None
        if status in REQUEST_OVER:
            self._wanted = 0
        elif status is not None:
            raise _Lost(status)

    def _worth_taking(self) -> bool:
        if not self._arrived:
            return False
        return len(self._arrived) >= self._batch // 2 or _place(self._arrived[-1])[2] == 0

    async def _take(self) -> list[Stored]:
        """Return what has arrived, up to a gap; others have their turns in between."""
        deliveries, self._arrived = self._arrived, []
        self._wanted -= len(deliveries)
        taken: list[Stored] = []
        for delivery in deliveries:
            seq, consumed, pending = _place(delivery)
            if consumed != self._consumed + 1:
                self._status = f"entry {consumed} follows {self._consumed}"
                break
            subject = delivery.subject.decode()
            taken.append(Stored(self._stream, seq, subject, delivery.payload))
            self._consumed, self.pending = consumed, pending
            self._next = seq + 1
            if len(taken) % SLICE == 0:
                await asyncio.sleep(0)
        return taken


def _place(delivery: Delivery) -> tuple[int, int, int]:
    """Return stream sequence, consumer sequence and pending count of `$JS.ACK.…` (v1 or v2)."""
    tokens = delivery.reply.split(b".")
    offset = 0 if len(tokens) == 9 else 2  # noqa: PLR2004 - ADR-15: v2 adds domain and account
    return int(tokens[5 + offset]), int(tokens[6 + offset]), int(tokens[8 + offset])
