from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.links.link import Answer, Verdict
from dispatcher.rate import Rate, Throttling


@given(
    st.floats(1, 2000), st.lists(st.floats(0.001, 2), min_size=1, max_size=200), st.integers(1, 10)
)
def test_over_any_time_no_more_goes_out_than_the_rate_and_one_burst(
    per_s: float, pauses: list[float], parts: int
) -> None:
    rate, now, sent = Rate(per_s), 100.0, 0
    rate.room(now)
    for pause in pauses:
        now += pause
        while rate.room(now) > 0:
            rate.spend(parts)
            sent += parts
    assert sent <= (now - 100) * per_s + max(1.0, per_s * 0.25) + parts


def test_throttling_halves_the_rate_at_most_once_a_second() -> None:
    rate = Rate(100)
    rate.room(0)
    rate.throttled(10.0)
    rate.throttled(10.1)
    rate.throttled(10.9)

    assert rate.share == 0.5
    rate.throttled(11.5)
    assert rate.share == 0.25


def test_a_link_slowed_to_the_ground_is_back_within_ten_seconds() -> None:
    rate, now = Rate(100), 0.0
    for _ in range(20):
        now += 1.1
        rate.throttled(now)
    rate.room(now)
    assert rate.share == 0.05

    end = now + 10
    while now < end:
        now += 0.01
        rate.room(now)

    assert rate.share >= 0.95


def test_a_long_message_goes_into_debt_that_the_next_seconds_pay() -> None:
    rate = Rate(2)
    rate.room(0)
    assert rate.room(1) == 1
    rate.spend(10)

    assert rate.room(2) <= 0
    assert rate.wait_s() > 3
    assert rate.room(6) > 0


def test_the_throttled_share_tells_of_the_last_seconds_and_fades() -> None:
    def answers(count: int, verdict: Verdict) -> list[Answer]:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        return [Answer(("c", 1, 0), 0, None, verdict, now)] * count

    throttling = Throttling()
    assert throttling.share(0.0) == 0
    throttling.heard(answers(50, "throttled") + answers(50, "accepted"), 1.0)
    assert throttling.share(1.0) == 0.5
    throttling.heard(answers(300, "accepted"), 11.0)
    assert throttling.share(11.0) < 0.1
    assert throttling.share(1000.0) == 0
