from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign_events.message import UnmatchedReport
from dispatcher.inflight import InFlight, Message, reference
from dispatcher.links.link import Answer, Part, Report, Source, Token, Verdict
from dispatcher.outcomes import Outcomes
from dispatcher.settling import HELD_FOR, OnUnknown, Settling
from dispatcher.strays import Stray, Strays

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PHONE = "+4915112000001"


class NoSession:
    def acknowledge(self, sequence: int) -> None:
        raise AssertionError(sequence)


def settling(on_unknown: OnUnknown = "fail") -> Settling:
    """No view behind it: every id in these tests is known in memory, or there is none to ask."""
    nowhere: Any = None
    return Settling(InFlight("l", nowhere, lambda: 0, nowhere), 0, on_unknown)


def message(parts: int = 1, number: int = 1, tries: int = 0) -> Message:
    return Message("c", "w", number, parts, phone=PHONE, tries=tries)


def answer(verdict: Verdict, part: int = 0, name: str | None = None, number: int = 1) -> Answer:
    return Answer(("c", number, part), 0 if name else 8, name, verdict, NOW)


def report(
    name: str, *, delivered: bool = True, ref: int | None = None, age_s: float = 0
) -> Report:
    return Report(
        message_id=name,
        state="delivered" if delivered else "failed",
        error=None if delivered else "001",
        stat="DELIVRD" if delivered else "UNDELIV",
        at=datetime.now(UTC) - timedelta(seconds=age_s),
        destination=PHONE[1:],
        source="Shop",
        reference=ref,
        token=Token(NoSession(), 1),
    )


def told(out: Outcomes) -> dict[str, int]:
    return {kind: count for _, kind, count in out.counts()}


async def hear(settled: Settling, out: Outcomes, *reports: Report) -> bool:
    """Let reports in; True when all that are in hand may be acknowledged."""
    known = settled._inflight._by_id
    for one in reports:
        unanswered = list(settled.open.values())
        if one.message_id not in known and settled._recognised(one, unanswered) is None:
            raise AssertionError("these tests have no view to ask")
    await settled.reported(reports, out)
    return not settled._held


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["accepted", "accepted"], {"submitted": 1}),
        (["permanent", "permanent"], {"refused": 1}),
        (["accepted", "permanent"], {"refused": 1}),
        (["throttled", "throttled"], {"deferred": 1}),
        (["unsent", "unsent"], {"deferred": 1}),
        (["temporary", "throttled"], {"deferred": 1}),
        (["accepted", "unknown"], {}),
    ],
)
def test_a_message_comes_to_what_its_parts_come_to(
    verdicts: list[Verdict], expected: dict[str, int]
) -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    answers = [
        answer(verdict, part, f"id{part}" if verdict == "accepted" else None)
        for part, verdict in enumerate(verdicts)
    ]

    throttled = settled.answered(answers, out)

    assert told(out) == expected
    assert throttled == ("throttled" in verdicts)
    assert not settled.open


def test_temporary_errors_rest_longer_each_time() -> None:
    rests = []
    for tries in (0, 1, 2, 20):
        settled, out = settling(), Outcomes("l")
        settled.open["c", 1] = message(tries=tries)
        settled.answered([answer("temporary")], out)
        rests += [deferral.after_s for _, deferral in out.deferrals()]

    assert rests == [5, 10, 20, 900]


def test_the_missing_part_of_a_message_is_submitted_again_when_it_was_only_throttled() -> None:
    settled, out = settling(), Outcomes("l")
    part = Part(("c", 1, 1), PHONE, 1, b"x", 0, udh=True, source=Source("Shop"))
    settled.open["c", 1] = two = message(parts=2)
    two.submits = (part, part)
    settled.answered([answer("accepted", 0, "p0"), answer("throttled", 1)], out)

    assert told(out) == {}
    assert [one for _, one in settled._again] == [part]
    settled.answered([answer("accepted", 1, "p1")], out)
    assert told(out) == {"submitted": 1}


async def test_a_message_ends_once_however_often_it_is_reported() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("accepted", name="a")], out)

    await settled.reported([report("a"), report("a"), report("a", delivered=False)], out)

    assert told(out) == {"submitted": 1, "delivered": 1}


async def test_parts_end_together_and_one_failure_fails_all() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=3)
    settled.answered([answer("accepted", part, f"p{part}") for part in range(3)], out)

    await settled.reported([report("p2")], out)
    assert told(out) == {"submitted": 1, "part": 1}
    await settled.reported([report("p0", delivered=False), report("p1")], out)

    assert told(out) == {"submitted": 1, "part": 1, "failed": 1}


def test_a_report_that_came_before_the_answer_counts_when_the_answer_comes() -> None:
    settled, out = settling(), Outcomes("l")
    settled.strays.remember([UnmatchedReport(carrier_id="early", delivered=True)])
    settled.open["c", 1] = message()

    settled.answered([answer("accepted", name="early")], out)

    assert told(out) == {"submitted": 1, "delivered": 1}


def test_an_undecided_message_is_given_up_and_a_late_answer_still_counts_as_knowledge() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)

    settled.give_up(out)
    settled.give_up(out)

    assert told(out) == {"undecided": 1}


async def test_an_undecided_message_is_known_by_its_reference_before_it_is_given_up() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)
    settled._inflight.know(message(number=9), 0, "other")

    assert await hear(settled, out, report("x", ref=reference("c", 1, 0)))

    assert told(out) == {"submitted": 1, "delivered": 1}
    settled.give_up(out)
    assert told(out) == {"submitted": 1, "delivered": 1}


async def test_a_report_after_giving_up_recovers_the_message() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)
    settled.give_up(out)

    assert await hear(settled, out, report("x", ref=reference("c", 1, 0)))

    assert told(out) == {"undecided": 1, "recovered": 1}


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_part_reported_before_the_other_is_answered_is_held_and_not_acknowledged(
    delivered: bool,
) -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0")], out)

    assert not await hear(settled, out, report("p0", delivered=delivered))
    assert told(out) == {}
    settled.answered([answer("accepted", 1, "p1")], out)
    assert await hear(settled, out)

    assert told(out) == {"submitted": 1, "part" if delivered else "failed": 1}


@pytest.mark.parametrize("order", [("p0", "x"), ("x", "p0")])
async def test_parts_of_an_undecided_message_are_acknowledged_when_all_are_heard_of(
    order: tuple[str, str],
) -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0"), answer("unknown", 1)], out)
    reports = {"p0": report("p0"), "x": report("x", ref=reference("c", 1, 1))}

    assert not await hear(settled, out, reports[order[0]])
    await hear(settled, out, reports[order[1]])
    assert await hear(settled, out)

    assert told(out) == {"submitted": 1, "delivered": 1}


async def test_a_part_whose_other_is_not_answered_for_long_is_kept_and_acknowledged() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0")], out)

    assert await hear(settled, out, report("p0", age_s=HELD_FOR.total_seconds()))
    assert [one.carrier_id for one in out.unmatched] == ["p0"]
    settled.answered([answer("accepted", 1, "p1")], out)

    assert told(out) == {"submitted": 1, "part": 1}


async def test_a_part_of_an_undecided_message_is_held_until_that_is_given_up() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0"), answer("unknown", 1)], out)

    assert not await hear(settled, out, report("p0", age_s=HELD_FOR.total_seconds()))
    assert not out.unmatched


async def test_a_held_part_is_stored_once_its_message_is_given_up() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0"), answer("unknown", 1)], out)
    assert not await hear(settled, out, report("p0"))

    settled.give_up(out)
    assert await hear(settled, out)

    assert told(out) == {"undecided": 1, "part": 1}


async def test_somebody_elses_reference_recognises_nothing() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)

    assert settled._recognised(report("x", ref=reference("c", 2, 0))) is None


def test_an_answer_without_an_id_has_the_message_all_the_same() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()

    settled.answered([Answer(("c", 1, 0), 0, None, "accepted", NOW)], out)

    assert told(out) == {"submitted": 1}


def test_an_id_is_stored_as_the_carrier_wrote_it() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = one = message()

    settled.answered([Answer(("c", 1, 0), 0, "7f", "accepted", NOW, "0000007F")], out)

    assert one.ids == ("0000007F",)


async def test_a_report_that_names_an_unanswered_submit_is_held_and_then_counts() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()

    assert not await hear(settled, out, report("x", ref=reference("c", 1, 0)))
    settled.answered([answer("unknown")], out)
    assert await hear(settled, out)

    assert told(out) == {"submitted": 1, "delivered": 1}


@pytest.mark.parametrize("delivered", [True, False])
def test_a_stray_that_came_before_the_connection_was_lost_decides(delivered: bool) -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled._keep(report("x", delivered=delivered), None if delivered else "001", out)

    settled.answered([answer("unknown")], out)

    assert told(out) == {"submitted": 1, "delivered" if delivered else "failed": 1}
    assert not len(settled.strays)
    assert not len(settled.undecided)


def test_without_a_reference_another_submit_to_the_same_number_keeps_a_report_unmatched() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)
    settled.open["c", 2] = other = message(number=2)

    assert settled._recognised(report("x"), [other]) is None
    assert settled._recognised(report("x")) is not None


def test_without_a_reference_the_sender_must_be_the_same() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = one = message()
    one.source = "Bank"
    settled.answered([answer("unknown")], out)

    assert settled._recognised(report("x")) is None


def test_a_link_that_resends_puts_undecided_messages_back() -> None:
    settled, out = settling("resend"), Outcomes("l")
    settled.open["c", 1] = message()
    settled.answered([answer("unknown")], out)

    settled.give_up(out)

    [(_, deferral)] = out.deferrals()
    assert (deferral.error, deferral.temporary) == ("outcome_unknown", True)
    assert not len(settled.undecided)


def test_the_first_copy_of_a_message_that_is_sent_again_is_known_by_none_of_its_ids() -> None:
    settled, out = settling("resend"), Outcomes("l")
    settled.open["c", 1] = message(parts=2)
    settled.answered([answer("accepted", 0, "p0"), answer("unknown", 1)], out)

    settled.give_up(out)

    assert told(out) == {"deferred": 1}
    assert not settled._inflight._by_id


def test_throttling_is_no_try_of_the_message_itself() -> None:
    settled, out = settling(), Outcomes("l")
    settled.open["c", 1] = message(tries=3)
    settled.answered([answer("throttled")], out)

    [(_, deferral)] = out.deferrals()
    assert (deferral.temporary, deferral.after_s) == (False, 1.0)


def test_strays_are_bounded_and_the_oldest_goes_first() -> None:
    strays = Strays(kept=2)
    for name in ("a", "b", "c"):
        kept = UnmatchedReport(carrier_id=name, delivered=True)
        strays.keep(Stray(kept, PHONE[1:], other_ids=(f"{name}'",)))

    assert len(strays) == 2
    assert strays.take("a", PHONE[1:]) is None
    assert strays.take("b'", "somebody else") is None
    assert strays.take("b'", PHONE[1:]) is not None
    assert [one.report.carrier_id for one in strays.to(PHONE[1:])] == ["c"]


def test_what_the_carrier_says_of_an_open_message_is_never_counted_twice_as_a_stray() -> None:
    strays = Strays()
    kept = UnmatchedReport(carrier_id="a", delivered=True)

    assert strays.keep(Stray(kept))
    assert not strays.keep(Stray(kept))


def test_outcomes_are_counted_by_campaign() -> None:
    out = Outcomes("l")
    out.submitted(message())
    out.submitted(message(number=2))

    assert list(out.counts()) == [("c", "submitted", 2)]
