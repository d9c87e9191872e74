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
        """Send one message, or several as one atomic batch (ADR-50): one round trip either way."""
        *before, (subject, payload, headers) = messages
        if not before:
            return await self.ask(subject, payload, _written(headers))
        batch = self._batches.next().decode()
        for index, one in enumerate(before, 1):
            place = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(index)}
            await self._nc.publish(one[0], one[1], headers=_written(one[2] | place))
        end = {
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(len(messages)),
            "Nats-Batch-Commit": "1",
        }
        return await self.ask(subject, payload, _written(headers | end))
