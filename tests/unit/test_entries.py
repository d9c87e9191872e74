"""Entries of the log: events when they are come to, and what they are about before that."""

from datetime import UTC, datetime

import pytest

from campaign_events.catalogue import subject_of
from campaign_events.entries import Entries, Stored
from campaign_events.envelope import Address, Origin, Unreadable, encode, new_id
from campaign_events.message import MessagesReported

ORIGIN = Origin("c", datetime(2026, 11, 24, tzinfo=UTC), "test")


def stored(seq: int) -> Stored:
    event, address = MessagesReported(link="sim", delivered=(seq,)), Address("w", f"t{seq}")
    payload = encode(event, new_id(), address, ORIGIN)
    return Stored("MESSAGES", seq, subject_of(event, address), payload)


ENTRIES = Entries([stored(seq) for seq in (3, 5, 9)])


def test_entries_are_events_in_log_order_whenever_they_are_gone_through() -> None:
    assert [one.seq for one in ENTRIES] == [one.seq for one in ENTRIES] == [3, 5, 9]
    assert [one.event.delivered for one in ENTRIES[1:]] == [(5,), (9,)]
    assert ENTRIES[-1].address == Address("w", "t9")
    assert len(ENTRIES[:2]) == 2


def test_a_heading_says_what_the_event_says() -> None:
    for heading, recorded in zip(ENTRIES.stored, ENTRIES, strict=True):
        assert heading.seq == recorded.seq
        assert heading.address == recorded.address
        assert heading.type == recorded.type == "message.reported"


@pytest.mark.parametrize(
    ("end", "left"), [(2, []), (3, [3]), (4, [3]), (8, [3, 5]), (9, [3, 5, 9]), (99, [3, 5, 9])]
)
def test_entries_end_where_they_shall(end: int, left: list[int]) -> None:
    assert [one.seq for one in ENTRIES.until(end)] == left


def test_a_batch_that_ends_early_enough_stays_the_same() -> None:
    assert ENTRIES.until(9) is ENTRIES


@pytest.mark.parametrize("subject", ["message.w.t.reported", "message.w", "odd", ""])
def test_what_can_not_be_read_has_the_heading_of_its_subject(subject: str) -> None:
    entry = Stored("MESSAGES", 1, subject, b"{not json")
    (recorded,) = Entries([entry])
    assert isinstance(recorded.event, Unreadable)
    assert (recorded.seq, recorded.address, recorded.type) == (1, entry.address, entry.type)
