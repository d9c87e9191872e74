import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.writings import Writings

ADA = Writings("49", "15112345678", "0")


@pytest.mark.parametrize(
    "text",
    [
        *("+4915112345678", "004915112345678", "015112345678", "4915112345678", "15112345678"),
        *("+49 151 12345678", "+49 (0) 151 123 456 78", "0151/12345678", "(0151) 12345678"),
        *("+49-151-1234-5678", "00 49 151 12 34 56 78", "+49.151.12345678", "tel:+4915112345678"),
        "%2B4915112345678",
    ],
)
def test_every_writing_is_hidden(text: str) -> None:
    hidden = ADA.hide(f"call {text}, please")
    assert isinstance(hidden, str)
    assert len(hidden) == len(f"call {text}, please")
    assert hidden.startswith("call ")
    assert hidden.endswith(", please")
    assert not any(digit in hidden.replace("%2B", "") for digit in "123456789")


@pytest.mark.parametrize(
    "text",
    [
        "+4915112345679",
        "+49151123456789",
        "115112345678",
        "915112345678",
        "01a2025a-0849-70d5-bb3e-f78746b63eca",
        "1511234",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert ADA.hide(text) == text
    assert ADA.hidden(text.encode()) is None


def test_what_holds_other_things_is_looked_through() -> None:
    row = {"+4915112345678": [{"a": b"0151 12345678", "b": 7}], "c": "Ünal 0151-12345678"}
    hidden = ADA.hide(row)
    assert "151" not in str(hidden)
    assert "Ünal" in str(hidden)
    assert ADA.hide({"a": [1, None, "x"]}) == {"a": [1, None, "x"]}


def test_a_country_may_dial_another_digit_first_or_none() -> None:
    moscow, rome = Writings("7", "4951234567", "8"), Writings("39", "0612345678", "")
    assert "495" not in str(moscow.hide("8 (495) 123-45-67 or +7 495 1234567"))
    assert "612" not in str(rome.hide("+39 06 12345678, 0612345678"))


@given(st.text(), st.text())
def test_hiding_keeps_the_length_and_all_around(before: str, after: str) -> None:
    text = f"{before} +4915112345678 {after}".encode(errors="surrogatepass")
    hidden = ADA.hidden(text)
    assert hidden is not None
    assert len(hidden) == len(text)
    assert ADA.hidden(hidden) is None
