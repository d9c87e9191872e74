"""Phone numbers: the `phonenumbers` library decides what is valid, and how it is written.

Its full parse takes 50 to 100 µs, too long for a million rows. Numbers that are written in E.164
already are decided by one regular expression per calling code, made from the same metadata.
"""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

MAX_LENGTH = 60
"""Nothing longer is read as a phone number."""

NOT_A_NUMBER = "not a phone number"
NO_COUNTRY = "no country code: write it like +44… or give the campaign a default_region"
NOT_VALID = "not a valid phone number"
ROUNDED = "rounded by a spreadsheet: format the column as text"
EMPTY = "no phone number"

_NO_REGION = "001"
"""Calling codes of no country, like +800, have this in place of a region."""

_PLAIN = re.compile(r"\+[1-9][0-9]{5,15}")
_ROUNDED = re.compile(r"\+?[0-9]+[.,]?[0-9]*[eE]\+?[0-9]+")
_KINDS = (
    "mobile",
    "fixed_line",
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
"""Any of these makes a number valid; the likely ones come first."""


class Unusable(ValueError):
    """A cell that holds no valid phone number; the message tells why, without the cell."""


class PhoneReader:
    """Reads cells as phone numbers; national ones belong to `default_region`, if there is one."""

    def __init__(self, default_region: str | None = None) -> None:
        self._region = default_region

    def read(self, cell: str) -> str:
        """Return the number in E.164.

        Raises:
            Unusable: with the reason.

        """
        text = cell.strip()
        if _PLAIN.fullmatch(text) is not None and _is_valid_as_written(text):
            return text
        return self._parse(_unmarked(text))

    def _parse(self, text: str) -> str:
        if not text:
            raise Unusable(EMPTY)
        if _ROUNDED.fullmatch(text):
            raise Unusable(ROUNDED)
        if len(text) > MAX_LENGTH or any(map(str.isalpha, text)):
            raise Unusable(NOT_A_NUMBER)
        try:
            number = phonenumbers.parse(text, self._region)
        except phonenumbers.NumberParseException as error:
            lost = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
            national = lost and not text.startswith("+")
            raise Unusable(NO_COUNTRY if national else NOT_A_NUMBER) from error
        if not phonenumbers.is_valid_number(number):
            raise Unusable(NOT_VALID)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _unmarked(text: str) -> str:
    """Return a cell without what a spreadsheet puts around it to keep it as text."""
    text = text.lstrip("'=").strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return text


@dataclass(frozen=True, slots=True)
class _Plan:
    """One calling code: which national numbers are valid, and what parsing takes off in front."""

    valid: re.Pattern[str]
    prefix: re.Pattern[str] | None

    def keeps(self, phone: str, start: int) -> bool:
        """Tell whether the national number from `start` on is valid and parsing leaves it alone."""
        if self.valid.fullmatch(phone, start) is None:
            return False
        taken = self.prefix.match(phone, start) if self.prefix else None
        return taken is None or taken.end() == start


def _is_valid_as_written(phone: str) -> bool:
    """Tell whether `+<digits>` is a valid number whose E.164 form is this very text.

    False only sends it through the full parse.
    """
    for end in (2, 3, 4):
        plan = _plan(phone[1:end])
        if plan is not None:
            return plan.keeps(phone, end)
    return False


@cache
def _plan(calling_code: str) -> _Plan | None:
    """Return the plan of a calling code, or None when there is no such code.

    The library takes the first region that claims the number: by its leading digits if it has
    some, else by a match.
    """
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code))
    if regions is None:
        return None
    claims, unclaimed = [], ""
    for region in regions:
        metadata = _metadata(region, int(calling_code))
        if metadata is None:
            continue
        valid = _valid(metadata)
        if len(regions) > 1 and metadata.leading_digits is not None:
            claims.append(f"{unclaimed}(?={metadata.leading_digits}){valid}")
            unclaimed += f"(?!{metadata.leading_digits})"
        else:
            claims.append(unclaimed + valid)
    main = _metadata(regions[0], int(calling_code))
    prefix = main.national_prefix_for_parsing if main is not None else None
    return _Plan(re.compile("|".join(claims)), re.compile(prefix) if prefix else None)


def _metadata(region: str, calling_code: int) -> PhoneMetadata | None:
    if region == _NO_REGION:
        return PhoneMetadata.metadata_for_nongeo_region(calling_code, None)
    return PhoneMetadata.metadata_for_region(region, None)


def _valid(metadata: PhoneMetadata) -> str:
    """Return the pattern of a region's valid national numbers."""
    kinds = [
        _described(desc)
        for name in _KINDS
        if (desc := getattr(metadata, name)) is not None and desc.national_number_pattern
    ]
    return f"(?={_described(metadata.general_desc)}\\Z)(?:{'|'.join(kinds) or _described(None)})"


def _described(desc: PhoneNumberDesc | None) -> str:
    if desc is None:
        return "(?!)"
    lengths = "|".join(f"[0-9]{{{length}}}" for length in desc.possible_length)
    length = f"(?=(?:{lengths})\\Z)" if lengths else ""
    return f"{length}(?:{desc.national_number_pattern})"
