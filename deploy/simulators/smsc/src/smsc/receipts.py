"""Owed deliver_sm as PDUs: receipts as text and as optional parameters, and people's replies."""

from functools import lru_cache
from time import gmtime, strftime

from smpp import receipt, short_message, text, tlv
from smpp.receipt import STATES
from smpp.short_message import ShortMessage
from smsc.config import Receipts
from smsc.message import Message, Owed

_GSM_NETWORK = 3


def deliver(owed: Owed, how: Receipts) -> ShortMessage:
    """The deliver_sm that tells the ESME."""
    message = owed.message
    if owed.kind == "inbound":
        [part, *_] = text.encode(owed.text)
        return ShortMessage(message.destination, message.source, part.octets, part.data_coding)
    message_id = receipt_id(message, how)
    return ShortMessage(
        source=message.destination,
        destination=message.source,
        octets=receipt.write(
            message_id,
            message.stat,
            error=message.error,
            submitted=stamp(message.submitted),
            done=stamp(message.due),
            delivered=message.stat == "DELIVRD",
        ),
        esm_class=short_message.RECEIPT,
        tlvs=_tlvs(message, message_id) if how.tlvs else tlv.NONE,
    )


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


def _tlvs(message: Message, message_id: str) -> tlv.Tlvs:
    tlvs = {
        tlv.RECEIPTED_MESSAGE_ID: tlv.c_octets(message_id),
        tlv.MESSAGE_STATE: bytes((STATES[message.stat],)),
    }
    if message.reference is not None:
        tlvs[tlv.USER_MESSAGE_REFERENCE] = message.reference
    if message.error.isdecimal() and int(message.error):
        tlvs[tlv.NETWORK_ERROR_CODE] = bytes((_GSM_NETWORK,)) + int(message.error).to_bytes(2)
    return tlvs
