"""What an error says, fit to be kept and shown: where it came from, and nobody's data."""

import re
import traceback
from pathlib import PurePath

from pydantic import ValidationError

LONGEST = 500
MOST_FRAMES = 12
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}")
"""Whatever could be a phone number."""


def said(error: BaseException) -> str:
    """Return an error's kind and words, without what a person has written or a phone number."""
    if isinstance(error, ValidationError):
        faults = (
            f"{'.'.join(map(str, fault['loc']))}: {fault['type']}"
            for fault in error.errors(include_input=False, include_context=False, include_url=False)
        )
        words = f"{error.title}: {'; '.join(faults)}"
    else:
        words = f"{type(error).__name__}: {error}"
    return masked(words)


def masked(words: str) -> str:
    """Return words without what could be a phone number, and not too many of them."""
    return _NUMBER.sub("…", words)[:LONGEST]


def trace(error: BaseException) -> str:
    """Return the way to an error, innermost last: places in the code, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return "\n".join(
        f"{'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
        for frame in frames
    )
