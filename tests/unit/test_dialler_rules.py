"""What follows an attempt, the caps, the windows and the clocks of contacts: the pure rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaign_events.call import FinalState, Outcome
from campaign_events.voice import ContactCap, RedialRules, TimeWindow, VoiceSettings
from campaign_events.windows import closing, is_open, next_change, opening
from dialler.caps import allowed_from
from dialler.redial import Attempt, Fate, Terms, Wish, follow, placeable
from dialler.zones import zone_of

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday."""
ALWAYS = TimeWindow(start="00:00", end="00:00")
HOUR = timedelta(hours=1)


def settings(**chosen: object) -> VoiceSettings:
    return VoiceSettings.model_validate({"name": "c", "destination": "sim:agents", **chosen})


def terms(over: FinalState | None = None, window: TimeWindow = ALWAYS, **chosen: object) -> Terms:
    return Terms(settings(time_window=window, **chosen), window, (), over)


def attempt(outcome: Outcome, sequence: int = 1, **facts: object) -> Attempt:
    return Attempt(sequence, outcome, AT, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("outcome", ["no_answer", "rejected", "busy", "error", "timeout"])
def test_an_outcome_that_is_listed_is_tried_again_after_the_delay(outcome: Outcome) -> None:
    assert follow(attempt(outcome), terms()) == Fate("retry_scheduled", AT + HOUR / 2)


def test_an_outcome_that_is_not_listed_is_final() -> None:
    rules = RedialRules(retry_on_system=("busy",))
    assert follow(attempt("no_answer"), terms(redial_rules=rules)) == Fate("failed")
    assert follow(attempt("busy"), terms(redial_rules=rules)).becomes == "retry_scheduled"


def test_the_last_attempt_is_not_followed_by_another() -> None:
    assert follow(attempt("busy", 2), terms()).becomes == "retry_scheduled"
    assert follow(attempt("busy", 3), terms()) == Fate("failed")


def test_a_number_that_does_not_exist_is_not_tried_again() -> None:
    assert follow(attempt("error", hopeless=True), terms()) == Fate("failed")


def test_a_conversation_completes_unless_its_disposition_is_to_be_tried_again() -> None:
    rules = RedialRules(retry_on_custom=("not_now",), max_attempts=2)
    wanted = terms(redial_rules=rules)
    assert follow(attempt("connected", disposition="sold"), wanted) == Fate("completed")
    again = follow(attempt("connected", disposition="not_now"), wanted)
    assert again == Fate("retry_scheduled", AT + HOUR / 2)
    assert follow(attempt("connected", 2, disposition="not_now"), wanted) == Fate("failed")


def test_abandoned_calls_and_machines_are_final() -> None:
    assert follow(attempt("abandoned"), terms()) == Fate("abandoned")
    assert follow(attempt("machine", amd="machine"), terms()) == Fate("machine_detected")
    assert follow(attempt("machine", amd="unknown"), terms()) == Fate("machine_detected")


def test_a_machine_that_was_to_be_talked_to_completes_the_call() -> None:
    wanted = terms(amd={"enabled": True, "action_on_machine": "continue"})
    talked_to = attempt("machine", amd="machine", connected=True)
    assert follow(talked_to, wanted) == Fate("completed")
    assert follow(attempt("machine", amd="machine"), wanted) == Fate("machine_detected")


def test_a_wish_to_be_called_back_is_followed_when_that_is_on() -> None:
    wish = Wish(AT + 3 * HOUR, "is driving")
    asked = attempt("connected", disposition="callback_requested", wish=wish)
    assert follow(asked, terms()) == Fate("completed")
    fate = follow(asked, terms(callback_detection={"enabled": True}))
    assert fate.becomes == "callback_scheduled"
    assert fate.due_at == AT + 3 * HOUR
    assert fate.callback is not None
    assert fate.callback.reason == "is driving"


def test_a_callback_is_moved_into_the_window_and_never_into_the_past() -> None:
    window = TimeWindow(start="09:00", end="18:00", days=("mon", "wed"))
    wanted = terms(window=window, callback_detection={"enabled": True})
    late = attempt("connected", wish=Wish(AT + 9 * HOUR))
    assert follow(late, wanted).due_at == datetime(2026, 11, 25, 9, tzinfo=UTC)
    missed = attempt("connected", wish=Wish(AT - 9 * HOUR))
    assert follow(missed, wanted).due_at == AT


def test_nobody_waits_when_nothing_will_be_dialled_any_more() -> None:
    stopped = terms("manual_stopped", callback_detection={"enabled": True})
    assert follow(attempt("busy"), stopped) == Fate("manual_stopped")
    assert follow(attempt("connected", wish=Wish()), stopped) == Fate("manual_stopped")
    assert follow(attempt("busy", 3), stopped) == Fate("failed")


def test_caps_put_an_attempt_off_until_it_breaks_none() -> None:
    caps = (ContactCap(calls=2, hours=24), ContactCap(calls=3, hours=72))
    attempts = [AT - 30 * HOUR, AT - 5 * HOUR, AT - HOUR]
    assert allowed_from(caps, attempts[:1], AT) == AT
    assert allowed_from(caps[:1], attempts, AT) == AT + 19 * HOUR
    assert allowed_from(caps, attempts, AT) == AT + 42 * HOUR


hours_ago = some.lists(some.integers(0, 200), max_size=12)
capped = some.lists(
    some.builds(ContactCap, calls=some.integers(1, 4), hours=some.integers(1, 96)), max_size=3
)


@given(hours_ago, capped)
def test_no_cap_is_ever_broken(ago: list[int], caps: list[ContactCap]) -> None:
    attempts = [AT - hours * HOUR for hours in ago]
    at = allowed_from(caps, attempts, AT)
    assert at >= AT
    for cap in caps:
        recent = [moment for moment in attempts if moment > at - timedelta(hours=cap.hours)]
        assert len(recent) < cap.calls


windows = some.builds(
    TimeWindow,
    start=some.sampled_from(["00:00", "02:30", "09:00", "22:00"]),
    end=some.sampled_from(["00:00", "01:30", "06:00", "18:00"]),
    timezone=some.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    days=some.sets(some.sampled_from(["mon", "tue", "fri", "sun"]), min_size=1).map(tuple),
)
moments = some.integers(0, 525_600).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + minute * HOUR / 60
)


@given(windows, moments, hours_ago, capped)
def test_an_attempt_is_only_ever_put_where_window_and_caps_allow_it(
    window: TimeWindow, now: datetime, ago: list[int], caps: list[ContactCap]
) -> None:
    attempts = [now - hours * HOUR for hours in ago]
    wanted = Terms(settings(contact_caps=tuple(caps)), window, attempts)
    at = placeable(wanted, now)
    assert at is not None
    assert at >= now
    assert is_open(window, at)
    assert allowed_from(caps, attempts, at) == at


@given(windows, moments)
def test_a_window_changes_where_it_says_and_not_before(window: TimeWindow, now: datetime) -> None:
    change = next_change(window, now)
    if change is None:
        return
    assert change > now
    assert is_open(window, change) != is_open(window, now)
    between = now + (change - now) / 2
    assert is_open(window, between) == is_open(window, now)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    window = TimeWindow(start="22:00", end="06:00", days=("mon",))
    assert is_open(window, datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert is_open(window, datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert not is_open(window, datetime(2026, 11, 23, 5, tzinfo=UTC))
    assert not is_open(window, datetime(2026, 11, 24, 23, tzinfo=UTC))


def test_a_window_opens_by_the_clocks_when_they_are_put_back() -> None:
    berlin = TimeWindow(start="09:00", end="18:00", timezone="Europe/Berlin")
    before = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert opening(berlin, before) == datetime(2026, 10, 25, 8, tzinfo=UTC)
    assert closing(berlin, before) == datetime(2026, 10, 25, 17, tzinfo=UTC)


def test_a_window_that_never_opens_has_no_moment() -> None:
    assert opening(TimeWindow(days=()), AT) is None
    assert placeable(terms(window=TimeWindow(days=())), AT) is None


@pytest.mark.parametrize(
    ("phone", "variables", "zone"),
    [
        ("+442079460000", {}, "Europe/London"),
        ("+12125550123", {}, "America/New_York"),
        ("+13105550123", {}, "America/Los_Angeles"),
        ("+12125550123", {"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("+12125550123", {"timezone": "Middle/Earth"}, "America/New_York"),
        ("nonsense", {}, "Europe/Berlin"),
    ],
)
def test_a_contacts_clocks_are_told_or_guessed_from_the_number(
    phone: str, variables: dict[str, str], zone: str
) -> None:
    assert zone_of(phone, variables, "Europe/Berlin", AT) == zone


def test_a_number_of_many_zones_is_in_the_campaigns_own_if_that_is_one_of_them() -> None:
    assert zone_of("+18005550123", {}, "America/Denver", AT) == "America/Denver"
