"""The text of a message: placeholders, alphabet, and how many segments it costs."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from smpp.alphabet import (
    GSM_EXTENSION,
    NOT_GSM,
    PART_SEPTETS,
    PART_UNITS,
    SINGLE_SEPTETS,
    SINGLE_UNITS,
)

MAX_CHARACTERS = 1530
MAX_MISTAKES = 5

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s](?:[^{}\n\r]{0,62}[^{}\s])?)\s*\}\}")
"""The name is any column of an upload: up to 64 characters, spaces inside it too."""

_BRACES = re.compile(r"\{\{|\}\}")
_EXTENDED = re.compile(f"[{re.escape(''.join(GSM_EXTENSION))}]")

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


def rendered_length(text: str, values: Mapping[str, str]) -> int:
    """Return how many characters `render` would give, without making them.

    Raises:
        KeyError: as for `render`.

    """
    return shortest(text) + sum(len(values[name]) for name in _PLACEHOLDER.findall(text))


def mistakes(text: str) -> list[str]:
    """Return what is wrong with the placeholders of a text: it would go out as it stands."""
    # Placeholders that are in order are covered up, at the same length, so that places stay true.
    covered = _PLACEHOLDER.sub(lambda found: "\0" * len(found[0]), text)
    return [wrong for wrong, _ in zip(_mistakes(covered), range(MAX_MISTAKES), strict=False)]


def _mistakes(covered: str) -> Iterator[str]:
    at = 0
    while (found := _BRACES.search(covered, at)) is not None:
        place, at = found.start(), found.end()
        if found[0] == "}}":
            yield f"the }}}} at index {place} closes nothing"
            continue
        end = covered.find("}}", at)
        if end < 0:
            yield f"the placeholder at index {place} is never closed"
            return
        inside, at = covered[at:end], end + 2
        if "\0" in inside or "{{" in inside:
            yield f"the placeholder at index {place} holds another one"
        elif not inside.strip():
            yield f"the placeholder at index {place} has no name"
        else:
            yield f"the placeholder at index {place} has no name of 1 to 64 characters in one line"


def render(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every placeholder replaced.

    Raises:
        KeyError: a variable has no value; its name is the argument.

    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def segmentation(text: str) -> Segmentation:
    """Return alphabet, length and segments of a rendered text."""
    if NOT_GSM.search(text) is None:
        extended = len(_EXTENDED.findall(text))
        length = len(text) + extended
        if length <= SINGLE_SEPTETS:
            return Segmentation("gsm7", length, 1)
        if not extended:
            return Segmentation("gsm7", length, -(-length // PART_SEPTETS))
        return Segmentation("gsm7", length, _filled(text, PART_SEPTETS, GSM_EXTENSION.__contains__))
    astral = sum(character > "\uffff" for character in text)
    length = len(text) + astral
    if length <= SINGLE_UNITS:
        return Segmentation("ucs2", length, 1)
    if not astral:
        return Segmentation("ucs2", length, -(-length // PART_UNITS))
    return Segmentation("ucs2", length, _filled(text, PART_UNITS, lambda one: one > "\uffff"))


def offending(text: str) -> list[tuple[str, int]]:
    """Return the characters that force UCS-2, with their index, in order."""
    return [(found[0], found.start()) for found in NOT_GSM.finditer(text)]


def _filled(text: str, room: int, is_double: Callable[[str], bool]) -> int:
    """Return the parts needed when a double character must not be cut in two."""
    parts, used = 1, 0
    for character in text:
        width = 2 if is_double(character) else 1
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
