"""Reactions: an event leads to a command or to a call outside. NATS keeps the place.

One event is in hand at a time, in log order. A refusal acknowledges: the wish has been heard. While
somebody else is away the event is asked for again, for as long as that takes. What can not be read,
or keeps failing, is parked; later events of the same thing wait behind it, and others go on.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from faststream.nats.security import NatsNKey, NatsSecurity
from opentelemetry.trace import SpanKind
from prometheus_client import Counter as Metric
from prometheus_client import Histogram

from campaign_events import tracing
from campaign_events.catalogue import read
from campaign_events.decider import Refused
from campaign_events.envelope import Batch, Recorded, Unknown, Unreadable
from campaign_events.eventlog import NotUnderstood
from campaign_events.faults import said
from campaign_events.nats_login import INBOX, NatsLogin
from campaign_events.parking import Indigestible, Parked, Parking, covers, is_away, told
from campaign_events.projection import Database
from campaign_events.releasing import current
from campaign_events.topology import Reader

REACTIONS = Metric(
    "carillon_reactions", "Deliveries that a reaction has dealt with", ["reaction", "verdict"]
)
TOOK = Histogram(
    "carillon_reaction_seconds",
    "From a delivery to its verdict",
    ["reaction"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
VERDICTS = ("done", "refused", "waiting", "parked", "failed", "away")
DELAYS_S = (0.1, 0.5, 1)
"""How long an event rests after each failed try; then it is parked. Others wait for it so long."""
AWAY_S = (0.1, 0.5, 1, 2, 5)
"""How long it rests while somebody is away; the last one again and again."""
HOPELESS = (Indigestible, NotUnderstood, ValueError)

log = structlog.get_logger(__name__)

type Handler = Callable[[Recorded[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one durable consumer's events lead to."""

    reader: Reader
    handle: Handler
    parking: Parking
    failures: Counter[int] = field(default_factory=Counter)
    """How often what is in hand has failed for a cause of its own, by its sequence."""

    @classmethod
    def of(cls, reader: Reader, handle: Handler, db: Database) -> "Reaction":
        """Return the reaction that parks in this database."""
        return cls(reader, handle, Parking(db, reader.durable, "reaction"))

    def join(self, broker: NatsBroker, inbox_prefix: str = INBOX) -> None:
        """Subscribe to the consumer, which `topology.ensure` must have made."""
        for verdict in VERDICTS:
            REACTIONS.labels(self.reader.durable, verdict)

        @broker.subscriber(
            stream=JStream(self.reader.stream, declare=False),
            durable=self.reader.durable,
            config=self.reader.config,
            pull_sub=PullSub(batch_size=1, timeout=5),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=f"{inbox_prefix}.".encode(),
            decoder=_undecoded,
        )
        async def _deal(_body: bytes, message: NatsMessage) -> None:
            began = time.perf_counter()
            verdict = await self._verdict(message)
            REACTIONS.labels(self.reader.durable, verdict).inc()
            TOOK.labels(self.reader.durable).observe(time.perf_counter() - began)

    async def _verdict(self, message: NatsMessage) -> str:
        """Deal with one delivery and settle it; the name of the verdict is for the metric."""
        raw = message.raw_message
        seq, tries = raw.metadata.sequence.stream, raw.metadata.num_delivered or 1
        recorded = read(self.reader.stream, seq, raw.subject, message.body)
        span = tracing.span(
            f"react {recorded.event.type}",
            parent=recorded.traceparent,
            kind=SpanKind.CONSUMER,
            reaction=self.reader.durable,
            seq=seq,
        )
        correlation = structlog.contextvars.bound_contextvars(
            correlation_id=recorded.correlation_id
        )
        with correlation, span as one:
            verdict = await self._settled(message, recorded, tries)
            one.set_attribute("carillon.verdict", verdict)
        return verdict

    async def _settled(self, message: NatsMessage, recorded: Recorded[Any], tries: int) -> str:
        try:
            verdict = await self._dealt(recorded)
        except Exception as error:  # noqa: BLE001 - the one place that decides a reaction's fate
            away = is_away(error)
            if not away:
                self.failures[recorded.seq] += 1
                tries = self.failures[recorded.seq]
            delays = AWAY_S if away else DELAYS_S
            log.warning(
                "tried again later",
                reaction=self.reader.durable,
                stream=self.reader.stream,
                seq=recorded.seq,
                why=said(error),
                tries=tries,
            )
            await message.nack(delay=delays[min(tries, len(delays)) - 1])
            return "away" if away else "failed"
        await message.ack()
        del self.failures[recorded.seq]
        return verdict

    async def _dealt(self, recorded: Recorded[Any]) -> str:
        """Handle an event, have it wait, or park it.

        Raises:
            Exception: nothing of this came about; it shall be tried again.

        """
        if await self.parking.holds_back(recorded):
            return "waiting"
        facts = log.bind(reaction=self.reader.durable, stream=recorded.stream, seq=recorded.seq)
        try:
            await self._handled(recorded)
        except Refused as refusal:
            facts.info("refused", why=str(refusal))
            return "refused"
        except Exception as error:
            worn_out = self.failures[recorded.seq] >= len(DELAYS_S)
            if is_away(error) or not (worn_out or isinstance(error, HOPELESS)):
                raise
            await self.parking.park(recorded, error)
            facts.error("parked", **told(error))
            return "parked"
        return "done"

    async def _handled(self, recorded: Recorded[Any]) -> None:
        match recorded.event:
            case Unreadable() as event:
                raise Indigestible(event.why)
            case Unknown() as event:
                raise Indigestible(f"{event.type} is not known to this version")
            case _:
                await self.handle(recorded)

    def wants(self, recorded: Recorded[Any]) -> bool:
        """Tell whether the consumer hears such events."""
        return covers(self.reader.subjects, recorded)

    async def digest(
        self, parked: Parked, events: Batch, *, drop: bool
    ) -> tuple[int, Parked | None]:
        """Handle one after the other, up to the first that fails."""
        done = await self._in_order(events, drop=drop)
        if drop:
            await self.parking.drop(parked)
        while True:
            fresh = await current(self.parking, parked)
            left = fresh.without(events[:done])
            if await self.parking.settle(fresh, left):
                return done, left

    async def _in_order(self, events: Batch, *, drop: bool) -> int:
        """Return how many were dealt with.

        Raises:
            Indigestible: none.

        """
        for place, recorded in enumerate(events):
            if drop and place == 0:
                continue
            try:
                await self._handled(recorded)
            except Refused as refusal:
                log.info("refused", reaction=self.reader.durable, why=str(refusal))
            except Exception as error:
                if place:
                    return place
                if is_away(error) or isinstance(error, Indigestible):
                    raise
                raise Indigestible(said(error)) from error
        return len(events)


async def _undecoded(message: NatsMessage) -> bytes:
    return message.body


def broker_of(login: NatsLogin, **options: Any) -> NatsBroker:
    """Return a broker that logs in like this; it connects when it is started."""
    tls = login.tls
    trust: dict[str, Any] = {"ssl_context": tls, "tls_handshake_first": tls is not None}
    security = NatsSecurity(**trust)
    if login.seed is not None:
        security = NatsNKey.from_seed(login.seed, **trust)
    return NatsBroker(
        login.servers,
        name=login.name,
        inbox_prefix=login.inbox_prefix,
        security=security,
        logger=None,
        **options,
    )
