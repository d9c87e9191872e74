"""The facts of one turn: gathered per campaign and kind, appended as few events in right order.

What a submit came to is stored before what was reported of it.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import structlog

from campaign_events.envelope import Address, Event, Origin, new_id
from campaign_events.eventlog import Fact, Rejected, Unavailable
from campaign_events.message import (
    BATCH,
    Deferral,
    Failure,
    MessagesDeferred,
    MessagesRecovered,
    MessagesRefused,
    MessagesReported,
    MessagesSubmitted,
    MessagesUndecided,
    PartReport,
    ReportsUnmatched,
    Submission,
    UnmatchedReport,
)
from dispatcher.inflight import Message

SOURCE = "dispatcher"
LINKS = "_"
"""In place of a workspace, for facts about a link itself."""
AGAIN_S = 0.5

log = structlog.get_logger(__name__)

type Kind = Literal[
    "submitted",
    "refused",
    "deferred",
    "undecided",
    "delivered",
    "failed",
    "part",
    "recovered",
    "lost",
]
FIRST: tuple[Kind, ...] = ("submitted", "refused", "deferred", "undecided")
ENDS: tuple[Kind, ...] = ("delivered", "failed", "part", "recovered", "lost")


class Facts(Protocol):
    """Where facts are appended: the log, or the log as the owner of a link writes to it."""

    async def append_fact(self, fact: Fact, origin: Origin) -> int:
        """Append one fact and return its sequence."""
        ...


class Outcomes:
    """Collects what happened to messages on one link."""

    def __init__(self, link: str) -> None:
        self.link = link
        self._about: dict[tuple[Address, Kind], list[tuple[Message, Any]]] = {}
        self.unmatched: list[UnmatchedReport] = []

    def submitted(self, message: Message) -> None:
        """The carrier has all parts."""
        message.fate = "submitted"
        self._add("submitted", message, Submission(number=message.number, carrier_ids=message.ids))

    def refused(self, message: Message, error: str) -> None:
        """The carrier will never take it."""
        message.fate = "failed"
        self._add("refused", message, Failure(number=message.number, error=error))

    def deferred(
        self, message: Message, error: str, after_s: float, *, temporary: bool = True
    ) -> None:
        """It may be tried again; `temporary` when the carrier refused it, not only just then."""
        deferral = Deferral(
            number=message.number, error=error, after_s=after_s, temporary=temporary
        )
        self._add("deferred", message, deferral)

    def undecided(self, message: Message) -> None:
        """Nobody can tell whether the carrier has it."""
        message.fate = "unknown"
        self._add("undecided", message, message.number)

    def part(self, message: Message, part: int, error: str | None) -> None:
        """A part has come to its end; others are still to be heard of."""
        report = PartReport(number=message.number, part=part, delivered=error is None, error=error)
        self._add("part", message, report)

    def ended(self, message: Message, error: str | None) -> None:
        """The reports tell the end of a message, which nobody could tell before if `unknown`."""
        late = message.fate == "unknown"
        message.fate = "delivered" if error is None else "failed"
        if error is None:
            self._add("recovered" if late else "delivered", message, message.number)
        else:
            failure = Failure(number=message.number, error=error)
            self._add("lost" if late else "failed", message, failure)

    def counts(self) -> Iterator[tuple[str, Kind, int]]:
        """Return how many of each kind there are, by campaign."""
        for (address, kind), entries in self._about.items():
            yield address.thing, kind, len(entries)

    def about(self, *kinds: Kind) -> Iterator[Message]:
        """Return the messages of which there is something of these kinds."""
        for (_, kind), entries in self._about.items():
            if kind in kinds:
                yield from (message for message, _ in entries)

    def deferrals(self) -> Iterator[tuple[Message, Deferral]]:
        """Return every deferral with its message, which knows its place once it is stored."""
        for (_, kind), entries in self._about.items():
            if kind == "deferred":
                yield from entries

    async def append(self, store: Facts) -> None:
        """Append all of it, however long that takes: what has happened can not be unsaid.

        Raises:
            Conflict: the link has another owner by now.

        """
        origin = Origin(new_id(), datetime.now(UTC), SOURCE)
        first = [key for key in self._about if key[1] in FIRST]
        ends = {key[0] for key in self._about if key[1] not in FIRST}
        early = {address for address in ends if not self._are_known(address)}
        await asyncio.gather(
            *(begun(self._store(store, origin, *key)) for key in first),
            *(begun(self._store_reports(store, origin, address)) for address in ends - early),
        )
        await asyncio.gather(
            *(self._store_reports(store, origin, address) for address in early),
            *(
                keep(store, ReportsUnmatched(reports=piece), Address(LINKS, self.link), origin)
                for piece in _pieces(self.unmatched)
            ),
        )

    def _are_known(self, address: Address) -> bool:
        """Tell whether the log has the submission of everything that was reported of a campaign."""
        reported = (self._about.get((address, kind), ()) for kind in ENDS)
        return all(message.seq for entries in reported for message, _ in entries)

    def _add(self, kind: Kind, message: Message, item: object) -> None:
        address = Address(message.workspace, message.campaign)
        self._about.setdefault((address, kind), []).append((message, item))

    async def _store(self, store: Facts, origin: Origin, address: Address, kind: Kind) -> None:
        for piece in _pieces(self._about[address, kind]):
            seq = await keep(store, self._event(kind, [item for _, item in piece]), address, origin)
            _stored(piece, seq)

    def _event(self, kind: Kind, items: Sequence[Any]) -> Event:
        match kind:
            case "submitted":
                return MessagesSubmitted(link=self.link, messages=tuple(items))
            case "refused":
                return MessagesRefused(link=self.link, failures=tuple(items))
            case "deferred":
                return MessagesDeferred(link=self.link, deferrals=tuple(items))
            case "undecided":
                return MessagesUndecided(link=self.link, numbers=tuple(items))
            case _:
                raise ValueError(f"{kind} is told together with other reports")

    async def _store_reports(self, store: Facts, origin: Origin, address: Address) -> None:
        delivered, failed, parts, recovered, lost = (
            self._about.get((address, kind), []) for kind in ENDS
        )
        for start in range(0, max(len(delivered), len(failed), len(parts)), BATCH):
            cut = slice(start, start + BATCH)
            event = MessagesReported(
                link=self.link,
                delivered=tuple(item for _, item in delivered[cut]),
                failed=tuple(item for _, item in failed[cut]),
                parts=tuple(item for _, item in parts[cut]),
            )
            seq = await keep(store, event, address, origin)
            _stored((*delivered[cut], *failed[cut], *parts[cut]), seq)
        if recovered or lost:
            late = MessagesRecovered(
                link=self.link,
                delivered=tuple(item for _, item in recovered),
                failed=tuple(item for _, item in lost),
            )
            seq = await keep(store, late, address, origin)
            _stored((*recovered, *lost), seq)


def begun[T](work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin some work now: what it appends is on its way before what others append from here on."""
    return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)


def origin() -> Origin:
    """Return the origin of facts that the dispatcher states now, of its own accord."""
    return Origin(new_id(), datetime.now(UTC), SOURCE)


async def keep(
    store: Facts, event: Event, address: Address, origin: Origin, fact_id: str | None = None
) -> int:
    """Append one fact that is true whatever others write; wait for the log as long as it takes."""
    fact = Fact(event, address, fact_id or new_id())
    while True:
        try:
            return await store.append_fact(fact, origin)
        except (Unavailable, Rejected) as error:
            log.warning("the log takes nothing, a fact waits", type=event.type, why=str(error))
            await asyncio.sleep(AGAIN_S)


def _stored(entries: Sequence[tuple[Message, Any]], seq: int) -> None:
    for message, _ in entries:
        message.seq = seq


def _pieces[T](items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
