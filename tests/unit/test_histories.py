from datetime import UTC, datetime
from typing import Any

from campaign_events.campaign import CampaignCompleted
from campaign_events.envelope import Address, Recorded
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
