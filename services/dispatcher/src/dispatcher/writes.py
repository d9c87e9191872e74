"""What a batch of the log changes in the view of messages, gathered until it is written."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from pymongo import UpdateMany, UpdateOne

from campaign_events.envelope import Event, Recorded
from campaign_events.message import Failure
from campaign_events.projection import Document, Write, Writes
from dispatcher.blocks import BlockChange, block_of, message_id


class MessageWrites:
    """The writes of one batch on messages, on the sendings they sum up to, and on stray reports."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[str, int], BlockChange] = {}
        self.deferred: list[Write] = []
        self.sendings: list[Write] = []
        self.unmatched: list[Write] = []

    def block(self, fact: Recorded[Event], index: int) -> BlockChange:
        """Return what changes in a block of a campaign."""
        name = fact.address.thing, index
        found = self.blocks.get(name)
        if found is None:
            found = self.blocks[name] = BlockChange(*name)
        return found

    def new(self, fact: Recorded[Event], number: int, row: Document) -> BlockChange:
        """Write down a message of which nothing was known so far; return what its block changes."""
        block = self.block(fact, block_of(number))
        block.new[number] = row
        block.counts[row["status"]] += 1
        return block

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
            for number in some:
                block.change(number, facts, without)

    def fail(
        self, fact: Recorded[Event], failures: Sequence[Failure], was: str, **facts: object
    ) -> int:
        """Fail messages that are known already, with their errors; return how many."""
        for failure in failures:
            ends = {"status": "failed", "reason": failure.error, "reported_at": fact.time, **facts}
            self.move(fact, (failure.number,), was, ends)
        return len(failures)

    def rest_no_more(self, fact: Recorded[Event], numbers: Sequence[int]) -> None:
        """Take messages out of those that wait to be tried again, if they are among them."""
        if numbers:
            names = [message_id(fact.address.thing, number) for number in numbers]
            self.deferred.append(UpdateMany({"_id": {"$in": names}}, {"$unset": {"due_at": 1}}))

    def sum(
        self,
        fact: Recorded[Event],
        *,
        closed: Iterable[int] = (),
        place: dict[str, object] | None = None,
        least: dict[str, object] | None = None,
        without: Iterable[str] = (),
        **moves: int,
    ) -> None:
        """Add to a campaign's counters, close open numbers, and set fields of its sending.

        `least` sets fields that have no smaller value yet, `without` takes fields away.
        """
        change: dict[str, object] = {}
        if counted := {name: count for name, count in moves.items() if count}:
            change["$inc"] = counted
        if numbers := list(closed):
            change["$pull"] = {"open": {"$in": numbers}}
        if place:
            change["$set"] = place
        if least:
            change["$min"] = least
        if without:
            change["$unset"] = dict.fromkeys(without, "")
        if change:
            self.sendings.append(UpdateOne({"_id": fact.address.thing}, change, upsert=True))

    def all(self) -> Writes:
        """Return the writes by collection."""
        return {
            "blocks": [block.write() for block in self.blocks.values()],
            "deferred": self.deferred,
            "sendings": self.sendings,
            "unmatched": self.unmatched,
        }
