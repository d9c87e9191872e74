"""The event log on JetStream: append with an expectation, load one thing's history.

Durable means fsynced: the server runs with `sync_interval: always`. Every append carries a
`Nats-Msg-Id` that is stable over retries, so a lost acknowledgement never stores a fact twice.
"""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import anyio
import nats.errors
import orjson
from nats.aio.client import Client
from nats.nuid import NUID

from campaign_events.catalogue import read, stream_of, subject_of
from campaign_events.decider import Conflict, Decider
from campaign_events.directread import DirectReader
from campaign_events.envelope import (
    Address,
    Event,
    Origin,
    Position,
    Recorded,
    Unknown,
    Unreadable,
    encode,
)

WRONG_LAST_SEQUENCE = frozenset((10071, 10164))
DUPLICATE_IN_BATCH = frozenset((10158, 10201))
TRY_AGAIN = frozenset((429, 503))
BATCH_INCOMPLETE = 10176
STREAM_FULL = 10077
NOTHING_THERE = 404


class Unavailable(Exception):
    """The log did not answer in time.

    Whether the facts are stored is not known: ask again with the same command id.
    """


class Rejected(Exception):
    """The log refuses the facts for good: full, too large, not permitted."""


class NotUnderstood(Exception):
    """A history holds what this version can not read: nobody may decide on it.

    A newer version of a service wrote it, or it is broken.
    """


@dataclass(frozen=True, slots=True)
class Fact:
    """One event on its way into the log, outside of any expectation or with one of its own.

    `after` is the sequence of the last entry on this event's very subject (0: none yet), or None
    when any history will do. `id` must be the same when the same fact is appended again.
    """

    event: Event
    address: Address
    id: str
    after: int | None = None


class EventLog:
    """Access to the log over one connection; safe for many tasks at once."""

    def __init__(self, nc: Client, *, deadline_s: float = 20.0) -> None:
        self._nc = nc
        self._deadline_s = deadline_s
        self._timeout_s = 3.0
        self._batches = NUID()
        self._reader = DirectReader(nc)

    async def load(self, address: Address, *, after: int = 0) -> list[Recorded[Any]]:
        """Return all that happened to one thing in the CAMPAIGNS stream, oldest first.

        Raises:
            NotUnderstood: a part of it can not be read, so nothing can be decided on it.

        """
        history = await self.load_subject("CAMPAIGNS", address.everything, after=after)
        for recorded in history:
            if isinstance(recorded.event, Unknown | Unreadable):
                raise NotUnderstood(
                    f"{recorded.event.type} at {recorded.seq} of {recorded.stream} "
                    "is not known to this version"
                )
        return history

    async def load_subject(
        self, stream: str, subject: str, *, after: int = 0
    ) -> list[Recorded[Any]]:
        """Return the events on a subject (wildcards allowed) behind the sequence `after`.

        What can not be read is among them, as `Unknown` or `Unreadable`.
        """
        entries = await self._reader.read(stream, subject, after + 1)
        return [read(stream, *entry) for entry in entries]

    async def load_some(self, stream: str, subject: str, *, after: int) -> list[Recorded[Any]]:
        """Return the next few hundred of them; none when there are no more."""
        entries, _ = await self._reader.page(stream, subject, after + 1)
        return [read(stream, *entry) for entry in entries]

    async def last_seq(self, stream: str, subject: str = ">") -> int:
        """Return the sequence of the newest entry of a stream, or of one kind of subject in it."""
        if subject != ">":
            return (await self._last(stream, subject))[0]
        reply = await self._ask(f"$JS.API.STREAM.INFO.{stream}", b"")
        if "error" in reply:
            raise Unavailable(reply["error"])
        return int(reply["state"]["last_seq"])

    async def stored_at(self, stream: str, first: int, subject: str = ">") -> datetime | None:
        """Return when the first entry from a sequence on was stored; None when there is none."""
        body = orjson.dumps({"seq": first, "next_by_subj": subject})
        reply = await self._ask(f"$JS.API.STREAM.MSG.GET.{stream}", body)
        if "error" not in reply:
            return datetime.fromisoformat(reply["message"]["time"])
        if reply["error"]["code"] == NOTHING_THERE:
            return None
        raise Unavailable(str(reply["error"]))

    async def append(
        self, events: Sequence[Event], address: Address, origin: Origin, *, after: int
    ) -> Position:
        """Append the events of one decision, all or none, and return the place of the last.

        `after` is the sequence of the last event that the decision has seen of this thing.

        Raises:
            Conflict: something happened to the thing in between.
            Unavailable: no answer within the deadline.
            Rejected: the log takes nothing from us.

        """
        stream = stream_of(events[0])
        expectation = {
            "Nats-Expected-Stream": stream,
            "Nats-Expected-Last-Subject-Sequence": str(after),
            "Nats-Expected-Last-Subject-Sequence-Subject": address.everything,
        }
        messages = [
            (
                subject_of(event, address),
                encode(event, f"{origin.command_id}:{index}", address, origin),
                {"Nats-Msg-Id": f"{origin.command_id}:{index}"},
            )
            for index, event in enumerate(events)
        ]
        messages[0][2].update(expectation)
        last_id = f"{origin.command_id}:{len(events) - 1}"
        seq = await self._until_decided(stream, messages, address.everything, after, last_id)
        return Position.of(stream, seq)

    async def append_fact(self, fact: Fact, origin: Origin) -> int:
        """Append one fact and return its sequence; many of these may run side by side.

        Raises:
            Conflict: `fact.after` is given and is not the last entry of the subject any more.
            Unavailable, Rejected: as for `append`.

        """
        stream = stream_of(fact.event)
        subject = subject_of(fact.event, fact.address)
        headers = {"Nats-Msg-Id": fact.id}
        if fact.after is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(fact.after)
        payload = encode(fact.event, fact.id, fact.address, origin)
        return await self._until_decided(
            stream, [(subject, payload, headers)], subject, fact.after, fact.id
        )

    async def _until_decided(
        self,
        stream: str,
        messages: list[tuple[str, bytes, dict[str, str]]],
        boundary: str,
        after: int | None,
        last_id: str,
    ) -> int:
        """Send until the outcome is known. A conflict may be our own lost acknowledgement."""
        give_up = time.monotonic() + self._deadline_s
        while True:
            reply = await self._send(messages)
            error = reply.get("error")
            if error is None:
                return int(reply["seq"])
            code = error.get("err_code", 0)
            if code in WRONG_LAST_SEQUENCE or code in DUPLICATE_IN_BATCH:
                seq, message_id = await self._last(stream, boundary)
                if message_id == last_id:
                    return seq
                if code in DUPLICATE_IN_BATCH or seq != after:
                    raise Conflict(f"{boundary} is at {seq}, not at {after}")
            elif code == STREAM_FULL or not (
                error["code"] in TRY_AGAIN or code == BATCH_INCOMPLETE
            ):
                raise Rejected(error.get("description", str(error)))
            if time.monotonic() > give_up:
                raise Unavailable(error.get("description", str(error)))
            await anyio.sleep(0.02 if code in WRONG_LAST_SEQUENCE else 0.2)

    async def _send(self, messages: list[tuple[str, bytes, dict[str, str]]]) -> dict[str, Any]:
        """Send one message, or several as one atomic batch (ADR-50): one round trip either way."""
        batch = self._batches.next().decode() if len(messages) > 1 else None
        for index, (subject, payload, headers) in zip(count(1), messages, strict=False):
            place = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(index)} if batch else {}
            if index < len(messages):
                await self._nc.publish(subject, payload, headers={**headers, **place})
            else:
                end = {"Nats-Batch-Commit": "1"} if batch else {}
                return await self._ask(subject, payload, {**headers, **place, **end})
        raise ValueError("nothing to append")

    async def _ask(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Request and read the JSON reply; no answer reads like a server that asks to try again."""
        try:
            reply = await self._nc.request(
                subject, payload, timeout=self._timeout_s, headers=headers
            )
        except (
            nats.errors.NoRespondersError,
            nats.errors.TimeoutError,
            nats.errors.ConnectionReconnectingError,
            nats.errors.OutboundBufferLimitError,
        ) as error:
            return {"error": {"code": 503, "description": f"no answer from the log: {error!r}"}}
        answer: dict[str, Any] = orjson.loads(reply.data)
        return answer

    async def _last(self, stream: str, subject: str) -> tuple[int, str | None]:
        """Return sequence and message id of the last entry on a subject, read from the leader."""
        reply = await self._ask(
            f"$JS.API.STREAM.MSG.GET.{stream}", orjson.dumps({"last_by_subj": subject})
        )
        if "error" in reply:
            if reply["error"]["code"] == NOTHING_THERE:
                return 0, None
            raise Unavailable(str(reply["error"]))
        headers = base64.b64decode(reply["message"].get("hdrs", "")).decode()
        ids = [
            line.partition(":")[2].strip()
            for line in headers.split("\r\n")
            if line.lower().startswith("nats-msg-id:")
        ]
        return int(reply["message"]["seq"]), ids[0] if ids else None


async def execute[C, E: Event, S](
    log: EventLog,
    decider: Decider[C, E, S],
    address: Address,
    command: C,
    origin: Origin,
) -> tuple[S, Position]:
    """Load, decide, append; decide again when somebody was faster. Returns the state afterwards.

    The same command id given twice has one effect, however much later the second time is.

    Raises:
        Refused: the decider says no.
        Conflict: others keep being faster (8 tries).
        Unavailable, Rejected: as for `EventLog.append`.

    """
    for attempt in range(8):
        history = await log.load(address)
        state = decider.fold(recorded.event for recorded in history)
        seen = Position.of("CAMPAIGNS", history[-1].seq if history else 0)
        if any(recorded.id.startswith(f"{origin.command_id}:") for recorded in history):
            return state, seen
        events = decider.decide(state, command)
        if not events:
            return state, seen
        try:
            position = await log.append(
                events, address, origin, after=history[-1].seq if history else 0
            )
        except Conflict:
            await anyio.sleep(0.005 * attempt)
            continue
        return decider.fold(events, state), position
    raise Conflict(f"{address.thing} changes faster than it can be decided on")
