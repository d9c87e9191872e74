"""Messages in blocks: whatever happens to messages, in whatever batches, blocks tell it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from campaign_events.envelope import Event, Events, Recorded
from campaign_events.message import (
    OUTCOME_UNKNOWN,
    Failure,
    MessagesRecovered,
    MessagesRefused,
    MessagesReported,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesUndecided,
    PartReport,
    Skipped,
    Submission,
)
from campaign_events.verifying import seen
from dispatcher.blocks import BLOCK, block_id, messages_called, messages_in
from dispatcher.views import fold_messages
from folding import folded, recorded

NUMBERS = (1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK)


@dataclass
class Told:
    """What is to be seen of one message: by the words of the facts about it, one by one."""

    status: str
    reason: str | None = None
    ids: tuple[str, ...] = ()
    ends: dict[str, str] = field(default_factory=dict)
    unknown: bool = False


@dataclass
class Story:
    """Facts in a possible order, and what they come to message by message."""

    facts: list[Event] = field(default_factory=list)
    messages: dict[int, Told] = field(default_factory=dict)

    def go_on(self, what: str, number: int) -> None:
        """Let something happen to a message, if it can."""
        told = self.messages.get(number)
        failure = (Failure(number=number, error="8"),)
        if told is None:
            self._begin(what, number, failure)
        elif told.status == "submitted":
            self._report(what, number, told, failure)
        elif told.unknown:
            good = what == "well"
            done = (number,) if good else ()
            fact = MessagesRecovered(link="l", delivered=done, failed=() if good else failure)
            self.facts.append(fact)
            told.status, told.reason = ("delivered", None) if good else ("failed", "8")
            told.unknown = False

    def _begin(self, what: str, number: int, failure: tuple[Failure, ...]) -> None:
        match what:
            case "well" | "in part":
                ids = (f"0{number:X}A", f"0{number:X}B")
                sent = Submission(number=number, carrier_ids=ids)
                self.facts.append(MessagesSubmitted(link="l", messages=(sent,)))
                self.messages[number] = Told("submitted", ids=ids)
            case "badly":
                self.facts.append(MessagesRefused(link="l", failures=failure))
                self.messages[number] = Told("failed", "8")
            case "never":
                skip = Skipped(number=number, reason="suppressed")
                self.facts.append(MessagesSkipped(skipped=(skip,)))
                self.messages[number] = Told("skipped", "suppressed")
            case _:
                self.facts.append(MessagesUndecided(link="l", numbers=(number,)))
                self.messages[number] = Told("failed", OUTCOME_UNKNOWN, unknown=True)

    def _report(self, what: str, number: int, told: Told, failure: tuple[Failure, ...]) -> None:
        match what:
            case "well":
                self.facts.append(MessagesReported(link="l", delivered=(number,)))
                told.status = "delivered"
            case "in part":
                part = PartReport(number=number, part=1, delivered=False, error="8")
                self.facts.append(MessagesReported(link="l", parts=(part,)))
                told.ends["1"] = "8"
            case _:
                self.facts.append(MessagesReported(link="l", failed=failure))
                told.status, told.reason = "failed", "8"


@some.composite
def stories(draw: some.DrawFn) -> Story:
    story = Story()
    happen = some.sampled_from(("well", "in part", "badly", "never", "silently"))
    for what, number in draw(some.lists(some.tuples(happen, some.sampled_from(NUMBERS)))):
        story.go_on(what, number)
    return story


def entries(story: Story) -> list[Recorded[Any]]:
    return [recorded(seq, "c", fact) for seq, fact in enumerate(story.facts, 1)]


def rows(blocks: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for name in sorted(blocks):
        yield from messages_in(blocks[name])


@given(stories(), some.lists(some.integers(1, 30)))
def test_blocks_tell_of_each_message_what_its_facts_say(story: Story, cuts: Sequence[int]) -> None:
    blocks = folded(only_blocks, entries(story), cuts).get("blocks", {})
    found = list(rows(blocks))
    assert [row["number"] for row in found] == sorted(story.messages)
    for row in found:
        told = story.messages[row["number"]]
        ids = tuple(row.get("given_ids") or row.get("carrier_ids", ()))
        assert (row["campaign"], row["status"]) == ("c", told.status)
        assert (row.get("reason"), ids) == (told.reason, told.ids)
        assert (row.get("ends", {}), row.get("unknown", False)) == (told.ends, told.unknown)


@given(stories(), some.lists(some.integers(1, 30)))
def test_a_block_counts_its_messages_and_is_found_by_their_ids(
    story: Story, cuts: Sequence[int]
) -> None:
    blocks = folded(only_blocks, entries(story), cuts).get("blocks", {})
    for name, block in blocks.items():
        inside = list(messages_in(block))
        assert {block_id("c", row["number"]) for row in inside} == {name}
        assert seen(block["counts"]) == Counter(row["status"] for row in inside)
        carrier_ids = [one for row in inside for one in row.get("carrier_ids", ())]
        assert sorted(block.get("carrier_ids", [])) == sorted(carrier_ids)
        for one in carrier_ids:
            [row] = messages_called([block], [one])
            assert one in row["carrier_ids"]


@given(stories(), some.lists(some.integers(1, 30)))
def test_cutting_the_log_anywhere_gives_the_same_blocks(story: Story, cuts: Sequence[int]) -> None:
    whole = folded(only_blocks, entries(story))
    assert seen(folded(only_blocks, entries(story), cuts)) == seen(whole)


@given(some.lists(some.sampled_from(("well", "badly", "never", "silently")), min_size=BLOCK))
def test_a_block_that_is_new_as_a_whole_is_the_same_as_one_that_grew(ends: Sequence[str]) -> None:
    story = Story()
    for what in (ends, ["well"] * len(ends)):
        for number, end in enumerate(what, BLOCK):
            story.go_on(end, number)
    at_once = folded(only_blocks, entries(story))
    assert seen(at_once) == seen(folded(only_blocks, entries(story), (BLOCK // 2, BLOCK + 3)))
    assert [row["number"] for row in rows(at_once["blocks"])] == sorted(story.messages)


def only_blocks(events: Events) -> dict[str, Any]:
    return {"blocks": fold_messages(events)["blocks"]}
