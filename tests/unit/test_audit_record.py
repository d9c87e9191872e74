"""What a record of the trail holds, whatever came in from outside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign_events.audit import (
    Record,
    Resource,
    changes,
    document,
    note,
    open_note,
    resource_id,
    watched,
)
from campaign_events.audit_repeats import Repeats
from campaign_events.decider import Decider
from campaign_events.envelope import Actor, Event, new_id

AT = datetime(2026, 3, 29, 1, 30, 0, 123_900, UTC)


def record(**changed: Any) -> Record:
    known: dict[str, Any] = {
        "id": new_id(),
        "at": AT,
        "workspace": "demo",
        "actor": Actor(id="ann", name="Ann"),
        "action": "campaign.edited",
        "resource": Resource("campaign", "c1"),
        "outcome": "done",
    }
    return Record(**(known | changed))


def test_a_record_survives_its_line() -> None:
    written = record(before={"name": "a"}, after={"name": "b"}, ip="192.0.2.1")
    kept = document(written.line(90))
    assert kept["_id"] == written.id
    assert kept["at"] == AT.replace(microsecond=123_000), "when, to the millisecond"
    assert kept["expires_at"] == kept["at"] + timedelta(days=90)
    assert (kept["before"], kept["after"]) == ({"name": "a"}, {"name": "b"})


def test_text_that_is_no_unicode_is_kept_all_the_same() -> None:
    kept = document(record(actor=Actor(id="\ud800", name="a\0b"), user_agent="x" * 9000).line(1))
    assert kept["actor"] == {"id": "?", "name": "a�b"}
    assert len(kept["user_agent"]) == 512


def test_what_is_too_long_is_named_so() -> None:
    kept = document(record(before={"text": "x" * 100_000}).line(1))
    assert kept["before"] == {"too_long": True}


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"_id": "x"}', b"\0\0", b'"x"'])
def test_a_line_that_is_no_record_is_told(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        document(line)


@pytest.mark.parametrize("text", ["+4915112345678", "4915112345678", "../x", "", "x" * 65, None])
def test_what_may_be_a_number_is_no_resource(text: str | None) -> None:
    assert resource_id(text) is None


def test_ids_are_resources() -> None:
    for name in (new_id(), "demo", "w1", "12345", "a" * 64):
        assert resource_id(name) == name


def test_only_what_differs_is_told() -> None:
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == (
        {"b": 2, "c": None},
        {"b": 3, "c": 4},
    )


def test_a_note_outside_of_a_request_is_told_to_nobody() -> None:
    note(before={"a": 1})


def test_a_note_keeps_what_was_told_before() -> None:
    noted = open_note()
    note(before={"a": 1})
    note(after={"a": 2}, resource="x")
    assert (noted.before, noted.after, noted.resource) == ({"a": 1}, {"a": 2}, "x")


def test_a_watched_decider_decides_the_same_and_remembers_about_what() -> None:
    def decide(state: int, command: int) -> list[Event]:
        return [Event(type=f"x.{state + command}")]

    plain: Decider[int, Event, int] = Decider(0, decide, lambda state, _: state + 1)
    decider, seen = watched(plain)
    assert seen == []
    assert decider.decide(4, 5) == decide(4, 5)
    assert decider.decide(6, 5) == decide(6, 5)
    assert seen == [6]


def test_repeats_of_nothing_are_nothing() -> None:
    assert Repeats().over(ending=True) == []
