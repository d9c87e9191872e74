import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from campaign_events.uploads.phones import (
    EMPTY,
    NO_COUNTRY,
    NOT_A_NUMBER,
    NOT_VALID,
    ROUNDED,
    PhoneReader,
    Unusable,
    _country,
)


def takes_the_short_way(phone: str) -> bool:
    country, valid = _country(phone)
    return valid.fullmatch(phone, len(country)) is not None


CODES = st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE))
NATIONAL = st.text("0123456789", min_size=3, max_size=13)


def parsed(text: str) -> str | None:
    """What the library itself makes of a number in international writing."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def examples() -> list[str]:
    numbers = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(SUPPORTED_REGIONS)
        for kind in PhoneNumberType.values()
    ]
    numbers += [phonenumbers.example_number_for_non_geo_entity(code) for code in (800, 870, 979)]
    return [phonenumbers.format_number(n, PhoneNumberFormat.E164) for n in numbers if n]


EXAMPLES = examples()


def read(cell: str, region: str | None = None) -> str:
    return PhoneReader(region).read(cell)


@settings(max_examples=400)
@given(code=CODES, national=NATIONAL)
def test_the_short_way_never_says_valid_when_the_library_says_otherwise(
    code: int, national: str
) -> None:
    phone = f"+{code}{national}"
    if takes_the_short_way(phone):
        assert parsed(phone) == phone


@settings(max_examples=400)
@given(
    example=st.sampled_from(EXAMPLES),
    places=st.lists(st.tuples(st.integers(1, 14), st.sampled_from("0123456789")), max_size=4),
    tail=st.text("0123456789", max_size=1),
)
def test_reading_agrees_with_the_library_near_valid_numbers(
    example: str, places: list[tuple[int, str]], tail: str
) -> None:
    digits = list(example)
    for place, digit in places:
        if place < len(digits):
            digits[place] = digit
    phone = "".join(digits) + tail
    try:
        mine = read(phone)
    except Unusable:
        mine = None
    assert mine == parsed(phone)


def test_a_calling_code_begins_with_no_zero() -> None:
    with pytest.raises(Unusable):
        read("+041212345678")


def test_examples_of_every_country_and_kind_read_as_the_library_says() -> None:
    assert [read(phone) for phone in EXAMPLES] == [parsed(phone) for phone in EXAMPLES]


def test_nearly_every_mobile_number_takes_the_short_way() -> None:
    mobiles = [
        phonenumbers.format_number(number, PhoneNumberFormat.E164)
        for region in SUPPORTED_REGIONS
        if (number := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
    ]
    assert sum(map(takes_the_short_way, mobiles)) >= len(mobiles) * 0.97


@pytest.mark.parametrize(
    "cell",
    [
        "+447911123456",
        " +447911123456 ",
        "'+447911123456",
        "=+447911123456",
        '="+447911123456"',
        "+44 7911 123456",
        "+44 (0)7911-123.456",
        "+4407911123456",
        "\uff0b\uff14\uff147911123456",
        "\u00a0+447911123456",
    ],
)
def test_one_number_has_many_writings(cell: str) -> None:
    assert read(cell) == "+447911123456"


def test_a_national_number_needs_a_region() -> None:
    assert read("07911 123456", "GB") == "+447911123456"
    with pytest.raises(Unusable, match="no country code"):
        read("07911 123456")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", EMPTY),
        ('=""', EMPTY),
        ("'", EMPTY),
        ("hello", NOT_A_NUMBER),
        ("+44 7911 123456 or +44 7911 123457", NOT_A_NUMBER),
        ("9" * 100, NOT_A_NUMBER),
        ("4.47911E+11", ROUNDED),
        ("447911123456", NO_COUNTRY),
        ("+44123", NOT_VALID),
        ("+999123456789", NOT_A_NUMBER),
        ("\u0000", NOT_A_NUMBER),
    ],
)
def test_what_can_not_be_used_says_why_without_repeating_it(cell: str, reason: str) -> None:
    with pytest.raises(Unusable) as refusal:
        read(cell)
    assert str(refusal.value) == reason


def test_a_reader_may_be_given_numbers_of_many_countries_in_any_order() -> None:
    reader = PhoneReader()
    assert [reader.read(phone) for phone in EXAMPLES] == [parsed(phone) for phone in EXAMPLES]
    assert [reader.read(phone) for phone in EXAMPLES[::-7]] == [parsed(p) for p in EXAMPLES[::-7]]


@settings(max_examples=300)
@given(st.text(max_size=70))
def test_any_text_at_all_is_a_valid_number_or_unusable(cell: str) -> None:
    try:
        phone = read(cell, "DE")
    except Unusable:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(phone, None))
