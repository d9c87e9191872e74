"""The streams and durable consumers, stated once; made and compared by `ensure` alone."""

from dataclasses import dataclass, replace
from typing import Any

from nats.aio.client import Client
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

GIB = 1024**3
LEASES = "LEASES"


def _log(name: str, *subjects: str, max_gib: int) -> StreamConfig:
    """Return a stream that keeps facts for ever and refuses new ones when it is full."""
    return StreamConfig(
        name=name,
        subjects=list(subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=max_gib * GIB,
        max_msg_size=1024 * 1024,
        duplicate_window=600,
        allow_direct=True,
        allow_atomic=True,
        deny_delete=True,
        deny_purge=True,
    )


STREAMS = (
    _log("CAMPAIGNS", "campaign.>", "moderation.>", "sender.>", max_gib=20),
    _log("MESSAGES", "message.>", "suppression.>", max_gib=200),
    _log("CALLS", "call.>", max_gib=200),
    StreamConfig(
        name=LEASES,
        subjects=["lease.>"],
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        allow_direct=True,
        allow_msg_ttl=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A durable, file-backed pull consumer: NATS keeps the place of one reaction."""

    stream: str
    durable: str
    subjects: tuple[str, ...]

    @property
    def config(self) -> ConsumerConfig:
        """The consumer as JetStream wants it: one event in hand at a time, in order."""
        return ConsumerConfig(
            durable_name=self.durable,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=30,
            max_ack_pending=1,
            filter_subjects=list(self.subjects),
            inactive_threshold=None,
        )


READERS = (
    Reader("CAMPAIGNS", "campaign-follows-moderation", ("moderation.>",)),
    Reader(
        "MESSAGES",
        "campaign-follows-messages",
        (
            "message.*.*.plan_finished",
            "message.*.*.plan_failed",
            "message.*.*.expired",
            "message.*.*.finished",
            "message.*.*.sending_failed",
        ),
    ),
    Reader(
        "CALLS",
        "campaign-follows-calls",
        ("call.*.*.finished", "call.*.*.dialling_failed"),
    ),
)


async def ensure(nc: Client, *, replicas: int = 1) -> None:
    """Make what is missing and mend what differs, before any service starts.

    In a cluster each stream is kept by so many servers, and the places of reactions with it.
    """
    js = nc.jetstream(timeout=10)
    for stream in STREAMS:
        wanted = replace(stream, num_replicas=replicas)
        try:
            found = (await js.stream_info(str(wanted.name))).config
        except NotFoundError:
            await js.add_stream(wanted)
            continue
        if _differs(wanted, found):
            await js.update_stream(replace(found, **_stated(wanted)))
    for reader in READERS:
        try:
            consumer = (await js.consumer_info(reader.stream, reader.durable)).config
        except NotFoundError:
            await js.add_consumer(reader.stream, reader.config)
            continue
        if sorted(consumer.filter_subjects or [consumer.filter_subject or ""]) != sorted(
            reader.subjects
        ):
            # Where it began stays: a restored one does not begin at the first entry.
            changed = replace(consumer, filter_subject=None, filter_subjects=list(reader.subjects))
            await js.add_consumer(reader.stream, changed)


def _stated(config: StreamConfig) -> dict[str, Any]:
    names = (
        "subjects",
        "max_bytes",
        "duplicate_window",
        "allow_direct",
        "allow_atomic",
        "max_msg_size",
        "num_replicas",
    )
    return {name: value for name in names if (value := getattr(config, name)) is not None}


def _differs(wanted: StreamConfig, found: StreamConfig) -> bool:
    return any(getattr(found, name) != value for name, value in _stated(wanted).items())
