"""The event log on JetStream: append with an expectation, load one thing's history.

Durable means fsynced: the server runs with `sync_interval: always`. Every append carries a
`Nats-Msg-Id` that is stable over retries, so a lost acknowledgement never stores a fact twice.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import anyio
import orjson
from nats.aio.client import Client
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram

from campaign_events import tracing
from campaign_events.append_errors import (
    DUPLICATE_IN_BATCH,
    WRONG_LAST_SEQUENCE,
    may_pass,
    pause_s,
)
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
    placed,
)
from campaign_events.group_commit import GroupCommit
from campaign_events.histories import Histories, History
from campaign_events.jetstream import TIMEOUT_S, JetStream, Message, Reply

APPENDED = Histogram(
    "carillon_log_append_seconds",
    "From sending an append to the fsynced acknowledgement",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS = Counter("carillon_log_events", "Events appended", ["type"])
CONFLICTS = Counter(
    "carillon_log_conflicts", "Appends that somebody else was faster than", ["kind"]
)
FAILURES = Counter("carillon_log_append_failures", "Appends given up", ["kind", "reason"])

STALE_S = 0.01
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
    `boundary` is another subject that `after` is about, in place of this event's.
    """

    event: Event
    address: Address
    id: str
    after: int | None = None
    boundary: str | None = None


class _Stored(NamedTuple):
    """Where the last of what was sent is, and whether it is there only since now."""

    seq: int
    now: bool


class EventLog:
    """Access to the log over one connection; safe for many tasks at once."""

    def __init__(self, nc: Client, *, deadline_s: float = 20.0) -> None:
        self._jetstream = JetStream(nc)
        self._together = GroupCommit(self._jetstream)
        self._deadline_s = deadline_s
        self._reader = DirectReader(nc)
        self._histories = Histories()

    def remembered[C, E: Event, S](
        self, address: Address, decider: Decider[C, E, S]
    ) -> tuple[History, S]:
        """Return the beginning of a thing's history that this process knows, and the state then."""
        return self._histories.known(address), self._histories.folded(address, decider)

    async def load(self, address: Address) -> list[Recorded[Any]]:
        """Return all that happened to one thing in the CAMPAIGNS stream, oldest first.

        The leader says where the history ends. What is known up to there is not read again; in a
        cluster any replica may be read, also one that is a moment behind.

        Raises:
            NotUnderstood: a part of it can not be read, so nothing can be decided on it.
            Unavailable: nobody can tell where it ends.

        """
        ending = asyncio.create_task(self._end("CAMPAIGNS", address.everything))
        known = self._histories.known(address)
        history = [*known] or await self._behind(address, 0)
        end, give_up = await ending, time.monotonic() + TIMEOUT_S
        if known and end < known[-1].seq:  # the log was put back from an older backup
            history = await self._behind(address, 0)
        while end > (seen := history[-1].seq if history else 0):
            if time.monotonic() > give_up:
                raise Unavailable(f"no replica shows {address.everything} up to {end}")
            news = await self._behind(address, seen)
            if not news:
                await asyncio.sleep(STALE_S)
            history += news
        for entry in history:
            if isinstance(entry.event, Unknown | Unreadable):
                raise NotUnderstood(
                    f"{entry.event.type} at {entry.seq} of {entry.stream} "
                    "is not known to this version"
                )
        self._histories.remember(address, history)
        return history

    async def _behind(self, address: Address, after: int) -> list[Recorded[Any]]:
        return await self.load_subject("CAMPAIGNS", address.everything, after=after)

    async def _end(self, stream: str, subject: str) -> int:
        """Return the last sequence on a subject; between two leaders, wait for the next."""
        give_up = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return (await self._last(stream, subject))[0]
            except Unavailable:
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(0.2)

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
        reply = await self._jetstream.ask(f"$JS.API.STREAM.INFO.{stream}", b"")
        if "error" in reply:
            raise Unavailable(reply["error"])
        return int(reply["state"]["last_seq"])

    async def unacknowledged(self, stream: str, durable: str) -> int:
        """Return how many entries a durable consumer has yet to acknowledge."""
        reply = await self._jetstream.ask(f"$JS.API.CONSUMER.INFO.{stream}.{durable}", b"")
        if "error" in reply:
            raise Unavailable(reply["error"])
        return int(reply["num_pending"]) + int(reply["num_ack_pending"])

    async def size(self, stream: str) -> tuple[int, int, int]:
        """Return how many entries and bytes a stream holds, and how many bytes it may hold."""
        reply = await self._jetstream.ask(f"$JS.API.STREAM.INFO.{stream}", b"")
        if "error" in reply:
            raise Unavailable(reply["error"])
        state = reply["state"]
        return int(state["messages"]), int(state["bytes"]), int(reply["config"]["max_bytes"])

    async def stored_at(self, stream: str, first: int, subject: str = ">") -> datetime | None:
        """Return when the first entry from a sequence on was stored; None when there is none."""
        body = orjson.dumps({"seq": first, "next_by_subj": subject})
        reply = await self._jetstream.ask(f"$JS.API.STREAM.MSG.GET.{stream}", body)
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
        ids = [f"{origin.command_id}:{index}" for index in range(len(events))]
        with tracing.span(f"append {events[0].type}", kind=SpanKind.PRODUCER, events=len(events)):
            led_to_by = tracing.traceparent()
            messages = [
                (
                    subject_of(event, address),
                    encode(event, name, address, origin, led_to_by),
                    {"Nats-Msg-Id": name},
                )
                for event, name in zip(events, ids, strict=True)
            ]
            messages[0][2].update(expectation)
            with _Measured(events):
                if len(messages) == 1:
                    reply = await self._together.send(messages[0], address.everything)
                else:
                    reply = await self._jetstream.store(messages)
                stored = await self._until_decided(
                    reply, stream, messages, address.everything, after
                )
        if stored.now:
            named = zip(count(stored.seq - len(events) + 1), ids, events, strict=False)
            news = [
                placed(event, name, address, origin, led_to_by, stream=stream, seq=seq)
                for seq, name, event in named
            ]
            self._histories.went_on(address, after, news)
        return Position.of(stream, stored.seq)

    async def append_fact(self, fact: Fact, origin: Origin) -> int:
        """Append one fact and return its sequence; many of these may run side by side.

        Raises:
            Conflict: `fact.after` is given and is not the last entry of the boundary any more.
            Unavailable, Rejected: as for `append`.

        """
        stream = stream_of(fact.event)
        subject = subject_of(fact.event, fact.address)
        headers = {"Nats-Msg-Id": fact.id}
        if fact.after is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(fact.after)
        if fact.boundary is not None:
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = fact.boundary
        payload = encode(fact.event, fact.id, fact.address, origin, tracing.traceparent())
        with _Measured([fact.event]):
            messages = [(subject, payload, headers)]
            stored = await self._until_decided(
                await self._jetstream.store(messages),
                stream,
                messages,
                fact.boundary or subject,
                fact.after,
            )
        return stored.seq

    async def _until_decided(
        self,
        reply: Reply,
        stream: str,
        messages: Sequence[Message],
        boundary: str,
        after: int | None,
    ) -> _Stored:
        """Send again until the outcome is known. A conflict may be our own lost acknowledgement."""
        give_up = time.monotonic() + self._deadline_s
        while True:
            error = reply.get("error")
            if error is None:
                return _Stored(int(reply["seq"]), now=not reply.get("duplicate", False))
            code = error.get("err_code", 0)
            if code in WRONG_LAST_SEQUENCE or code == DUPLICATE_IN_BATCH:
                last_id = messages[-1][2]["Nats-Msg-Id"]
                stored = await self._stored(stream, boundary, after, last_id)
                if stored is not None:
                    return _Stored(stored, now=False)
            elif not may_pass(error):
                raise Rejected(error.get("description", str(error)))
            if time.monotonic() > give_up:
                raise Unavailable(error.get("description", str(error)))
            await anyio.sleep(pause_s(error))
            reply = await self._jetstream.store(messages)

    async def _stored(
        self, stream: str, boundary: str, after: int | None, last_id: str
    ) -> int | None:
        """Return where ours is after all; None when nothing speaks against another try.

        Raises:
            Conflict: something else came in between.

        """
        try:
            seq, message_id = await self._last(stream, boundary)
        except Unavailable:
            return None
        if message_id == last_id:
            return seq
        if after is None or seq > after:
            raise Conflict(f"{boundary} is at {seq}, not at {after}")
        return None

    async def _last(self, stream: str, subject: str) -> tuple[int, str | None]:
        """Return sequence and message id of the last entry on a subject, read from the leader."""
        reply = await self._jetstream.ask(
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


@cache
def _counters(kind: str) -> tuple[Histogram, dict[type[BaseException], Counter]]:
    """Return what counts the appends of a kind: all of it is there before anything goes wrong."""
    return APPENDED.labels(kind), {
        Conflict: CONFLICTS.labels(kind),
        Unavailable: FAILURES.labels(kind, "unavailable"),
        Rejected: FAILURES.labels(kind, "rejected"),
    }


@cache
def _appended(type_: str) -> Counter:
    return EVENTS.labels(type_)


class _Measured:
    """Measures an append, whatever becomes of it."""

    __slots__ = ("_began", "_events")

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._began = time.perf_counter()

    def __enter__(self) -> None:
        """Begin with what `__init__` has noted."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        took, ended = _counters(self._events[0].type.partition(".")[0])
        if kind is None:
            took.observe(time.perf_counter() - self._began)
            for event in self._events:
                _appended(event.type).inc()
        elif kind in ended:
            ended[kind].inc()
