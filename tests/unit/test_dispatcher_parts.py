import itertools

from hypothesis import given
from hypothesis import strategies as st

from campaign_events.envelope import derived_id
from campaign_events.message import Skipped
from campaign_events.suppression import phone_hash
from dispatcher.parts import parts_reference
from dispatcher.planning import planned

PHONE = phone_hash(b"key", "demo", "+447911123456")
CAMPAIGNS = [derived_id("campaign", str(number)) for number in range(1024)]


@given(st.text(min_size=1, max_size=64), st.integers(1, 10**8))
def test_a_message_keeps_its_reference_and_it_fits_into_eight_bits(
    campaign: str, number: int
) -> None:
    found = parts_reference(PHONE, campaign, number)
    assert found == parts_reference(PHONE, campaign, number)
    assert 0 <= found <= 0xFF


def test_messages_to_one_phone_have_references_that_look_random() -> None:
    found = [parts_reference(PHONE, campaign, 1) for campaign in CAMPAIGNS]
    assert len(set(found)) > 240
    neighbours = sum(a == b for a, b in itertools.pairwise(found))
    assert neighbours < 16  # 1023 / 256 = 4 are expected


def test_references_can_not_be_foretold_without_the_key() -> None:
    other = phone_hash(b"another key", "demo", "+447911123456")
    same = sum(
        parts_reference(PHONE, one, 1) == parts_reference(other, one, 1) for one in CAMPAIGNS
    )
    assert same < 16


def test_a_contact_that_the_campaign_is_kept_from_gets_its_place_and_no_message() -> None:
    contacts = [
        {"number": 1, "phone": "+447911123456", "variables": {}},
        {"number": 2, "phone": "+447911123457", "variables": {}},
    ]
    event = planned("a", "Hi", (1, 2), contacts, {"+447911123456"})
    assert event.skipped == (Skipped(number=1, reason="suppressed"),)
    assert event.parts == ((1, 1),)
