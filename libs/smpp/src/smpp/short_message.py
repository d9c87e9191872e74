"""submit_sm and deliver_sm: one layout, two directions, and the path that has to be fast."""

from struct import Struct
from typing import Final, NamedTuple

from smpp import tlv
from smpp.command import Command
from smpp.framing import HEADER_OCTETS, MalformedPduError, pack
from smpp.octets import read_c_string

UDH_INDICATOR: Final = 0x40
"""esm_class: the octets begin with a user data header."""
RECEIPT: Final = 0x04
"""esm_class: a delivery receipt."""
INTERIM_NOTICE: Final = 0x20
"""esm_class: an intermediate delivery notification."""
MESSAGE_TYPE: Final = 0x3C
"""esm_class: the bits that tell receipts from messages."""
LONGEST_SHORT_MESSAGE: Final = 254

_SUBMIT_SM: Final = int(Command.SUBMIT_SM)
_DELIVER_SM: Final = int(Command.DELIVER_SM)
_SUBMIT_SM_RESP: Final = int(Command.SUBMIT_SM_RESP)
_DELIVER_SM_RESP: Final = int(Command.DELIVER_SM_RESP)
_ID_HEAD: Final = Struct(">IIII")
_EMPTY_ID: Final = HEADER_OCTETS + 1
_NO_TIMES: Final = b"\0\0"
"""Neither a schedule nor a validity: two empty strings, the usual case."""


class Address(NamedTuple):
    """A number or a name, with its type of number and its numbering plan."""

    digits: str
    ton: int = 0
    npi: int = 0


class ShortMessage(NamedTuple):
    """The parameters that submit_sm and deliver_sm share."""

    source: Address
    destination: Address
    octets: bytes
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    tlvs: tlv.Tlvs = tlv.NONE
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    replace_if_present: int = 0
    sm_default_msg_id: int = 0

    @property
    def payload(self) -> bytes:
        """The message itself, wherever it travels: in short_message or in message_payload."""
        return self.octets or self.tlvs.get(tlv.MESSAGE_PAYLOAD, b"")


def encode(message: ShortMessage) -> bytes:
    """The body of a submit_sm or deliver_sm.

    Raises:
        ValueError: the octets are too many for short_message (use message_payload), or a text
            does not fit into a C-octet string.

    """
    (
        (source, source_ton, source_npi),
        (destination, ton, npi),
        octets,
        coding,
        esm_class,
        registered,
        tlvs,
        service_type,
        protocol,
        priority,
        scheduled,
        validity,
        replace,
        default_id,
    ) = message
    length = len(octets)
    if length > LONGEST_SHORT_MESSAGE:
        raise ValueError(f"{length} octets in short_message")
    if "\0" in f"{service_type}{source}{destination}{scheduled}{validity}":
        raise ValueError("a zero inside a C-octet string")
    mandatory = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b" % (
        service_type.encode("latin-1") if service_type else b"",
        source_ton,
        source_npi,
        source.encode("latin-1"),
        ton,
        npi,
        destination.encode("latin-1"),
        esm_class,
        protocol,
        priority,
        scheduled.encode("latin-1") if scheduled else b"",
        validity.encode("latin-1") if validity else b"",
        registered,
        replace,
        coding,
        default_id,
        length,
        octets,
    )
    return mandatory + tlv.encode(tlvs) if tlvs else mandatory


def decode(body: bytes) -> ShortMessage:
    """What a submit_sm or deliver_sm says.

    Raises:
        MalformedPduError: a parameter is missing or longer than the PDU.

    """
    try:
        return _decode(body)
    except (ValueError, IndexError) as error:
        raise MalformedPduError(f"a short message that cannot be read: {error}") from None


def _decode(body: bytes) -> ShortMessage:
    service_end = body.index(0)
    source_end = body.index(0, service_end + 3)
    destination_end = body.index(0, source_end + 3)
    esm_class, protocol, priority = body[destination_end + 1 : destination_end + 4]
    scheduled = validity = ""
    at = destination_end + 6
    if body[destination_end + 4 : at] != _NO_TIMES:
        scheduled, at = read_c_string(body, destination_end + 4)
        validity, at = read_c_string(body, at)
    registered, replace, coding, default_id, length = body[at : at + 5]
    octets_at = at + 5
    octets_end = octets_at + length
    if octets_end > len(body):
        raise MalformedPduError("short_message is longer than its PDU")
    return ShortMessage(
        Address(
            body[service_end + 3 : source_end].decode("latin-1"),
            body[service_end + 1],
            body[service_end + 2],
        ),
        Address(
            body[source_end + 3 : destination_end].decode("latin-1"),
            body[source_end + 1],
            body[source_end + 2],
        ),
        body[octets_at:octets_end],
        coding,
        esm_class,
        registered,
        tlv.decode(body, octets_end),
        body[:service_end].decode("latin-1") if service_end else "",
        protocol,
        priority,
        scheduled,
        validity,
        replace,
        default_id,
    )


def submit_sm(sequence: int, message: ShortMessage) -> bytes:
    """A whole submit_sm."""
    return pack(_SUBMIT_SM, 0, sequence, encode(message))


def deliver_sm(sequence: int, message: ShortMessage) -> bytes:
    """A whole deliver_sm."""
    return pack(_DELIVER_SM, 0, sequence, encode(message))


def submit_sm_resp(sequence: int, message_id: str, status: int = 0) -> bytes:
    """A whole submit_sm_resp; a refusal carries no message id, as the specification asks."""
    if status:
        return pack(_SUBMIT_SM_RESP, status, sequence)
    return pack(_SUBMIT_SM_RESP, 0, sequence, message_id.encode("latin-1") + b"\0")


def deliver_sm_resp(sequence: int, status: int = 0) -> bytes:
    """A whole deliver_sm_resp; its message id is unused and always empty."""
    return _ID_HEAD.pack(_EMPTY_ID, _DELIVER_SM_RESP, status, sequence) + b"\0"


def message_id(body: bytes) -> str:
    """The id in a submit_sm_resp or query_sm; empty when the carrier sent none."""
    return body.split(b"\0", 1)[0].decode("latin-1")
