"""Asking JetStream over one connection: requests with a JSON reply, and messages to be stored."""

from collections.abc import Sequence
from typing import Any, Self

import nats.errors
import orjson
from nats.aio.client import Client
from nats.nuid import NUID

TIMEOUT_S = 3.0

type Headers = dict[str, str]
type Message = tuple[str, bytes, Headers]
"""Subject, payload and headers."""
type Reply = dict[str, Any]


class _Plain(str):
    """Text without blanks and line breaks, which the client would look for in each character.

    That was a tenth of a decision.
    """

    __slots__ = ()

    def strip(self, _: str | None = None, /) -> Self:
        """Return the text: there is nothing to strip."""
        return self

    def translate(self, _: object, /) -> Self:
        """Return the text: there is no line break to replace."""
        return self


def _written(headers: Headers) -> Headers:
    return {
        name: _Plain(value) if value.isprintable() and " " not in value else value
        for name, value in headers.items()
    }


class JetStream:
    """What is asked of the servers; no answer reads like one that asks to try again."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._batches = NUID()

    async def ask(self, subject: str, payload: bytes, headers: Headers | None = None) -> Reply:
        """Request and read the JSON reply."""
        try:
            reply = await self._nc.request(subject, payload, timeout=TIMEOUT_S, headers=headers)
        except (
            nats.errors.NoRespondersError,
            nats.errors.TimeoutError,
            nats.errors.ConnectionReconnectingError,
            nats.errors.OutboundBufferLimitError,
        ) as error:
            return {"error": {"code": 503, "description": f"no answer from the log: {error!r}"}}
        answer: Reply = orjson.loads(reply.data)
        return answer

    async def store(self, messages: Sequence[Message]) -> Reply:
        """Send one message, or several as one atomic batch: one round trip either way."""
        if len(messages) == 1:
            subject, payload, headers = messages[0]
            return await self.ask(subject, payload, _written(headers))
        batch = self.batch()
        await batch.add(messages)
        return await batch.end()

    def batch(self) -> "Batch":
        """Begin an atomic batch; the servers hear of it with its first message."""
        return Batch(self, self._nc, self._batches.next().decode())


class Batch:
    """An atomic batch (ADR-50) on its way: all of it is stored at its end, or nothing.

    The servers make room for it when its first message comes and keep each one as it comes, so
    what is sent early is not waited for at the end.
    """

    def __init__(self, jetstream: JetStream, nc: Client, name: str) -> None:
        self.size = 0
        self._jetstream = jetstream
        self._nc = nc
        self._name = name
        self._subject = ""

    async def add(self, messages: Sequence[Message]) -> None:
        """Send messages that belong to it."""
        for self._subject, payload, headers in messages:
            self.size += 1
            await self._nc.publish(
                self._subject, payload, headers=_written(headers | self._place(self.size))
            )

    async def end(self) -> Reply:
        """Have it stored; the sequence in the answer is that of its last message."""
        commit = self._place(self.size + 1) | {"Nats-Batch-Commit": "eob"}
        return await self._jetstream.ask(self._subject, b"", _written(commit))

    def _place(self, number: int) -> Headers:
        return {"Nats-Batch-Id": self._name, "Nats-Batch-Sequence": str(number)}
