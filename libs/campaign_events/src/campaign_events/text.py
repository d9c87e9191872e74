"""The text of a message: placeholders, alphabet, and how many segments it costs.

Alphabets and sizes: 3GPP TS 23.038 (6.2.1, default alphabet and extension table) and
TS 23.040 (9.2.3.24.1, a concatenated part gives 7 septets or 3 UCS-2 characters to its header).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
MAX_CHARACTERS = 1530

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")
_NOT_GSM = re.compile(f"[^{re.escape(''.join(GSM_BASIC | GSM_EXTENDED))}]")
_EXTENDED = re.compile(f"[{re.escape(''.join(GSM_EXTENDED))}]")

type Encoding = Literal["gsm7", "ucs2"]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How a text goes on air: `length` in septets (gsm7) or UTF-16 units (ucs2)."""

    encoding: Encoding
    length: int
    segments: int


def variables(text: str) -> frozenset[str]:
    """Return the names of the `{{variable}}`s in a text."""
    return frozenset(_PLACEHOLDER.findall(text))


def shortest(text: str) -> int:
    """Return how many characters are left of a text when every variable is empty."""
    return len(_PLACEHOLDER.sub("", text))


def render(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every placeholder replaced.

    Raises:
        KeyError: a variable has no value; its name is the argument.

    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def segmentation(text: str) -> Segmentation:
    """Return alphabet, length and segments of a rendered text."""
    if _NOT_GSM.search(text) is None:
        extended = len(_EXTENDED.findall(text))
        length = len(text) + extended
        if length <= 160:  # noqa: PLR2004 - TS 23.040: 140 octets hold 160 septets
            return Segmentation("gsm7", length, 1)
        if not extended:
            return Segmentation("gsm7", length, -(-length // 153))
        return Segmentation("gsm7", length, _filled(text, 153, GSM_EXTENDED.__contains__))
    astral = sum(character > "\uffff" for character in text)
    length = len(text) + astral
    if length <= 70:  # noqa: PLR2004 - TS 23.040: 140 octets hold 70 UTF-16 units
        return Segmentation("ucs2", length, 1)
    if not astral:
        return Segmentation("ucs2", length, -(-length // 67))
    return Segmentation("ucs2", length, _filled(text, 67, lambda character: character > "\uffff"))


def offending(text: str) -> list[tuple[str, int]]:
    """Return the characters that force UCS-2, with their index, in order."""
    return [(found[0], found.start()) for found in _NOT_GSM.finditer(text)]


def _filled(text: str, room: int, is_double: Callable[[str], bool]) -> int:
    """Return the parts needed when a double character must not be cut in two."""
    parts, used = 1, 0
    for character in text:
        width = 2 if is_double(character) else 1
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
