"""Reading the log for people: how much there is, all of it in order, and then what comes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import nats.errors
import orjson
from nats.aio.client import Client

from campaign_events.envelope import Recorded
from campaign_events.follow import Follower
from carillon.log.entries import Shown, read_leniently
from carillon.log.filtering import Filter
from carillon.servers.connections import ServerAwayError

BATCH = 500
"""Entries at a time: one may hold facts about 500 contacts."""
ANSWER_S = 5.0

type Entry = Recorded[Shown]


@dataclass(frozen=True, slots=True)
class Selection:
    """The wanted entries of one stream, as far as the server can tell them apart."""

    stream: str
    subject: str
    after: int
    to: int | None
    count: int
    """How many there were when it was asked."""


async def selections(nc: Client, wanted: Filter) -> list[Selection]:
    """Return what is to be read, stream by stream.

    Raises:
        ServerAwayError: the log does not answer.
    """
    return [await _selection(nc, wanted, stream) for stream in wanted.streams]


async def _selection(nc: Client, wanted: Filter, stream: str) -> Selection:
    """Have the server count, and find the place of a time, by a consumer that reads nothing."""
    span, subject = wanted.span(stream), wanted.subject(stream)
    config: dict[str, Any] = {
        "name": f"count-{uuid.uuid4().hex[:12]}",
        "ack_policy": "none",
        "mem_storage": True,
        "num_replicas": 1,
        "inactive_threshold": 5_000_000_000,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": span.after + 1,
    }
    if subject != ">":
        config["filter_subject"] = subject
    if wanted.since is not None:
        # An event is stored after it happened, so nothing wanted is stored before.
        by_time = config | {
            "deliver_policy": "by_start_time",
            "opt_start_time": wanted.since.isoformat(),
        }
        del by_time["opt_start_seq"]
        found = await _count(nc, stream, by_time)
        config["opt_start_seq"] = max(span.after, found["delivered"]["stream_seq"]) + 1
        config["name"] += "-again"
    found = await _count(nc, stream, config)
    after = config["opt_start_seq"] - 1
    return Selection(stream, subject, after, span.to, found["num_pending"])


async def _count(nc: Client, stream: str, config: dict[str, Any]) -> dict[str, Any]:
    name = config["name"]
    path = f"{stream}.{name}" + (
        f".{config['filter_subject']}" if "filter_subject" in config else ""
    )
    body = {"stream_name": stream, "config": config}
    found = await ask_server(nc, f"CONSUMER.CREATE.{path}", body)
    await nc.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{name}", b"")
    return found


async def ask_server(nc: Client, what: str, body: object = None) -> dict[str, Any]:
    """Return the answer of JetStream's API.

    Raises:
        ServerAwayError: there is none, or it is a refusal.
    """
    payload = b"" if body is None else orjson.dumps(body)
    try:
        reply = await nc.request(f"$JS.API.{what}", payload, timeout=ANSWER_S)
    except nats.errors.Error as error:
        raise ServerAwayError(
            f"The event log does not answer ({type(error).__name__}): look at logs/nats.log."
        ) from error
    found: dict[str, Any] = orjson.loads(reply.data)
    if "error" in found:
        raise ServerAwayError(f"The event log refuses: {found['error'].get('description')}")
    return found


class Piece(NamedTuple):
    """Some wanted entries in log order, and how many were read to find them."""

    entries: Sequence[Entry]
    read: int


async def history(
    nc: Client, wanted: Filter, selection: Selection, batch: int = BATCH
) -> AsyncIterator[Piece]:
    """Yield what was there when the selection was made, in log order; memory stays small."""
    if not selection.count:
        return
    follower = _follower(nc, selection, batch)
    read, last = 0, selection.to
    try:
        while read < selection.count:
            stored = (await follower.fetch()).stored
            read += len(stored)
            entries = (read_leniently(*one) for one in stored if last is None or one.seq <= last)
            yield Piece([one for one in entries if wanted.passes(one)], len(stored))
            if last is not None and stored[-1].seq >= last:
                return
    finally:
        await follower.close()


class Tail:
    """Entries of several streams: those of before by their time, then each as it comes.

    Each stream keeps its own order, and is read by one follower all the way.
    """

    def __init__(self, nc: Client, wanted: Filter, chosen: Sequence[Selection]) -> None:
        self._nc = nc
        self._wanted = wanted
        self._chosen = chosen

    async def show(self, shown: Callable[[Entry], bool], *, on: bool) -> None:
        """Hand entries over until `shown` says that it is enough; `on`: also those to come.

        Raises:
            nats.errors.ConnectionClosedError: the log went away for good.
            whatever `shown` raises.
        """
        try:
            await self._show(shown, on=on)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed

    async def _show(self, shown: Callable[[Entry], bool], *, on: bool) -> None:
        came = [asyncio.Queue[Entry | None](maxsize=BATCH) for _ in self._chosen]
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(self._read(selection, queue, on=on))
                for selection, queue in zip(self._chosen, came, strict=True)
            ]
            if await self._before(came, shown) and on:
                await self._after(came, shown)
            for task in reading:
                task.cancel()

    async def _read(
        self, selection: Selection, queue: asyncio.Queue[Entry | None], *, on: bool
    ) -> None:
        """Read one stream; None tells where what was there before ends."""
        follower = _follower(self._nc, selection, BATCH)
        left, last = selection.count, selection.to
        if not left:
            await queue.put(None)
        try:
            while left > 0 or (on and last is None):
                for stored in (await follower.fetch()).stored:
                    entry = read_leniently(*stored)
                    is_beyond = last is not None and entry.seq > last
                    if not is_beyond and self._wanted.passes(entry):
                        await queue.put(entry)
                    left = 0 if is_beyond else left - 1
                    if left == 0:
                        await queue.put(None)
                    if is_beyond:
                        return
        finally:
            await follower.close()

    async def _before(
        self, came: Sequence[asyncio.Queue[Entry | None]], shown: Callable[[Entry], bool]
    ) -> bool:
        heads = [await queue.get() for queue in came]
        while any(head is not None for head in heads):
            _, place = min((head.time, at) for at, head in enumerate(heads) if head is not None)
            entry, heads[place] = heads[place], await came[place].get()
            if entry is not None and not shown(entry):
                return False
        return True

    async def _after(
        self, came: Sequence[asyncio.Queue[Entry | None]], shown: Callable[[Entry], bool]
    ) -> None:
        waiting = {asyncio.create_task(queue.get()): queue for queue in came}
        try:
            while True:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    queue, entry = waiting.pop(task), task.result()
                    waiting[asyncio.create_task(queue.get())] = queue
                    if entry is not None and not shown(entry):
                        return
        finally:
            for task in waiting:
                task.cancel()


def _follower(nc: Client, selection: Selection, batch: int) -> Follower:
    return Follower(
        nc,
        selection.stream,
        subject=selection.subject,
        after=selection.after,
        batch=batch,
    )
