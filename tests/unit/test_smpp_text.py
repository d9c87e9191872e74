import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import text
from smpp.alphabet import GSM_BASIC, GSM_EXTENSION
from smpp.text import GSM_7, UCS_2

GSM_CHARACTERS = GSM_BASIC.replace("\x1b", "") + "".join(GSM_EXTENSION)


def test_the_default_alphabet_has_its_landmarks_where_the_standard_puts_them() -> None:
    assert len(GSM_BASIC) == 128
    landmarks = {"@": 0, "\n": 0x0A, "\r": 0x0D, "Δ": 0x10, "É": 0x1F, " ": 0x20, "¤": 0x24}
    landmarks |= {"¡": 0x40, "A": 0x41, "Ä": 0x5B, "§": 0x5F, "¿": 0x60, "a": 0x61, "à": 0x7F}
    assert {char: GSM_BASIC.index(char) for char in landmarks} == landmarks


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        ("Hi @", [b"Hi \x00"]),
        ("€", [b"\x1b\x65"]),
        ("a" * 160, [b"a" * 160]),
        (
            "a" * 161,
            [b"\x05\x00\x03\x07\x02\x01" + b"a" * 153, b"\x05\x00\x03\x07\x02\x02" + b"a" * 8],
        ),
        ("", [b""]),
    ],
)
def test_gsm_text_becomes_one_octet_per_septet(written: str, octets: list[bytes]) -> None:
    parts = text.encode(written, reference=7)
    assert [part.octets for part in parts] == octets
    assert {part.data_coding for part in parts} == {GSM_7}
    assert {part.udh for part in parts} == {len(octets) > 1}


def test_one_foreign_letter_makes_the_whole_message_ucs2() -> None:
    [part] = text.encode("Hiж")
    assert (part.data_coding, part.octets) == (UCS_2, b"\x00H\x00i\x04\x36")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("€" * 153, 3),  # 76 pairs fit into 153 septets, one septet stays empty
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 pairs fit into 67 units, one unit stays empty
    ],
)
def test_segments_are_counted_by_the_rules(written: str, parts: int) -> None:
    assert len(text.encode(written)) == parts


@given(st.text(st.sampled_from(GSM_CHARACTERS), max_size=900))
def test_gsm_parts_read_back_without_a_character_split(written: str) -> None:
    assert_reads_back(written, GSM_7, 160)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_parts_read_back_without_a_character_split(written: str) -> None:
    assert_reads_back(written, GSM_7 if text.is_gsm(written) else UCS_2, 160)


def assert_reads_back(written: str, data_coding: int, most_octets: int) -> None:
    parts = text.encode(written, reference=0x1FF)
    read = []
    for number, part in enumerate(parts, start=1):
        assert part.data_coding == data_coding
        assert len(part.octets) <= (most_octets if data_coding == GSM_7 else 140)
        octets = part.octets
        if part.udh:
            header, octets = text.split_header(octets)
            assert text.concatenation(header) == (0xFF, len(parts), number)
        read.append(text.decode(octets, data_coding))
    assert "".join(read) == written


def test_a_text_of_more_than_255_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="256 parts"):
        text.encode("a" * (153 * 255 + 1))


def test_a_sixteen_bit_reference_is_read_too() -> None:
    assert text.concatenation(bytes.fromhex("0804BEEF0302")) == (0xBEEF, 3, 2)
    assert text.concatenation(b"") is None
    for whole_or_impossible in ("0500032A0101", "0500032A0100", "0500032A0203", "0500032A0000"):
        assert text.concatenation(bytes.fromhex(whole_or_impossible)) is None
    assert text.concatenation(b"\x05\x04\x0b\x84") is None


def test_a_lost_extension_character_reads_as_the_basic_one() -> None:
    assert text.decode(b"\x1bA\x1b", GSM_7) == "A"


@pytest.mark.parametrize(
    ("octets", "data_coding", "expected"),
    [
        (b"STOP", 0x00, "STOP"),
        (b"STOP", 0x01, "STOP"),
        (b"Cess\xe9", 0x03, "Cessé"),
        (b"STOP", 0x04, "STOP"),
        ("СТОП".encode("iso8859_5"), 0x06, "СТОП"),
        ("СТОП".encode("utf-16-be"), 0x08, "СТОП"),
        (("\ufeff" + "СТОП").encode("utf-16-be"), 0x08, "СТОП"),
        (("\ufeff" + "СТОП").encode("utf-16-le"), 0x08, "СТОП"),
        (b"\x05ric", 0x10, "éric"),  # class 0, default alphabet
        ("СТОП".encode("utf-16-be"), 0x18, "СТОП"),  # class 0, UCS-2
        (b"\x05ric", 0xF1, "éric"),
        (b"\xe9ric", 0xF5, "éric"),
        ("СТОП".encode("utf-16-be"), 0xE0, "СТОП"),
        (b"STOP", 0x0A, "STOP"),
        (b"\x00S\xd8", 0x08, "S�"),
    ],
)
def test_what_people_write_is_read_in_its_alphabet(
    octets: bytes, data_coding: int, expected: str
) -> None:
    assert text.decode(octets, data_coding) == expected


@given(st.binary(max_size=200), st.integers(0, 255))
def test_whatever_comes_can_be_read(octets: bytes, data_coding: int) -> None:
    assert isinstance(text.decode(octets, data_coding), str)
