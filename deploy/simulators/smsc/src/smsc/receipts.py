"""Owed deliver_sm as PDUs: receipts as text and as optional parameters, and people's replies."""

from functools import cache, lru_cache
from time import gmtime, strftime

from smpp import receipt, short_message, text, tlv
from smpp.receipt import STATES
from smpp.short_message import ShortMessage
from smsc.config import Receipts
from smsc.message import Message, Owed

_GSM_NETWORK = 3
_RECEIPT = b"\0%c%c%b\0%c%c%b\0" + bytes((short_message.RECEIPT, *bytes(8))) + b"%c%b"
"""The mandatory parameters of a receipt: all but the addresses and the text are zero."""


def deliver(owed: Owed, how: Receipts) -> bytes:
    """The body of the deliver_sm that tells the ESME."""
    message = owed.message
    if owed.kind == "inbound":
        [part, *_] = text.encode(owed.text)
        return short_message.encode(
            ShortMessage(message.destination, message.source, part.octets, part.data_coding)
        )
    phone, sender = message.destination, message.source
    message_id = receipt_id(message, how)
    octets = receipt.write(
        message_id,
        message.stat,
        error=message.error,
        submitted=stamp(message.submitted),
        done=stamp(message.due),
        delivered=message.stat == "DELIVRD",
    )
    mandatory = _RECEIPT % (
        phone.ton,
        phone.npi,
        phone.digits.encode("latin-1"),
        sender.ton,
        sender.npi,
        sender.digits.encode("latin-1"),
        len(octets),
        octets,
    )
    return mandatory + _tlvs(message, message_id) if how.tlvs else mandatory


def receipt_id(message: Message, how: Receipts) -> str:
    """A message's id as receipts write it."""
    match how.ids:
        case "same":
            return message.message_id
        case "hex":
            return f"{message.number:X}"
        case "decimal":
            return f"{message.number:010d}"


def stamp(at: float) -> str:
    """A time in receipts: ten digits, UTC."""
    return _stamp(int(at // 60))


@lru_cache(maxsize=1024)
def _stamp(minute: int) -> str:
    return strftime("%y%m%d%H%M", gmtime(minute * 60))


def _tlvs(message: Message, message_id: str) -> bytes:
    ids = {tlv.RECEIPTED_MESSAGE_ID: tlv.c_octets(message_id)}
    reference = message.reference
    told = tlv.encode({tlv.USER_MESSAGE_REFERENCE: reference}) if reference is not None else b""
    return tlv.encode(ids) + _state(message.stat) + told + _network_error(message.error)


@cache
def _state(stat: str) -> bytes:
    return tlv.encode({tlv.MESSAGE_STATE: bytes((STATES[stat],))})


@cache
def _network_error(error: str) -> bytes:
    if not error.isdecimal() or not int(error):
        return b""
    return tlv.encode({tlv.NETWORK_ERROR_CODE: bytes((_GSM_NETWORK,)) + int(error).to_bytes(2)})
