from collections import Counter, deque
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.fairness import Fairness
from dispatcher.links.link import Part, Source
from dispatcher.resting import Recipient

PART = Part(("c", 1, 0), "+1", 0, b"x", 0, udh=False, source=Source("Shop"))


def recipient(number: int, segments: int = 1) -> Recipient:
    return Recipient(number, f"+{number}", f"h{number}", (PART,) * segments)


@dataclass
class Line:
    """A campaign with a number of messages, each of so many segments."""

    id: str
    workspace: str
    left: int
    segments: int = 1
    sent: list[int] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        return self.left > 0

    def pop(self) -> Recipient:
        self.left -= 1
        self.sent.append(len(self.sent) + 1)
        return recipient(len(self.sent), self.segments)


def cost(one: Recipient) -> int:
    return one.segments


def turn(fairness: Fairness, lines: list[Line], budget: int) -> Counter[str]:
    """The segments that each campaign gets of one turn."""
    picked = fairness.pick(lines, budget, cost)
    return Counter({line.id: sum(map(cost, some)) for line, some in picked})


def test_campaigns_of_one_workspace_take_turns() -> None:
    lines = [Line("a", "w", 100), Line("b", "w", 100)]
    assert turn(Fairness(), lines, 10) == {"a": 5, "b": 5}


def test_a_workspace_with_many_campaigns_gets_no_more_than_one_with_a_single_one() -> None:
    lines = [*(Line(f"a{n}", "w1", 100) for n in range(9)), Line("b", "w2", 100)]
    shares = turn(Fairness(), lines, 36)
    assert shares["b"] == 18
    assert {shares[f"a{n}"] for n in range(9)} == {2}


def test_turns_are_measured_in_segments() -> None:
    lines = [Line("long", "w1", 100, segments=10), Line("short", "w2", 1000)]
    fairness, shares = Fairness(), Counter[str]()
    for _ in range(10):
        shares += turn(fairness, lines, 40)
    assert abs(shares["long"] - shares["short"]) <= 10


def test_turns_go_on_where_they_ended_however_small_the_budget() -> None:
    lines = [Line("a", "w1", 100), Line("b", "w1", 100), Line("c", "w2", 100)]
    fairness, shares = Fairness(), Counter[str]()
    for _ in range(40):
        shares += turn(fairness, lines, 1)
    assert shares == {"a": 10, "b": 10, "c": 20}


def test_who_comes_late_starts_level_and_does_not_catch_up() -> None:
    fairness, big = Fairness(), Line("big", "w1", 10_000)
    turn(fairness, [big], 1000)
    small = Line("small", "w2", 100)
    assert turn(fairness, [big, small], 20) == {"big": 10, "small": 10}


def test_who_was_away_has_no_claim_on_what_it_missed() -> None:
    fairness, one, other = Fairness(), Line("one", "w1", 10_000), Line("other", "w2", 10_000)
    turn(fairness, [one, other], 10)
    turn(fairness, [one], 1000)
    assert turn(fairness, [one, other], 20) == {"one": 10, "other": 10}


def test_what_one_does_not_need_goes_to_the_others() -> None:
    lines = [Line("a", "w1", 3), Line("b", "w2", 100)]
    assert turn(Fairness(), lines, 20) == {"a": 3, "b": 17}


def test_those_who_opted_out_cost_nothing() -> None:
    line = Line("a", "w", 50)
    [(_, some)] = Fairness().pick([line], 5, lambda _: 0)
    assert len(some) == 50


def test_each_campaign_keeps_its_own_order() -> None:
    fairness, ready = Fairness(), deque(range(1, 31))
    lines = [Line("a", "w", 30), Line("b", "w", 5)]
    order: list[int] = []
    while lines[0].waits:
        for line, some in fairness.pick(lines, 7, cost):
            order += [one.number for one in some if line.id == "a"]
    assert order == list(ready)


@given(
    st.lists(
        st.tuples(st.sampled_from("uvw"), st.integers(1, 60), st.integers(1, 5)),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 30),
)
def test_everybody_is_served_in_the_end_and_nobody_waiting_falls_behind(
    wanted: list[tuple[str, int, int]], budget: int
) -> None:
    lines = [Line(f"c{n}", *one) for n, one in enumerate(wanted)]
    fairness, most = Fairness(), max(segments for *_, segments in wanted)
    served: Counter[str] = Counter()
    while any(line.waits for line in lines):
        before = {line.id for line in lines if line.waits}
        served += turn(fairness, lines, budget)
        if {line.id for line in lines if line.waits} != before:
            served.clear()
            continue
        shares = Counter[str]()
        for line in lines:
            if line.waits:
                shares[line.workspace] += served[line.id]
        assert max(shares.values()) - min(shares.values()) <= 2 * most
    assert all(len(line.sent) == count for line, (_, count, _) in zip(lines, wanted, strict=True))
