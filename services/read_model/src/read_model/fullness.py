"""How full the streams of the log are: a full one takes nothing more."""

import asyncio

import nats.errors
import structlog
from prometheus_client import Gauge

from campaign_events.catalogue import STREAM_OF_KIND
from campaign_events.eventlog import EventLog, Unavailable

BYTES = Gauge("carillon_stream_bytes", "Size of a stream of the log", ["stream"])
LIMIT = Gauge("carillon_stream_limit_bytes", "Size at which it takes nothing more", ["stream"])
ENTRIES = Gauge("carillon_stream_entries", "Entries in it", ["stream"])

STREAMS = sorted(set(STREAM_OF_KIND.values()))
LOOK_S = 5.0

log = structlog.get_logger(__name__)


async def watch_fullness(event_log: EventLog) -> None:
    """Measure the streams for ever."""
    while True:
        try:
            sizes = await asyncio.gather(*(event_log.size(stream) for stream in STREAMS))
        except (Unavailable, nats.errors.Error) as error:
            log.info("the size of the log is not known", why=repr(error))
        else:
            for stream, (entries, size, limit) in zip(STREAMS, sizes, strict=True):
                ENTRIES.labels(stream).set(entries)
                BYTES.labels(stream).set(size)
                LIMIT.labels(stream).set(limit)
        await asyncio.sleep(LOOK_S)
