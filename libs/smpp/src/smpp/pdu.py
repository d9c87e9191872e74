"""Every PDU as a value: binding, asking, closing. The two that carry messages are next door."""

from dataclasses import dataclass, field
from typing import Final

from smpp import short_message, tlv
from smpp.command import RESPONSE, Command
from smpp.framing import Frame, MalformedPduError, pack
from smpp.octets import c_string, read_c_string
from smpp.short_message import Address, ShortMessage

VERSION: Final = 0x34


@dataclass(frozen=True, slots=True)
class Bind:
    """Who wants to bind, and how."""

    system_id: str
    password: str
    system_type: str = ""
    interface_version: int = VERSION
    address_range: Address = Address("")  # noqa: RUF009 - a named tuple never changes


@dataclass(frozen=True, slots=True)
class BindResp:
    """Who answers a bind."""

    system_id: str = ""
    tlvs: tlv.Tlvs = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageId:
    """The answer to submit_sm or deliver_sm."""

    message_id: str = ""
    tlvs: tlv.Tlvs = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuerySm:
    """Asks what became of a message."""

    message_id: str
    source: Address


@dataclass(frozen=True, slots=True)
class QuerySmResp:
    """Tells what became of a message."""

    message_id: str
    final_date: str
    message_state: int
    error_code: int


@dataclass(frozen=True, slots=True)
class Bare:
    """A PDU that is all header: unbind, enquire_link, generic_nack and refusals."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A PDU that this codec does not read."""

    body: bytes


type Body = Bind | BindResp | ShortMessage | MessageId | QuerySm | QuerySmResp | Bare | Unknown

BARE: Final = Bare()


def encode(command: int, sequence: int, body: Body = BARE, status: int = 0) -> bytes:
    """A whole PDU.

    Raises:
        ValueError: a text does not fit into a C-octet string.

    """
    return pack(command, status, sequence, _encode_body(body))


def decode(frame: Frame) -> Body:
    """What a PDU says. A refusal without a body is `Bare`.

    Raises:
        MalformedPduError: a parameter is missing or longer than the PDU.

    """
    if frame.status and not frame.body and frame.command & RESPONSE:
        return BARE
    try:
        return _decode_body(frame.command, frame.body)
    except (ValueError, IndexError) as error:
        raise MalformedPduError(f"PDU 0x{frame.command:08X} cannot be read: {error}") from None


def _encode_body(body: Body) -> bytes:  # noqa: PLR0911 - one answer per PDU
    match body:
        case Bind():
            return b"".join(
                (
                    c_string(body.system_id),
                    c_string(body.password),
                    c_string(body.system_type),
                    bytes((body.interface_version,)),
                    _encode_address(body.address_range),
                )
            )
        case BindResp():
            return c_string(body.system_id) + tlv.encode(body.tlvs)
        case MessageId():
            return c_string(body.message_id) + tlv.encode(body.tlvs)
        case ShortMessage():
            return short_message.encode(body)
        case QuerySm():
            return c_string(body.message_id) + _encode_address(body.source)
        case QuerySmResp():
            dated = c_string(body.message_id) + c_string(body.final_date)
            return dated + bytes((body.message_state, body.error_code))
        case Bare():
            return b""
        case Unknown():
            return body.body


def _decode_body(command: int, body: bytes) -> Body:  # noqa: PLR0911 - one answer per PDU
    match command:
        case Command.SUBMIT_SM | Command.DELIVER_SM:
            return short_message.decode(body)
        case Command.SUBMIT_SM_RESP | Command.DELIVER_SM_RESP:
            if not body:
                return MessageId()
            message_id, at = read_c_string(body, 0)
            return MessageId(message_id, tlv.decode(body, at))
        case Command.BIND_TRANSCEIVER | Command.BIND_TRANSMITTER | Command.BIND_RECEIVER:
            return _decode_bind(body)
        case (
            Command.BIND_TRANSCEIVER_RESP
            | Command.BIND_TRANSMITTER_RESP
            | Command.BIND_RECEIVER_RESP
        ):
            if not body:
                return BindResp()
            system_id, at = read_c_string(body, 0)
            return BindResp(system_id, tlv.decode(body, at))
        case Command.QUERY_SM:
            message_id, at = read_c_string(body, 0)
            return QuerySm(message_id, _decode_address(body, at))
        case Command.QUERY_SM_RESP:
            message_id, at = read_c_string(body, 0)
            final_date, at = read_c_string(body, at)
            return QuerySmResp(message_id, final_date, body[at], body[at + 1])
        case (
            Command.UNBIND
            | Command.UNBIND_RESP
            | Command.ENQUIRE_LINK
            | Command.ENQUIRE_LINK_RESP
            | Command.GENERIC_NACK
        ):
            return BARE
        case _:
            return Unknown(body)


def _decode_bind(body: bytes) -> Bind:
    system_id, at = read_c_string(body, 0)
    password, at = read_c_string(body, at)
    system_type, at = read_c_string(body, at)
    return Bind(system_id, password, system_type, body[at], _decode_address(body, at + 1))


def _encode_address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + c_string(address.digits)


def _decode_address(body: bytes, at: int) -> Address:
    digits, _ = read_c_string(body, at + 2)
    return Address(digits, body[at], body[at + 1])
