"""Optional parameters (SMPP 3.4, section 5.3): tag, length, value. Unknown tags are kept."""

from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType
from typing import Final

from smpp.framing import MalformedPduError

USER_MESSAGE_REFERENCE: Final = 0x0204
SAR_MSG_REF_NUM: Final = 0x020C
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427
RECEIPTED_MESSAGE_ID: Final = 0x001E

type Tlvs = Mapping[int, bytes]
"""Optional parameters by tag; of a repeated tag the last one counts."""

NONE: Final[Tlvs] = MappingProxyType({})

_HEAD: Final = Struct(">HH")
_HEAD_OCTETS: Final = 4


def encode(tlvs: Tlvs) -> bytes:
    """The optional parameters as they follow a PDU's mandatory ones."""
    encoded = b""
    for tag, value in tlvs.items():
        encoded += _HEAD.pack(tag, len(value)) + value
    return encoded


def decode(body: bytes, at: int = 0) -> Tlvs:
    """The optional parameters that begin at `at` and end with the body.

    Raises:
        MalformedPduError: a parameter is longer than what is there.

    """
    end = len(body)
    if at == end:
        return NONE
    found: dict[int, bytes] = {}
    while at < end:
        if end - at < _HEAD_OCTETS:
            raise MalformedPduError("an optional parameter without its header")
        tag, length = _HEAD.unpack_from(body, at)
        at += _HEAD_OCTETS
        if at + length > end:
            raise MalformedPduError(f"optional parameter 0x{tag:04X} is longer than its PDU")
        found[tag] = body[at : at + length]
        at += length
    return found


def c_octets(text: str) -> bytes:
    """A text as the C-octet strings inside optional parameters are written."""
    return text.encode("latin-1") + b"\0"


def text(tlvs: Tlvs, tag: int) -> str | None:
    """A C-octet string parameter, with or without its closing zero (carriers do both)."""
    value = tlvs.get(tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")


def number(tlvs: Tlvs, tag: int) -> int | None:
    """An integer parameter, however many octets the carrier gave it."""
    value = tlvs.get(tag)
    return int.from_bytes(value) if value else None
