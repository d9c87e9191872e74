import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.text import mistakes, offending, render, segmentation, shortest, variables
from smpp.alphabet import GSM_BASIC, GSM_EXTENSION
from smpp.text import GSM_7, encode, split_header


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


ANY_TEXT = st.one_of(
    st.text(alphabet="aä€[я😀ç\n", max_size=500),
    st.text(alphabet=GSM_BASIC.replace("\x1b", "") + "".join(GSM_EXTENSION), max_size=500),
    st.text(max_size=200),
)


@given(ANY_TEXT)
def test_what_is_counted_is_what_is_sent(text: str) -> None:
    parts = encode(text)
    found = segmentation(text)

    assert found.segments == len(parts)
    assert (found.encoding == "gsm7") == (parts[0].data_coding == GSM_7) == (not offending(text))
    octets = [split_header(part.octets)[1] if part.udh else part.octets for part in parts]
    assert found.length * (1 if found.encoding == "gsm7" else 2) == sum(map(len, octets))


@given(ANY_TEXT)
def test_without_the_characters_that_force_ucs2_a_text_is_gsm(text: str) -> None:
    named = offending(text)

    assert all(text[index] == character for character, index in named)
    places = {index for _, index in named}
    rest = "".join(one for index, one in enumerate(text) if index not in places)
    assert segmentation(rest).encoding == "gsm7"


NATIONAL = "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"


@pytest.mark.parametrize("character", NATIONAL)
def test_national_characters_of_the_default_alphabet_count_one(character: str) -> None:
    assert segmentation(character * 160) == segmentation("a" * 160)


@pytest.mark.parametrize("character", "^{}\\[~]|€\f")
def test_characters_of_the_extension_table_count_two(character: str) -> None:
    assert segmentation(character).length == 2
    assert offending(character) == []


@pytest.mark.parametrize("character", "çáíóúâêÀÁŁłžğşıİΑαЯ中\u2019“”\u2013…`\t\u00a0\x1b\u0301")
def test_letters_that_only_look_alike_force_ucs2(character: str) -> None:
    assert offending(f"ab{character}") == [(character, 2)]


def test_the_characters_that_force_ucs2_are_named_with_their_place() -> None:
    assert offending("Grüße, Łódź ç") == [("Ł", 7), ("ó", 8), ("ź", 10), ("ç", 12)]


def test_placeholders_are_replaced_and_never_read_again() -> None:
    assert render("{{a}} {{ b }}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"
    assert variables("Hi {{name}}, {{ name }} {{x1}} {{ }} {{a}") == {"name", "x1"}
    assert shortest("Hi {{name}}!") == 4


def test_every_column_of_a_file_can_be_a_placeholder() -> None:
    assert variables("{{ First name }} {{1}} {{prénom}} {{a-b}}") == {
        "First name",
        "1",
        "prénom",
        "a-b",
    }


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(KeyError, match="name"):
        render("Hi {{name}}", {})


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Hi {{name", ["the placeholder at index 3 is never closed"]),
        ("Hi {{name} you", ["the placeholder at index 3 is never closed"]),
        ("Hi {{}}", ["the placeholder at index 3 has no name"]),
        ("{{a}} {{  }}", ["the placeholder at index 6 has no name"]),
        ("{{a {{b}} }}", ["the placeholder at index 0 holds another one"]),
        ("{{ {{a}}", ["the placeholder at index 0 is never closed"]),
        ("Hi name}}", ["the }} at index 7 closes nothing"]),
        (
            "{{" + "x" * 65 + "}}",
            ["the placeholder at index 0 has no name of 1 to 64 characters in one line"],
        ),
        (
            "{{a\nb}}",
            ["the placeholder at index 0 has no name of 1 to 64 characters in one line"],
        ),
    ],
)
def test_placeholders_that_would_go_out_as_they_stand_are_told(text: str, wrong: list[str]) -> None:
    assert mistakes(text) == wrong


@pytest.mark.parametrize("text", ["", "Hi {you}", "{{{a}}}", "{{a}}{{ b }}", "} {", "100 %"])
def test_braces_that_mean_nothing_are_no_mistake(text: str) -> None:
    assert mistakes(text) == []


@given(st.text(alphabet="{} ab\n", max_size=60))
def test_a_text_without_mistakes_leaves_no_double_braces(text: str) -> None:
    if not mistakes(text):
        rendered = render(text, dict.fromkeys(variables(text), "x"))
        assert "{{" not in rendered.replace("{x}", "")
