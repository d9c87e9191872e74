"""Messages in blocks: a document holds what is known of `BLOCK` neighbours.

    {_id: "<campaign>/<block>", campaign, block,
     counts: {<status>: how many of its messages},
     carrier_ids: [every id by which the carrier reports on one of them, folded],
     unknown_at: when the last of them was found to be undecided,
     messages: {"<number>": {status, link, segments, carrier_ids, submitted_at, reported_at, ...}}}

One write for a block costs MongoDB hardly more than one for a message, and neighbours are sent and
reported together. Blocks sort by name within a campaign.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ReplaceOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.message import MessageStatus
from campaign_events.projection import Document

BLOCK = 50
"""Large enough that writes are shared, small enough to be read for the sake of one message."""
IN_UTC: CodecOptions[Document] = CodecOptions(tz_aware=False)
"""Moments without a zone are decoded several times faster than with one."""


def message_id(campaign: str, number: int) -> str:
    """Return the name of a message; names sort by number within a campaign."""
    return f"{campaign}/{number:08d}"


def block_of(number: int) -> int:
    """Return which block of its campaign a message is in."""
    return number // BLOCK


def block_id(campaign: str, number: int) -> str:
    """Return the name of the block that a message is in."""
    return _name(campaign, block_of(number))


def block_ids(campaign: str, first: int, last: int) -> Mapping[str, str]:
    """Return what the names of blocks match that hold messages from one number to another."""
    return {"$gte": block_id(campaign, first), "$lte": block_id(campaign, last)}


def messages_in(block: Document, status: MessageStatus | None = None) -> Iterator[Document]:
    """Yield a block's messages, of one status, in row order, with their campaign and number."""
    campaign = block["campaign"]
    for number, name in sorted((int(name), name) for name in block["messages"]):
        row = block["messages"][name]
        if status in (None, row["status"]):
            row["campaign"], row["number"] = campaign, number
            yield row


def messages_called(blocks: Sequence[Document], carrier_ids: Collection[str]) -> Iterator[Document]:
    """Yield those messages of blocks that the carrier calls by one of these ids."""
    wanted = set(carrier_ids)
    for block in blocks:
        for row in messages_in(block):
            if not wanted.isdisjoint(row.get("carrier_ids", ())):
                yield row


async def skipped_numbers(
    blocks: AsyncCollection[Document], campaign: str, first: int, last: int
) -> set[int]:
    """Return which messages, from one number to another, are skipped; perhaps neighbours too."""
    wanted = {"_id": block_ids(campaign, first, last), "counts.skipped": {"$gt": 0}}
    found = await blocks.find(wanted).to_list()
    return {row["number"] for block in found for row in messages_in(block, "skipped")}


@dataclass(slots=True)
class BlockChange:
    """What a batch of the log changes in one block, as one write."""

    campaign: str
    block: int
    new: dict[int, Document] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    carrier_ids: list[str] = field(default_factory=list)
    latest: Document = field(default_factory=dict)
    """Fields of the block that only ever grow."""
    _set: Document = field(default_factory=dict)
    _unset: Document = field(default_factory=dict)

    def change(
        self, numbers: Iterable[int], facts: Mapping[str, Any], without: Sequence[str] = ()
    ) -> None:
        """Set fields of messages that are known already, and take others away."""
        for number in numbers:
            row = self.new.get(number)
            if row is None:
                self._change_stored(f"messages.{number}.", facts, without)
            else:
                row.update(facts)
                for name in without:
                    row.pop(name, None)

    def _change_stored(self, at: str, facts: Mapping[str, Any], without: Sequence[str]) -> None:
        for name in without:
            self._set.pop(at + name, None)
            self._unset[at + name] = ""
        for name, value in facts.items():
            self._set[at + name] = value
            self._unset.pop(at + name, None)

    def end_part(self, number: int, part: int, end: str) -> None:
        """Note what a part of a message that is known already has come to."""
        row = self.new.get(number)
        if row is None:
            self._set[f"messages.{number}.ends.{part}"] = end
        else:
            row.setdefault("ends", {})[str(part)] = end

    def write(self) -> UpdateOne | ReplaceOne[Document]:
        """Return the whole change; a block whose messages are all new is written as it is."""
        key = {"_id": _name(self.campaign, self.block)}
        messages = {str(number): row for number, row in self.new.items()}
        block: Document = {"campaign": self.campaign, "block": self.block}
        if len(messages) == BLOCK and not self._set:
            counts = {name: count for name, count in self.counts.items() if count}
            block |= {"counts": counts, **self.latest, "messages": messages}
            if self.carrier_ids:
                block["carrier_ids"] = self.carrier_ids
            return ReplaceOne(key, block, upsert=True)
        self._set |= {f"messages.{number}": row for number, row in messages.items()}
        update: Document = {"$setOnInsert": block}
        if self._set:
            update["$set"] = self._set
        if self._unset:
            update["$unset"] = self._unset
        if moved := {f"counts.{name}": by for name, by in self.counts.items() if by}:
            update["$inc"] = moved
        if self.carrier_ids:
            update["$push"] = {"carrier_ids": {"$each": self.carrier_ids}}
        if self.latest:
            update["$max"] = self.latest
        return UpdateOne(key, update, upsert=True)


def _name(campaign: str, block: int) -> str:
    return f"{campaign}/{block:08d}"
