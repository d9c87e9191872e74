"""Reactions: an event leads to a command or to a call outside. NATS keeps the place.

One event is in hand at a time, in log order. A refusal acknowledges: the wish has been heard. What
can not be read, or keeps failing, is parked: kept with its error, counted, and later events of the
same thing wait behind it. Everything else is asked for again with a growing delay.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from prometheus_client import Counter

from campaign_events.catalogue import decode
from campaign_events.decider import Refused
from campaign_events.envelope import Recorded
from campaign_events.projection import Database
from campaign_events.topology import Reader

REACTIONS = Counter(
    "carillon_reactions", "Events that a reaction has dealt with", ["reaction", "verdict"]
)
DELAYS_S = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 30, 30)
"""How long an event rests after each failed try; then it is parked."""

log = structlog.get_logger(__name__)

type Handler = Callable[[Recorded[Any]], Awaitable[None]]


class Parking:
    """Events that a reaction could not deal with, in the order in which they came."""

    def __init__(self, db: Database, reaction: str) -> None:
        self._parked = db.parked
        self._reaction = reaction
        self._waiting: set[str] | None = None

    async def holds(self, thing: str) -> bool:
        """Tell whether an earlier event of this thing is parked."""
        if self._waiting is None:
            self._waiting = set(await self._parked.distinct("thing", {"reaction": self._reaction}))
        return thing in self._waiting

    async def park(self, stream: str, seq: int, subject: str, why: str) -> None:
        """Keep an event, by its place in the log."""
        thing = subject.split(".")[2]
        await self._parked.update_one(
            {"_id": f"{self._reaction}/{stream}/{seq}"},
            {
                "$set": {
                    "reaction": self._reaction,
                    "stream": stream,
                    "seq": seq,
                    "subject": subject,
                    "thing": thing,
                    "error": why,
                    "parked_at": datetime.now(UTC),
                }
            },
            upsert=True,
        )
        if self._waiting is not None:
            self._waiting.add(thing)


def react(broker: NatsBroker, reader: Reader, handle: Handler, parking: Parking) -> None:
    """Subscribe `handle` to a durable consumer, which `topology.ensure` must have made."""

    @broker.subscriber(
        stream=JStream(reader.stream, declare=False),
        durable=reader.durable,
        config=reader.config,
        pull_sub=PullSub(batch_size=1, timeout=5),
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
    )
    async def _deal(_body: bytes, message: NatsMessage) -> None:
        verdict = await _verdict(reader, handle, parking, message)
        REACTIONS.labels(reader.durable, verdict).inc()


async def _undecoded(message: NatsMessage) -> bytes:
    return message.body


async def _verdict(reader: Reader, handle: Handler, parking: Parking, message: NatsMessage) -> str:
    """Deal with one delivery and settle it; the name of the verdict is for the metric."""
    raw = message.raw_message
    place = raw.metadata
    seq = place.sequence.stream
    facts = log.bind(reaction=reader.durable, stream=reader.stream, seq=seq)
    try:
        recorded = decode(reader.stream, seq, message.body)
        if await parking.holds(recorded.address.thing):
            await parking.park(reader.stream, seq, raw.subject, "waits behind a parked event")
            await message.ack()
            return "waiting"
        await handle(recorded)
    except Refused as refusal:
        facts.info("refused", why=str(refusal))
        await message.ack()
        return "refused"
    except Exception as error:  # noqa: BLE001 - the one place that decides a reaction's fate
        tries = place.num_delivered or 1
        if not isinstance(error, ValueError) and tries <= len(DELAYS_S):
            facts.warning("tried again later", why=repr(error), tries=tries)
            await message.nack(delay=DELAYS_S[tries - 1])
            return "failed"
        facts.error("parked", exc_info=error)
        await parking.park(reader.stream, seq, raw.subject, repr(error))
        await message.ack()
        return "parked"
    await message.ack()
    return "done"
