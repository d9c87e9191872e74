"""Streams as files: JetStream's own snapshots, which keep every position.

Protocol: `$JS.API.STREAM.SNAPSHOT` sends chunks and waits for an acknowledgement of each; an empty
one is the end. `$JS.API.STREAM.RESTORE` takes the same chunks as requests.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from campaign_events import topology
from campaign_events.topology import READERS
from carillon.errors import PlainError
from carillon.log.reading import ask_server

CHUNK = 128 * 1024
SILENCE_S = 30.0
"""So long may a server think about one chunk."""
OWNER_ONLY = 0o600

type Json = dict[str, Any]
type Advance = Callable[[int], None]


class SnapshotBrokenError(PlainError):
    """A snapshot came to no good end."""


class LogNotEmptyError(PlainError):
    """There is a log already where another one is to be put."""


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A stream in a file: what restoring needs to know."""

    name: str
    file: str
    bytes: int
    sha256: str
    config: Json
    state: Json


@dataclass(frozen=True, slots=True)
class ReaderPlace:
    """How far a durable reader had come: everything up to this entry is dealt with."""

    stream: str
    durable: str
    seq: int


async def save_stream(nc: Client, stream: str, file: Path, advance: Advance) -> StreamFile:
    """Write a stream into a file; the platform may go on meanwhile.

    Raises:
        SnapshotBrokenError: the server stopped sending.
    """
    inbox = nc.new_inbox()
    chunks: asyncio.Queue[Msg] = asyncio.Queue()
    listening = await nc.subscribe(inbox, cb=chunks.put)
    request = {"deliver_subject": inbox, "no_consumers": True, "jsck": True, "chunk_size": CHUNK}
    digest, size = sha256(), 0
    try:
        begun = await ask_server(nc, f"STREAM.SNAPSHOT.{stream}", request)
        with open(file, "wb", opener=_owner_only) as out:
            while chunk := await _next(chunks, stream):
                out.write(chunk.data)
                digest.update(chunk.data)
                size += len(chunk.data)
                advance(len(chunk.data))
                if chunk.reply:
                    await nc.publish(chunk.reply, b"")
            out.flush()
            os.fsync(out.fileno())
    finally:
        await listening.unsubscribe()
    state = {name: begun["state"][name] for name in ("messages", "bytes", "first_seq", "last_seq")}
    return StreamFile(stream, file.name, size, digest.hexdigest(), begun["config"], state)


async def _next(chunks: asyncio.Queue[Msg], stream: str) -> Msg | None:
    """Return the next chunk, or None at the end."""
    try:
        chunk = await asyncio.wait_for(chunks.get(), SILENCE_S)
    except TimeoutError as error:
        raise SnapshotBrokenError(
            f"The snapshot of {stream} stopped: look at logs/nats.log, then try again."
        ) from error
    if chunk.data:
        return chunk
    headers = chunk.headers or {}
    if headers.get("Status", "204") not in ("", "204"):
        raise SnapshotBrokenError(f"The snapshot of {stream} failed: {headers}")
    return None


async def reader_places(nc: Client) -> list[ReaderPlace]:
    """Return how far each reaction is. To be asked before the streams are saved."""
    js = nc.jetstream()
    places = []
    for reader in READERS:
        try:
            info = await js.consumer_info(reader.stream, reader.durable)
        except NotFoundError:
            continue
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        places.append(ReaderPlace(reader.stream, reader.durable, floor or 0))
    return places


async def refuse_unless_empty(nc: Client, streams: Sequence[str]) -> None:
    """Make sure that nothing is in these streams, and that nothing ever was.

    Raises:
        LogNotEmptyError: there is, or was.
    """
    for stream in streams:
        try:
            info = await nc.jetstream().stream_info(stream)
        except NotFoundError:
            continue
        if info.state.last_seq:
            raise LogNotEmptyError(
                f"The log is not empty ({stream} ends at {info.state.last_seq}), and positions "
                "must stay what they are: name a fresh folder with --data."
            )


async def load_streams(
    nc: Client,
    folder: Path,
    saved: Sequence[StreamFile],
    places: Sequence[ReaderPlace],
    advance: Advance,
) -> None:
    """Put saved streams in the place of empty ones; durable readers go on where they were.

    Raises:
        LogNotEmptyError: there is a log already.
        SnapshotBrokenError: the server can not make a stream of a file.
    """
    await refuse_unless_empty(nc, [one.name for one in saved])
    js = nc.jetstream()
    for one in saved:
        with contextlib.suppress(NotFoundError):
            await js.delete_stream(one.name)
        await _load_stream(nc, folder / one.file, one, advance)
    seqs = {(place.stream, place.durable): place.seq for place in places}
    for reader in READERS:
        seq = seqs.get((reader.stream, reader.durable), 0)
        await js.add_consumer(reader.stream, _from(reader.config, seq))
    await topology.ensure(nc)


async def _load_stream(nc: Client, file: Path, saved: StreamFile, advance: Advance) -> None:
    # A platform of one server takes up what a cluster has saved, too; `ensure` knows how many.
    request = {"config": {**saved.config, "num_replicas": 1}, "state": saved.state}
    begun = await ask_server(nc, f"STREAM.RESTORE.{saved.name}", request)
    subject = begun["deliver_subject"]
    try:
        with file.open("rb") as chunks:
            while chunk := chunks.read(CHUNK):
                await nc.request(subject, chunk, timeout=SILENCE_S)
                advance(len(chunk))
        end = await nc.request(subject, b"", timeout=SILENCE_S)
    except nats.errors.Error as error:
        raise SnapshotBrokenError(
            f"The server stopped taking {saved.name} ({type(error).__name__}): look at "
            "logs/nats.log, and begin again with a fresh folder."
        ) from error
    told = orjson.loads(end.data)
    if "error" in told:
        raise SnapshotBrokenError(
            f"The server can not make {saved.name} of {file}: {told['error'].get('description')}"
        )
    last = told["state"]["last_seq"]
    if last < saved.state["last_seq"]:
        raise SnapshotBrokenError(
            f"{saved.name} came back with {last} entries in place of {saved.state['last_seq']}."
        )


def _from(config: ConsumerConfig, seq: int) -> ConsumerConfig:
    """Return a consumer that begins behind an entry."""
    if not seq:
        return config
    return replace(config, deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=seq + 1)


def _owner_only(name: str, flags: int) -> int:
    return os.open(name, flags, OWNER_ONLY)
