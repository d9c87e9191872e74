"""Text into the octets of one or more short messages (GSM 03.38, GSM 03.40)."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smpp.alphabet import (
    ESCAPE,
    GSM_BASIC,
    GSM_EXTENSION,
    NOT_GSM,
    PART_SEPTETS,
    PART_UNITS,
    SINGLE_SEPTETS,
    SINGLE_UNITS,
)

GSM_7: Final = 0x00
"""data_coding of the carrier's default alphabet, one septet per octet."""
UCS_2: Final = 0x08
"""data_coding of UTF-16BE; characters beyond the basic plane are surrogate pairs."""

MOST_PARTS: Final = 255

_UNIT: Final = 2
"""Octets of a UTF-16 unit; a septet has an octet of its own on the wire."""
_LOW_SURROGATES: Final = (b"\xdc", b"\xdd", b"\xde", b"\xdf")
"""The first octets of the second halves of pairs."""
_CODINGS: Final = {
    UCS_2: "utf-16-be",
    0x05: "shift_jis",
    0x06: "iso8859_5",
    0x07: "iso8859_8",
    0x0D: "iso2022_jp_1",
    0x0E: "euc_kr",
}
_WITH_CLASS: Final = 0x10
_WITHOUT_ALPHABET: Final = {0xC: None, 0xD: None, 0xE: "utf-16-be"}
"""Groups of "message waiting": two of the default alphabet, one of UCS-2."""
_DATA_AND_CLASS: Final = 0xF
_CODES: Final = {
    **{ord(char): chr(code) for code, char in enumerate(GSM_BASIC) if code != ESCAPE},
    **{ord(char): chr(ESCAPE) + chr(code) for char, code in GSM_EXTENSION.items()},
}
"""Characters by number, as the characters whose numbers are their octets."""
_CHARACTERS: Final = {code: char for code, char in enumerate(GSM_BASIC) if code != ESCAPE}
_ESCAPED: Final = {code: char for char, code in GSM_EXTENSION.items()}


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """One segment: the octets as they go into short_message, its header included if `udh`."""

    data_coding: int
    udh: bool
    octets: bytes


def is_gsm(text: str) -> bool:
    """Whether the default alphabet and its extension suffice."""
    return NOT_GSM.search(text) is None


def encode(text: str, *, reference: int = 0) -> list[EncodedPart]:
    """The segments of a text, at least one; `reference` (8 bits) ties the parts of several.

    Raises:
        ValueError: it takes more than 255 parts.

    """
    if is_gsm(text):
        octets = text.translate(_CODES).encode("latin-1")
        return _segmented(GSM_7, octets, SINGLE_SEPTETS, PART_SEPTETS, reference)
    octets = text.encode("utf-16-be", "surrogatepass")
    return _segmented(UCS_2, octets, _UNIT * SINGLE_UNITS, _UNIT * PART_UNITS, reference)


def decode(octets: bytes, data_coding: int) -> str:
    """The text of an inbound message without its header; what cannot be read becomes `�`."""
    coding = _coding(data_coding)
    if coding is None:
        return _from_gsm(octets)
    if octets[:2] in (BOM_UTF16_BE, BOM_UTF16_LE) and coding == "utf-16-be":
        coding = "utf-16"
    return octets.decode(coding, "replace")


def is_wide(data_coding: int) -> bool:
    """Whether each character takes two octets or four (UTF-16)."""
    return _coding(data_coding) == _CODINGS[UCS_2]


def _coding(data_coding: int) -> str | None:
    """The name of a character set (SMPP 3.4, 5.2.19); None for the default alphabet.

    Above 0x0F many carriers hand through what the phone said (TS 23.038, section 4): alphabets
    with a message class or with a message waiting.
    """
    if data_coding < _WITH_CLASS:
        return None if data_coding == GSM_7 else _CODINGS.get(data_coding, "latin-1")
    group, alphabet = data_coding >> 4, data_coding >> 2 & 0b11
    if group in _WITHOUT_ALPHABET:
        return _WITHOUT_ALPHABET[group]
    if group == _DATA_AND_CLASS:
        return "latin-1" if alphabet & 1 else None
    return (None, "latin-1", "utf-16-be", "latin-1")[alphabet]


def split_header(octets: bytes) -> tuple[bytes, bytes]:
    """The user data header (without its length) and the octets behind it."""
    if not octets:
        return b"", b""
    end = 1 + octets[0]
    return octets[1:end], octets[end:]


def concatenation(header: bytes) -> tuple[int, int, int] | None:
    """(reference, parts, part from 1) that a user data header tells, with 8 or 16 bit reference.

    None where that makes no part of a longer text: 1 of 1, or a part that can not be (3GPP 23.040,
    9.2.3.24.1: then the element is ignored).
    """
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if (element, len(value)) in ((0x00, 3), (0x08, 4)):
            parts, part = value[-2:]
            return (int.from_bytes(value[:-2]), parts, part) if 0 < part <= parts > 1 else None
        at += 2 + length
    return None


def _segmented(
    data_coding: int, octets: bytes, single: int, part: int, reference: int
) -> list[EncodedPart]:
    if len(octets) <= single:
        return [EncodedPart(data_coding, udh=False, octets=octets)]
    pieces = _pieces(octets, part, _since_escape if data_coding == GSM_7 else _since_surrogate)
    total = len(pieces)
    if total > MOST_PARTS:
        raise ValueError(f"a text of {total} parts")
    return [
        EncodedPart(
            data_coding,
            udh=True,
            octets=bytes((5, 0, 3, reference & 0xFF, total, number)) + piece,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def _pieces(octets: bytes, room: int, since: Callable[[bytes, int], int]) -> list[bytes]:
    """Octets packed greedily; an escaped character or a surrogate pair is never cut in two."""
    pieces: list[bytes] = []
    start = 0
    while start < len(octets):
        end = start + room
        end -= since(octets, end)
        pieces.append(octets[start:end])
        start = end
    return pieces


def _since_escape(octets: bytes, at: int) -> int:
    """How many octets before this place an escaped character begins that it would cut."""
    return int(at < len(octets) and octets[at - 1] == ESCAPE)


def _since_surrogate(octets: bytes, at: int) -> int:
    """How many octets before this place a surrogate pair begins that it would cut."""
    return _UNIT * (octets[at : at + 1] in _LOW_SURROGATES)


def _from_gsm(octets: bytes) -> str:
    text: list[str] = []
    escaped = False
    for code in octets:
        if escaped:
            # A lost extension character reads as the basic one, as the specification asks.
            text.append(_ESCAPED.get(code) or _CHARACTERS.get(code, "�"))
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            text.append(_CHARACTERS.get(code, "�"))
    return "".join(text)
