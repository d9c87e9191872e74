"""A log from a JSON Lines file: only a whole one, so that every entry keeps its position."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.nuid import NUID

from campaign_events.catalogue import STREAM_OF_KIND
from carillon.errors import PlainError
from carillon.log.filtering import STREAMS

BATCH = 200
"""Entries that are stored together; the server takes 1,000 at most."""
ANSWER_S = 20.0


class NotALogError(PlainError):
    """A file is not what `carillon log export` writes, or not all of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry on its way into the log."""

    stream: str
    seq: int
    subject: str
    payload: bytes


def check(file: Path) -> dict[str, int]:
    """Read the whole file; return how many entries each stream has in it.

    Raises:
        NotALogError: an entry is missing or can not be read; positions would not be the same.
    """
    ends: dict[str, int] = {}
    for line in _lines(file):
        expected = ends.get(line.stream, 0) + 1
        if line.seq != expected:
            raise NotALogError(
                f"{file}: entry {line.seq} of {line.stream} stands where {expected} must, so "
                "positions would change. Export the whole log, without filters: "
                "carillon log export FILE.jsonl"
            )
        ends[line.stream] = line.seq
    if not ends:
        raise NotALogError(f"{file} holds no entries.")
    return ends


async def load(nc: Client, file: Path, advance: Callable[[int], None]) -> None:
    """Store every entry of a checked file in the empty log, at the position that it had.

    Raises:
        NotALogError: the server stored one elsewhere, or refused it.
    """
    names = NUID()
    for lines in batched(_lines(file), BATCH):
        for stream in STREAMS:
            some = [line for line in lines if line.stream == stream]
            if some:
                await _store(nc, some, names.next().decode())
        advance(len(lines))


async def _store(nc: Client, lines: Sequence[Line], name: str) -> None:
    """Store entries of one stream, all or none (ADR-50)."""
    first, last = lines[0], lines[-1]
    expected = {"Nats-Expected-Last-Sequence": str(first.seq - 1)}
    for number, line in enumerate(lines, 1):
        headers = expected if line is first else {}
        if len(lines) > 1:
            headers = headers | {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}
        if line is not last:
            await nc.publish(line.subject, line.payload, headers=headers)
    if len(lines) > 1:
        headers |= {"Nats-Batch-Commit": "1"}
    try:
        reply = await nc.request(last.subject, last.payload, timeout=ANSWER_S, headers=headers)
    except nats.errors.Error as error:
        raise NotALogError(f"The log does not answer ({error!r}): begin again.") from error
    told: Mapping[str, Any] = orjson.loads(reply.data)
    if "error" in told or told["seq"] != last.seq:
        raise NotALogError(
            f"Entry {last.seq} of {last.stream} was not stored at its place ({told}): begin again "
            "with a fresh folder."
        )


def _lines(file: Path) -> Iterator[Line]:
    try:
        with file.open("rb") as lines:
            for number, text in enumerate(lines, 1):
                try:
                    yield _line(text)
                except (ValueError, KeyError, TypeError) as error:
                    raise NotALogError(
                        f"{file}, line {number}: not an entry as `carillon log export` writes it."
                    ) from error
    except OSError as error:
        raise NotALogError(f"{file} can not be read: {error.strerror}.") from error


def _line(text: bytes) -> Line:
    found = orjson.loads(text)
    stream, seq = str(found["stream"]), int(found["seq"])
    if "unreadable" in found:
        subject, payload = str(found["subject"]), bytes.fromhex(found["unreadable"])
    else:
        event = found["event"]
        kind, fact = event["type"].split(".")
        subject = f"{kind}.{event['workspace']}.{event['subject']}.{fact}"
        payload = orjson.dumps(event)
    if STREAM_OF_KIND[subject.partition(".")[0]] != stream:
        raise ValueError(f"{subject} is not of {stream}")
    return Line(stream, seq, subject, payload)
