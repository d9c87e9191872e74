"""Ordered pull: every entry of a stream once, in order, over anything that may go wrong.

An ephemeral consumer without acknowledgements; messages land in a callback, a request for more is
always out before the last ones are used up. A gap, a missing heartbeat, a lost consumer or a
restarted server lead to a new consumer behind the last entry that was handed over.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.nuid import NUID

from campaign_events.catalogue import decode
from campaign_events.envelope import Recorded

log = structlog.get_logger(__name__)
HEARTBEAT = "100"
REQUEST_OVER = frozenset(("404", "408"))
HEARTBEAT_S = 1.0
REQUEST_S = 30.0


class _Lost(Exception):
    """The consumer can not be trusted any more."""


class Follower:
    """Reads one stream from behind `after` to its end and on, for ever.

    `subject` filters on the server; one filter is cheap, two are not.
    `batch` bounds what is held in memory: at most one and a half times as many entries.
    """

    def __init__(
        self, nc: Client, stream: str, *, subject: str = ">", after: int = 0, batch: int = 1000
    ) -> None:
        self._nc = nc
        self._js = nc.jetstream(timeout=5)
        self._stream = stream
        self._subject = subject
        self._batch = batch
        self._next = after + 1
        self._names = NUID()
        self._consumer: str | None = None
        self._subscription: Subscription | None = None
        self._arrived: list[Msg] = []
        self._wake = asyncio.Event()
        self._wanted = 0
        self._consumed = 0
        self._status: str | None = None
        self.pending = 0
        """How many matching entries the server still had behind the last one handed over."""

    async def fetch(self) -> Sequence[Recorded[Any]]:
        """Wait for news and return it: at least one event, in log order.

        Raises:
            ValueError: an entry can not be read; the follower stays in front of it.
            nats.errors.ConnectionClosedError: the connection is closed for good.

        """
        while True:
            try:
                if self._consumer is None:
                    await self._open()
                if self._wanted <= self._batch // 2:
                    await self._request()
                await self._news()
                if self._arrived:
                    return self._take()
            except (_Lost, nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
                if self._nc.is_closed:
                    raise nats.errors.ConnectionClosedError from error
                log.warning("follower starts over", stream=self._stream, why=repr(error))
                await self.close()
                await asyncio.sleep(0.25)

    async def close(self) -> None:
        """Let the consumer go; the server forgets it by itself when it can not be told."""
        name, self._consumer = self._consumer, None
        subscription, self._subscription = self._subscription, None
        self._arrived, self._wanted, self._status = [], 0, None
        if name is None or self._nc.is_closed:
            return
        try:
            if subscription is not None:
                await subscription.unsubscribe()
            await self._nc.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{name}", b"")
        except nats.errors.Error as error:
            log.info("consumer left behind", stream=self._stream, why=repr(error))

    async def _open(self) -> None:
        name = f"follow-{self._names.next().decode()[-12:]}"
        self._inbox = self._nc.new_inbox()
        self._subscription = await self._nc.subscribe(
            self._inbox, cb=self._receive, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        self._consumed = 0
        self._consumer = name
        await self._js.add_consumer(
            self._stream,
            ConsumerConfig(
                name=name,
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._next,
                filter_subject=None if self._subject == ">" else self._subject,
                mem_storage=True,
                num_replicas=1,
                inactive_threshold=60,
            ),
        )

    async def _request(self) -> None:
        body = {
            "batch": self._batch,
            "expires": int(REQUEST_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        self._wanted += self._batch
        await self._nc.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}",
            orjson.dumps(body),
            reply=self._inbox,
        )

    async def _news(self) -> None:
        """Wait for entries or for the end of a request; silence beyond three heartbeats is loss."""
        while not self._arrived and self._status is None:
            self._wake.clear()
            await asyncio.wait_for(self._wake.wait(), HEARTBEAT_S * 3)
        status, self._status = self._status, None
        if status in REQUEST_OVER:
            self._wanted = 0
        elif status is not None:
            raise _Lost(status)

    async def _receive(self, message: Msg) -> None:
        if message.reply.startswith("$JS.ACK."):
            self._arrived.append(message)
        else:
            headers = message.headers or {}
            if headers.get("Status") != HEARTBEAT:
                self._status = f"{headers.get('Status')}"
        self._wake.set()

    def _take(self) -> list[Recorded[Any]]:
        messages, self._arrived = self._arrived, []
        self._wanted -= len(messages)
        events: list[Recorded[Any]] = []
        for message in messages:
            seq, consumed, pending = _place(message.reply)
            if consumed != self._consumed + 1:
                raise _Lost(f"entry {consumed} follows {self._consumed}")
            try:
                events.append(decode(self._stream, seq, message.data))
            except ValueError:
                if not events:
                    raise
                self._arrived = messages[len(events) :] + self._arrived
                self._wanted += len(messages) - len(events)
                break
            self._consumed, self.pending = consumed, pending
            self._next = seq + 1
        return events


def _place(reply: str) -> tuple[int, int, int]:
    """Return stream sequence, consumer sequence and pending count of `$JS.ACK.…` (v1 or v2)."""
    tokens = reply.split(".")
    offset = 0 if len(tokens) == 9 else 2  # noqa: PLR2004 - ADR-15: v2 adds domain and account
    return int(tokens[5 + offset]), int(tokens[6 + offset]), int(tokens[8 + offset])
