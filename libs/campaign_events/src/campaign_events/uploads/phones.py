"""Phone numbers: the `phonenumbers` library decides what is valid, and how it is written.

Its full parse takes 50 to 100 µs, too long for a million rows. Numbers that are written in E.164
already are decided by one regular expression per calling code, made from the same metadata.
"""

import re
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

_NO_COUNTRY = "\n"
"""Stripped text does not begin with it."""

_NOTHING = re.compile(r"(?!)")
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
        self._country = _NO_COUNTRY
        self._valid = _NOTHING

    def read(self, cell: str) -> str:
        """Return the number in E.164.

        Raises:
            Unusable: with the reason.

        """
        text = cell.strip()
        if not text.startswith(self._country):
            self._country, self._valid = _country(text)
        if self._valid.fullmatch(text, len(self._country)) is not None:
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


def _country(phone: str) -> tuple[str, re.Pattern[str]]:
    """Return `+` and the calling code with which a phone begins, and what is valid behind it."""
    for end in (2, 3, 4):
        code = phone[1:end]
        if phone[:1] == "+" and code.isascii() and code.isdigit() and code[0] != "0":
            valid = _valid_as_written(code)
            if valid is not None:
                return phone[:end], valid
    return _NO_COUNTRY, _NOTHING


@cache
def _valid_as_written(calling_code: str) -> re.Pattern[str] | None:
    """Return what national numbers are valid, and are what parsing would make of them.

    None when there is no such calling code. What does not match goes through the full parse.
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
    return re.compile(f"{_untouched(main)}(?:{'|'.join(claims)})", re.ASCII)


def _untouched(metadata: PhoneMetadata | None) -> str:
    """Return a condition under which parsing takes no national prefix off a number."""
    prefix = metadata.national_prefix_for_parsing if metadata is not None else None
    if not prefix:
        return ""
    if re.match(prefix, "") is None:
        return f"(?!{prefix})"
    whole_is_left = r"\1\Z"
    return f"(?!(?=([0-9]*))(?:{prefix})(?!{whole_is_left}))"


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


def parts_of(phone: str) -> tuple[str, str, str]:
    """Return calling code, national number, and what its country dials before that, if anything."""
    number = phonenumbers.parse(phone)
    region = phonenumbers.region_code_for_number(number) or ""
    metadata = PhoneMetadata.metadata_for_region(region)
    trunk = (metadata.national_prefix or "") if metadata is not None else ""
    return str(number.country_code), phonenumbers.national_significant_number(number), trunk
