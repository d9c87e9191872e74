from datetime import UTC, datetime
from typing import Any

from campaign_events.campaign import CampaignCompleted
from campaign_events.decider import Decider
from campaign_events.envelope import Address, Event, Recorded
from campaign_events.histories import Histories

ADA, BOB, EVE = (Address("w", name) for name in ("ada", "bob", "eve"))


def entries(address: Address, *seqs: int) -> list[Recorded[Any]]:
    at, event = datetime(2026, 11, 22, tzinfo=UTC), CampaignCompleted(was="sending")
    return [Recorded("CAMPAIGNS", seq, f"id{seq}", address, at, event, "test") for seq in seqs]


def test_a_history_goes_on_with_what_was_appended_behind_its_end() -> None:
    histories = Histories()
    histories.went_on(ADA, 0, entries(ADA, 3))
    histories.went_on(ADA, 3, entries(ADA, 5, 6))
    assert histories.known(ADA) == tuple(entries(ADA, 3, 5, 6))


def test_what_was_appended_behind_something_unknown_is_not_remembered() -> None:
    histories = Histories()
    histories.went_on(ADA, 2, entries(ADA, 3))
    assert histories.known(ADA) == ()
    histories.remember(BOB, entries(BOB, 1))
    histories.went_on(BOB, 4, entries(BOB, 5))
    assert histories.known(BOB) == tuple(entries(BOB, 1))


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    histories = Histories(most=4)
    histories.remember(ADA, entries(ADA, 1, 2))
    histories.remember(BOB, entries(BOB, 3, 4))
    assert histories.known(ADA)
    histories.remember(EVE, entries(EVE, 5))
    assert histories.known(BOB) == ()
    assert histories.known(ADA)
    assert histories.known(EVE)


def test_nothing_and_too_much_take_no_room() -> None:
    histories = Histories(most=2)
    histories.remember(ADA, [])
    assert histories.known(ADA) == ()
    histories.remember(ADA, entries(ADA, 1, 2, 3))
    assert histories.known(ADA) == ()
    histories.remember(BOB, entries(BOB, 4, 5))
    histories.remember(BOB, entries(BOB, 4, 5))
    assert histories.known(BOB) == tuple(entries(BOB, 4, 5))


def counting() -> tuple[Decider[None, Event, int], list[int]]:
    """Return a decider whose state is how many events there were, and what it has evolved."""
    evolved: list[int] = []

    def evolve(state: int, _: Event) -> int:
        evolved.append(state)
        return state + 1

    return Decider(0, lambda _, __: (), evolve), evolved


def test_a_state_is_what_all_that_is_remembered_makes_and_only_news_are_folded() -> None:
    histories, (decider, evolved) = Histories(), counting()
    assert histories.folded(ADA, decider) == 0
    histories.went_on(ADA, 0, entries(ADA, 3, 4))
    assert histories.folded(ADA, decider) == 2
    histories.went_on(ADA, 4, entries(ADA, 7))
    histories.went_on(ADA, 9, entries(ADA, 11))
    assert histories.folded(ADA, decider) == 3
    assert evolved == [0, 1, 2]


def test_a_history_that_was_read_anew_is_folded_anew() -> None:
    histories, (decider, _) = Histories(), counting()
    histories.remember(ADA, entries(ADA, 3, 4))
    assert histories.folded(ADA, decider) == 2
    histories.remember(ADA, entries(ADA, 2))
    assert histories.folded(ADA, decider) == 1
    histories.remember(BOB, entries(BOB, *range(5, 5 + 5_000)))
    assert histories.folded(ADA, decider) == 0


def test_each_decider_has_a_state_of_its_own() -> None:
    histories, (one, _), (other, evolved) = Histories(), counting(), counting()
    histories.remember(ADA, entries(ADA, 3, 4))
    assert histories.folded(ADA, one) == histories.folded(ADA, other) == 2
    histories.went_on(ADA, 4, entries(ADA, 7))
    assert histories.folded(ADA, one) == histories.folded(ADA, other) == 3
    assert evolved == [0, 1, 0, 1, 2]
