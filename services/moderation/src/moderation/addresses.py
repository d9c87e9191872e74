"""What may stand in an SMS as its sender: a name, a number, or a short code.

Types and plans: SMPP 3.4, 5.2.5 (1 international, 3 network specific, 5 alphanumeric) and 5.2.6
(0 unknown, 1 ISDN). A name has room for 11 septets: 3GPP TS 23.040, 9.1.2.5.
"""

from dataclasses import dataclass

from campaign_events.text import segmentation

INTERNATIONAL, NETWORK_SPECIFIC, ALPHANUMERIC = 1, 3, 5
UNKNOWN_PLAN, ISDN = 0, 1
MAX_NAME = 11
MAX_NUMBER = 15
MAX_SHORT_CODE = 8


@dataclass(frozen=True, slots=True)
class Source:
    """A sender's address as it goes on air: digits without a plus sign, or a name."""

    saddr: str
    ston: int
    snpi: int


def source(saddr: str, ston: int | None = None, snpi: int | None = None) -> Source:
    """Return a sound address; type and plan are derived when they are not given.

    Raises:
        ValueError: no phone could show this sender.

    """
    address = saddr.strip()
    digits = address.removeprefix("+")
    if digits.isascii() and digits.isdigit() and ston != ALPHANUMERIC:
        derived = _number(digits, plus=address != digits)
        address = digits
    elif ston in (None, ALPHANUMERIC):
        derived = _name(address)
    else:
        raise ValueError("an address of this type (ston) holds digits only")
    return Source(
        saddr=address,
        ston=derived[0] if ston is None else ston,
        snpi=derived[1] if snpi is None else snpi,
    )


def _number(digits: str, *, plus: bool) -> tuple[int, int]:
    if len(digits) > MAX_NUMBER:
        raise ValueError(f"a number has at most {MAX_NUMBER} digits")
    if len(digits) <= MAX_SHORT_CODE and not plus:
        return NETWORK_SPECIFIC, UNKNOWN_PLAN
    return INTERNATIONAL, ISDN


def _name(text: str) -> tuple[int, int]:
    if not text or not text.isprintable():
        raise ValueError("a sender's name has 1 to 11 printable characters")
    measured = segmentation(text)
    if measured.encoding != "gsm7":
        raise ValueError("a sender's name holds characters of the GSM alphabet only")
    if measured.length > MAX_NAME:
        raise ValueError(f"a sender's name has at most {MAX_NAME} characters")
    return ALPHANUMERIC, UNKNOWN_PLAN
