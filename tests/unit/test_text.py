import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.text import offending, render, segmentation, variables
from smpp.text import encode


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, ("gsm7", 160, 1)),
        ("a" * 161, ("gsm7", 161, 2)),
        ("a" * 306, ("gsm7", 306, 2)),
        ("a" * 307, ("gsm7", 307, 3)),
        ("€" * 80, ("gsm7", 160, 1)),
        ("a" * 159 + "€", ("gsm7", 161, 2)),
        ("a" * 152 + "€" + "a" * 152, ("gsm7", 306, 3)),
        ("я" * 70, ("ucs2", 70, 1)),
        ("я" * 71, ("ucs2", 71, 2)),
        ("я" * 134, ("ucs2", 134, 2)),
        ("😀" * 35, ("ucs2", 70, 1)),
        ("я" * 66 + "😀" + "я" * 66, ("ucs2", 134, 3)),
    ],
)
def test_segments_are_counted_as_the_standard_says(
    text: str, expected: tuple[str, int, int]
) -> None:
    found = segmentation(text)

    assert (found.encoding, found.length, found.segments) == expected


@given(st.text(alphabet="aä€[я😀ç\n", min_size=1, max_size=400))
def test_what_is_counted_is_what_is_sent(text: str) -> None:
    parts = encode(text)

    assert segmentation(text).segments == len(parts)
    assert (segmentation(text).encoding == "ucs2") == (parts[0].data_coding == 8)


def test_the_characters_that_force_ucs2_are_named_with_their_place() -> None:
    assert offending("Grüße, Łódź ç") == [("Ł", 7), ("ó", 8), ("ź", 10), ("ç", 12)]


def test_placeholders_are_replaced_and_never_read_again() -> None:
    assert render("{{a}} {{ b }}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"
    assert variables("Hi {{name}}, {{ name }} {{x1}} {{ }} {{1x}}") == {"name", "x1"}


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(KeyError, match="name"):
        render("Hi {{name}}", {})
