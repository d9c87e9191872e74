"""What a batch of the log changes in the view of messages, gathered until it is written."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from pymongo import UpdateMany

from campaign_events.envelope import Event, Recorded
from campaign_events.message import Failure, MessageStatus
from campaign_events.projection import Document, Write, Writes
from dispatcher.blocks import BlockChange, block_of, message_id
from dispatcher.sending_change import SendingChange

type Row = tuple[int, Document]
"""The number of a message, and what is known of it."""


def moment(fact: Recorded[Event]) -> datetime:
    """Return when it was, as MongoDB keeps it: a zone would cost as much as the rest of a row."""
    return fact.time.astimezone(UTC).replace(tzinfo=None)


class MessageWrites:
    """The writes of one batch on messages, on the sendings they sum up to, and on stray reports."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[str, int], BlockChange] = {}
        self.deferred: list[Write] = []
        self.sendings: dict[str, SendingChange] = {}
        self.unmatched: list[Write] = []

    def block(self, fact: Recorded[Event], index: int) -> BlockChange:
        """Return what changes in a block of a campaign."""
        name = fact.address.thing, index
        found = self.blocks.get(name)
        if found is None:
            found = self.blocks[name] = BlockChange(*name)
        return found

    def new(
        self,
        fact: Recorded[Event],
        status: MessageStatus,
        rows: Iterable[Row],
        latest: Document | None = None,
    ) -> None:
        """Write down messages of which nothing was known so far, and what only grows in a block."""
        for index, neighbours in groupby(rows, lambda row: block_of(row[0])):
            some = dict(neighbours)
            block = self.block(fact, index)
            for row in some.values():
                row["status"] = status
                block.carrier_ids.extend(filter(None, row.get("carrier_ids", ())))
            block.new.update(some)
            block.counts[status] += len(some)
            block.latest.update(latest or {})

    def move(
        self,
        fact: Recorded[Event],
        numbers: Iterable[int],
        was: str,
        facts: Document,
        without: Sequence[str] = (),
    ) -> None:
        """Give messages another status and whatever comes with it."""
        becomes = facts["status"]
        for index, neighbours in groupby(numbers, block_of):
            some = list(neighbours)
            block = self.block(fact, index)
            block.counts[was] -= len(some)
            block.counts[becomes] += len(some)
            block.change(some, facts, without)

    def fail(
        self, fact: Recorded[Event], failures: Sequence[Failure], was: str, **facts: object
    ) -> int:
        """Fail messages that are known already, with their errors; return how many."""
        for failure in failures:
            ends = {
                "status": "failed",
                "reason": failure.error,
                "reported_at": moment(fact),
                **facts,
            }
            self.move(fact, (failure.number,), was, ends)
        return len(failures)

    def rest_no_more(self, fact: Recorded[Event], numbers: Sequence[int]) -> None:
        """Take messages out of those that wait to be tried again, if they are among them."""
        if numbers:
            names = [message_id(fact.address.thing, number) for number in numbers]
            self.deferred.append(UpdateMany({"_id": {"$in": names}}, {"$unset": {"due_at": 1}}))

    def sum(  # noqa: PLR0913 - whatever an event may change in a sending
        self,
        fact: Recorded[Event],
        *,
        taken: Iterable[int] = (),
        closed: Iterable[int] = (),
        place: dict[str, object] | None = None,
        least: dict[str, object] | None = None,
        without: Iterable[str] = (),
        **moves: int,
    ) -> None:
        """Add to a campaign's counters, open and close numbers, and set fields of its sending.

        `least` sets fields that have no smaller value yet, `without` takes fields away.
        """
        sending = self.sendings.get(fact.address.thing)
        if sending is None:
            sending = self.sendings[fact.address.thing] = SendingChange(fact.address.thing)
        sending.open(taken)
        sending.close(closed)
        for name in without:
            sending.drop(name)
        for name, value in (place or {}).items():
            sending.set(name, value)
        for name, value in (least or {}).items():
            sending.lower(name, value)
        for name, count in moves.items():
            if count:
                sending.add(name, count)

    def all(self) -> Writes:
        """Return the writes by collection."""
        return {
            "blocks": [block.write() for block in self.blocks.values()],
            "deferred": self.deferred,
            "sendings": [write for one in self.sendings.values() for write in one.writes()],
            "unmatched": self.unmatched,
        }
