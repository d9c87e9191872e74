"""Knocking with bad tokens, or repeating a command all the time, fills no disk."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from campaign_events.audit import ANYBODY, DENIED, Record, Resource
from campaign_events.audit_repeats import MOST_KNOCKING, WINDOW_S, Repeats
from campaign_events.envelope import Actor, new_id


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def denied(ip: str = "192.0.2.1", workspace: str = "demo") -> Record:
    return Record(
        id=new_id(),
        at=datetime.now(UTC),
        workspace=workspace,
        actor=Actor(id="anonymous", name="anonymous"),
        action=DENIED,
        resource=Resource("door", None),
        outcome="refused",
        refusal="unauthorized",
        ip=ip,
    )


def test_the_first_is_told_at_once_and_the_others_as_a_count() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert [repeats.is_first(denied()) for _ in range(1000)] == [True] + [False] * 999
    assert repeats.over() == []
    clock.now = WINDOW_S
    summed = repeats.over()
    assert [(one.count, one.ip, one.action) for one in summed] == [(999, "192.0.2.1", DENIED)]
    assert repeats.over() == []
    assert repeats.is_first(denied())


def test_what_was_not_repeated_leaves_no_second_record() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert repeats.is_first(denied())
    clock.now = WINDOW_S
    assert repeats.over() == []


def test_callers_are_told_apart_but_not_without_end() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    kept = sum(repeats.is_first(denied(f"192.0.2.{number}")) for number in range(250))
    assert kept == MOST_KNOCKING + 1
    clock.now = WINDOW_S
    (others,) = repeats.over()
    assert (others.count, others.ip, others.workspace) == (250 - kept, None, ANYBODY)
    assert repeats.is_first(denied("192.0.2.249")), "a new minute, a new count"


def test_an_ending_process_tells_what_it_has_counted() -> None:
    repeats = Repeats(Clock())
    for _ in range(3):
        repeats.is_first(denied())
    assert [one.count for one in repeats.over(ending=True)] == [2]


def test_the_same_command_on_another_thing_or_with_another_end_is_not_a_repetition() -> None:
    repeats = Repeats(Clock())
    pushed = replace(denied(), action="campaign.contacts_uploaded", refusal=None, outcome="done")
    other = replace(pushed, resource=Resource("campaign", "other"))
    refused = replace(pushed, outcome="refused", refusal="not_found")
    assert [repeats.is_first(one) for one in (pushed, other, refused)] == [True] * 3
    assert not repeats.is_first(replace(pushed, id=new_id()))
