"""Laws of parking: whatever is poisoned, and however the log is cut, the rest is digested alike."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from campaign_events.catalogue import subject_of
from campaign_events.digestion import by_halves, digest
from campaign_events.entries import Entries, Stored
from campaign_events.envelope import (
    Address,
    Event,
    Events,
    Origin,
    Recorded,
    Unknown,
    encode,
)
from campaign_events.faults import said, trace
from campaign_events.message import SendingFinished
from campaign_events.parking import Indigestible, Parked, covers

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
THINGS = ("a", "b", "c")
Happened = tuple[str, str]
"""Whom an event is about, and what it is: fine, poison for the fold, unreadable, unknown."""

happenings = st.lists(
    st.tuples(
        st.sampled_from(THINGS),
        st.sampled_from(("fine", "fine", "fine", "fine", "poison", "unreadable", "unknown")),
    ),
    max_size=60,
)


def entry(seq: int, thing: str, kind: str) -> Stored:
    what: Event = SendingFinished(waited=kind == "poison")
    if kind == "unknown":
        what = Unknown(type="message.teleported", data={})
    address = Address("w", thing)
    payload = encode(what, f"e{seq}", address, Origin("c", AT, "test"))
    if kind == "unreadable":
        payload = payload[:-1]
    return Stored("MESSAGES", seq, subject_of(what, address), payload)


def event(seq: int, thing: str) -> Recorded[Any]:
    (recorded,) = Entries([entry(seq, thing, "fine")])
    return recorded


def fold(events: Events) -> dict[str, list[tuple[str, int]]]:
    kept = []
    for recorded in events:
        if getattr(recorded.event, "waited", False):
            raise RuntimeError(f"{recorded.seq} is poisoned")
        if not isinstance(recorded.event, Unknown):
            kept.append((recorded.address.thing, recorded.seq))
    return {"seen": kept}


class View:
    """A view in memory, with what is parked of it: the first of each thing, and what waits."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.parked: dict[Address, list[int]] = {}
        self.unknown: Counter[str] = Counter()
        self.place = 0

    async def commit(self, batch: Entries, poison: Indigestible | None) -> None:
        assert batch[0].seq == self.place + 1, "pieces come one behind the other"
        if poison is not None:
            (recorded,) = batch
            assert recorded.address not in self.parked
            self.parked[recorded.address] = [recorded.seq]
        else:
            found = digest(fold, batch, self.parked.keys())
            self.seen += found.writes.get("seen", ())
            self.unknown.update(found.unknown)
            for recorded in found.waiting:
                self.parked[recorded.address].append(recorded.seq)
        self.place = batch[-1].seq


def pieces(log: Entries, cuts: set[int]) -> Iterator[Entries]:
    for first, end in pairwise(sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})):
        yield log[first:end]


@given(happenings, st.sets(st.integers(0, 60)))
def test_any_cut_and_any_poison_give_the_view_without_the_tails_of_the_poisoned(
    happened: list[Happened], cuts: set[int]
) -> None:
    log = Entries([entry(seq, *what) for seq, what in enumerate(happened, 1)])
    view = View()

    async def follow() -> None:
        for piece in pieces(log, cuts):
            await by_halves(piece, view.commit)

    asyncio.run(follow())

    tails: defaultdict[Address, list[int]] = defaultdict(list)
    good: list[Recorded[Any]] = []
    for recorded, (_, kind) in zip(log, happened, strict=True):
        if kind in {"poison", "unreadable"} or recorded.address in tails:
            tails[recorded.address].append(recorded.seq)
        else:
            good.append(recorded)
    assert view.seen == fold(good)["seen"]
    assert view.parked == tails
    assert view.unknown.total() == sum(isinstance(one.event, Unknown) for one in good)


@given(st.integers(1, 40), st.data())
def test_what_is_left_after_any_part_is_what_was_not_dealt_with(
    count: int, data: st.DataObject
) -> None:
    events = [event(seq * 10, "a") for seq in range(1, count + 1)]
    dealt = data.draw(st.integers(1, count))
    left = parked(seq=10, last=count * 10, waiting=count - 1).without(events[:dealt])
    if dealt == count:
        assert left is None
    else:
        assert left is not None
        assert (left.waiting, left.last, left.is_untried) == (count - dealt - 1, count * 10, True)
        assert events[dealt - 1].seq < left.seq <= events[dealt].seq


def test_a_failed_try_changes_nothing_but_its_count_and_its_reason() -> None:
    before = parked(seq=10, last=90, waiting=5)
    after = before.failed(event(10, "a"), RuntimeError("still bad"))
    assert (after.seq, after.last, after.waiting, after.first_at) == (10, 90, 5, before.first_at)
    assert (after.tries, after.error) == (2, "RuntimeError: still bad")


def parked(*, seq: int, last: int, waiting: int) -> Parked:
    return Parked(
        id="r:w:a",
        reader="r",
        kind="projection",
        stream="MESSAGES",
        workspace="w",
        thing="a",
        seq=seq,
        last=last,
        waiting=waiting,
        type="message.finished",
        error="bad",
        trace="",
        tries=1,
        first_at=AT,
        last_at=AT,
    )


@pytest.mark.parametrize(
    ("subjects", "reaches"),
    [
        ((">",), True),
        (("message.>",), True),
        (("campaign.>", "message.*.*.finished"), True),
        (("message.*.*.plan_finished",), False),
        (("message.*.b.>",), False),
        (("message.w",), False),
        (("message.w.a.finished.more",), False),
    ],
)
def test_subject_filters_are_understood_as_the_server_does(
    subjects: Sequence[str], reaches: object
) -> None:
    assert covers(subjects, event(1, "a")) is reaches


class Contact(BaseModel):
    phone: int


def test_why_something_failed_holds_no_phone_and_no_value() -> None:
    with pytest.raises(ValidationError) as invalid:
        Contact.model_validate({"phone": "+44 7700 900123 of Ann"})
    words = said(invalid.value)
    assert words == "Contact: phone: int_parsing"
    for phone in ("+447700900123", "07700 900123", "(0)7700-900-123", "447700900123"):
        assert "900" not in said(KeyError(phone))
    assert len(said(ValueError("x" * 10_000))) == 500


def test_the_way_to_an_error_names_places_and_no_values() -> None:
    def fails(phone: str) -> None:
        raise ValueError(phone)

    with pytest.raises(ValueError, match="7700") as failed:
        fails("+447700900123")
    way = trace(failed.value)
    assert way.splitlines()[-1].startswith("unit/test_parking.py:")
    assert way.endswith(" in fails")
    assert "7700" not in way
