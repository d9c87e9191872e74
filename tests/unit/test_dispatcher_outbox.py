from datetime import UTC, datetime, timedelta
from typing import Any

from dispatcher.inflight import InFlight, Message
from dispatcher.links.link import Answer, Part, Source, Verdict
from dispatcher.outbox import Outbox, Say
from dispatcher.outcomes import Outcomes
from dispatcher.settling import Settling

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def settling() -> Settling:
    nowhere: Any = None
    return Settling(InFlight("l", nowhere, lambda: 0, nowhere), undecided_wait_s=60)


def message(number: int, parts: int = 1, ends_at: datetime | None = None) -> Message:
    submits = tuple(
        Part(("c", number, index), "+1", 0, b"x", 0, False, Source("Shop"))
        for index in range(parts)
    )
    return Message("c", "w", number, parts, submits=submits, phone="+1", ends_at=ends_at)


def answer(number: int, verdict: Verdict, part: int = 0, at: datetime = NOW) -> Answer:
    name = f"id{number}.{part}" if verdict == "accepted" else None
    return Answer(("c", number, part), 0 if name else 8, name, verdict, at)


def said(word: Say) -> Any:
    return lambda _: word


def told(out: Outcomes) -> dict[str, int]:
    return {kind: count for _, kind, count in out.counts()}


def test_what_is_to_go_back_and_was_never_written_is_queued_again() -> None:
    settled, out = settling(), Outcomes("l")
    outbox = Outbox(settled)
    outbox.put([message(1, parts=3)])
    outbox.review(said("back"), out)
    assert told(out) == {"deferred": 1}
    [(_, deferral)] = out.deferrals()
    assert (deferral.after_s, deferral.temporary) == (0, False)
    assert not settled.open
    assert not outbox.reviewable


def test_what_the_carrier_has_in_part_fails_when_the_rest_must_not_go_out() -> None:
    settled, out = settling(), Outcomes("l")
    outbox = Outbox(settled)
    outbox.put([message(1, parts=3)])
    assert len(outbox.next(1, said("go"))) == 1
    outbox.review(said("back"), out)
    assert told(out) == {}
    settled.answered([answer(1, "accepted")], out)
    assert told(out) == {"refused": 1}
    [[(_, failure)]] = out._about.values()
    assert failure.error == "withdrawn"


def test_the_rest_of_a_message_that_waits_keeps_nobody_waiting() -> None:
    settled, out = settling(), Outcomes("l")
    outbox = Outbox(settled)
    outbox.put([message(1, parts=3), message(2)])
    outbox.next(1, said("go"))
    outbox.review(lambda one: "hold" if one.number == 1 else "go", out)
    assert [part.key[1] for part in outbox.next(10, said("go"))] == [2]
    assert not outbox
    outbox.review(said("go"), out)
    assert [part.key for part in outbox.next(10, said("go"))] == [("c", 1, 1), ("c", 1, 2)]


def test_parts_leave_in_order_and_no_more_than_there_is_room_for() -> None:
    outbox = Outbox(settling())
    outbox.put([message(1, parts=2), message(2)])
    assert [part.key[1:] for part in outbox.next(2, said("go"))] == [(1, 0), (1, 1)]
    assert [part.key[1:] for part in outbox.next(2, said("go"))] == [(2, 0)]


def test_parts_that_rest_come_at_once_when_their_message_is_to_go_back() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(1, parts=2)
    settled.answered([answer(1, "accepted"), answer(1, "temporary", part=1)], out)
    assert settled.due_again(10) == []
    assert [part.key for part in settled.again_of(lambda _: True)] == [("c", 1, 1)]


def test_of_the_parts_that_may_go_once_more_no_more_come_than_the_rate_allows() -> None:
    settled, out = settling(), Outcomes("l")
    for number in (1, 2, 3):
        settled.open["c", number] = message(number, parts=2)
        settled.answered([answer(number, "accepted"), answer(number, "throttled", part=1)], out)
    settled._again = [(0.0, part) for _, part in settled._again]
    assert [part.key[1] for part in settled.due_again(2)] == [1, 2]
    assert settled.due_again(0) == []
    assert [part.key[1] for part in settled.due_again(2)] == [3]


def test_after_the_end_of_its_campaign_a_temporary_error_is_final() -> None:
    settled, out = settling(), Outcomes("l")
    for number, ends_at in ((1, NOW), (2, NOW + timedelta(seconds=1))):
        settled.open["c", number] = message(number, ends_at=ends_at)
        settled.answered([answer(number, "temporary")], out)
    assert told(out) == {"refused": 1, "deferred": 1}


def test_a_message_that_the_carrier_has_in_part_is_not_completed_for_ever() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(1, parts=2)
    settled.answered([answer(1, "accepted"), answer(1, "temporary", part=1)], out)
    settled.again_of(lambda _: True)
    settled.answered([answer(1, "temporary", part=1, at=NOW + timedelta(hours=25))], out)
    assert told(out) == {"refused": 1}


def test_a_message_of_which_the_carrier_took_no_part_goes_back_though_it_was_begun() -> None:
    settled, out = settling(), Outcomes("l")
    outbox = Outbox(settled)
    outbox.put([message(1, parts=3)])
    outbox.next(1, said("go"))
    outbox.review(said("back"), out)
    settled.answered([answer(1, "throttled")], out)
    assert told(out) == {"deferred": 1}
