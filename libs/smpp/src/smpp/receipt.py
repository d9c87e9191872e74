"""Delivery receipts: written as carriers write them, read as leniently as carriers need it."""

import re
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

from smpp import text as texts
from smpp import tlv
from smpp.short_message import INTERIM_NOTICE, MESSAGE_TYPE, RECEIPT, ShortMessage


class MessageState(IntEnum):
    """What became of a message (section 5.2.28), 0 as SMPP 5 added it."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8


STATS: Final = {
    MessageState.SCHEDULED: "SCHEDUL",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
}
"""How receipt texts spell the states."""

STATES: Final = {stat: state for state, stat in STATS.items()}
_STATS: Final = {state.value: stat for state, stat in STATS.items()}

_FIELD: Final = re.compile(
    r"\b(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)\s*:", re.IGNORECASE
)
_USUAL: Final = re.compile(
    r"[^\0]*\0..([^\0]*)\0..([^\0]*)\0\x04..\0\0....(.)"
    r"id:([^\s:;,\0]*) sub:\w* dlvrd:\w* submit date:\w* done date:(\w*) stat:(\w*) err:(\w*) "
    r"[tT]ext:",
    re.ASCII | re.DOTALL,
)
"""A receipt as nearly all carriers write it, from the first octet of its body to its last field."""
_NETWORK_ERROR_OCTETS: Final = 3
_DATES: Final = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}


class Receipt(NamedTuple):
    """What a delivery receipt says; `None` where it is silent.

    `text_id` and `tlv_id` are the raw message ids of the text and of receipted_message_id; `done`
    is the carrier's date as written (see `date`).
    """

    text_id: str | None
    tlv_id: str | None
    stat: str
    error: str | None
    done: str
    reference: int | None


def is_receipt(message: ShortMessage) -> bool:
    """Whether a deliver_sm reports on a message of ours instead of bringing one."""
    kind = message.esm_class & MESSAGE_TYPE
    if kind in (RECEIPT, INTERIM_NOTICE):
        return True
    return kind == 0 and tlv.RECEIPTED_MESSAGE_ID in message.tlvs


def write(  # noqa: PLR0913 - the seven fields of the format
    message_id: str,
    stat: str,
    *,
    error: str = "000",
    submitted: str,
    done: str,
    delivered: bool,
    text: str = "",
) -> bytes:
    """The receipt text of appendix B; the dates come as ten or twelve digits."""
    return (
        f"id:{message_id} sub:001 dlvrd:00{int(delivered)} submit date:{submitted} "
        f"done date:{done} stat:{stat} err:{error} text:{text[:20]}"
    ).encode("latin-1", "replace")


def fields(text: str) -> dict[str, str]:
    """The `key:value` pairs of a receipt text, whatever their order, widths, case and gaps.

    Keys are `id sub dlvrd submitdate donedate stat err text`. `text` takes all that follows it.
    """
    found: dict[str, str] = {}
    marks = list(_FIELD.finditer(text))
    for place, mark in enumerate(marks):
        key = mark[1].lower().replace(" ", "").replace("_", "")
        if key == "text":
            found.setdefault(key, text[mark.end() :].strip("\0"))
            break
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        found.setdefault(key, text[mark.end() : end].strip(" \0\r\n\t,;"))
    return found


def read(message: ShortMessage) -> Receipt:
    """What a deliver_sm that is a receipt says; optional parameters win over the text.

    A receipt that says nothing readable has the stat `UNKNOWN`: it decides nothing.
    """
    said = _told(message).get
    told = said("id", ""), said("donedate", ""), said("stat", ""), said("err", "")
    return _receipt(*told, message.tlvs)


def _told(message: ShortMessage) -> dict[str, str]:
    """The fields in what data_coding says is UTF-16, or else octet by octet.

    Most carriers write ASCII whatever data_coding says, so it is believed where it gives fields.
    """
    octets = message.payload
    wide = texts.is_wide(message.data_coding)
    found = fields(texts.decode(octets, message.data_coding)) if wide else {}
    return found or fields(octets.decode("latin-1"))


def read_usual(body: bytes) -> tuple[str, str, Receipt] | None:
    """The source, the destination and the receipt of a deliver_sm, read in one go.

    None unless it has the usual shape; if it has, this is what `decode` and `read` say, in half
    the time.

    Raises:
        MalformedPduError: a parameter is longer than the PDU.

    """
    usual = _USUAL.match(body.decode("latin-1"))
    if usual is None:
        return None
    source, destination, length, text_id, done, stat, error = usual.groups()
    end = usual.end(3) + ord(length)
    if not usual.end() <= end <= len(body):
        return None
    return source, destination, _receipt(text_id, done, stat, error, tlv.decode(body, end))


def _receipt(text_id: str, done: str, stat: str, error: str, tlvs: tlv.Tlvs) -> Receipt:
    return Receipt(
        text_id or None,
        tlv.text(tlvs, tlv.RECEIPTED_MESSAGE_ID) or None,
        _stat(tlvs, stat),
        error or _network_error(tlvs),
        done,
        tlv.number(tlvs, tlv.USER_MESSAGE_REFERENCE),
    )


def date(digits: str) -> datetime | None:
    """A carrier's date of 10, 12 or 14 digits, in the carrier's own unnamed time zone."""
    layout = _DATES.get(len(digits))
    if layout is None:
        return None
    try:
        return datetime.strptime(digits, layout)  # noqa: DTZ007 - the carrier names no zone
    except ValueError:
        return None


def _stat(tlvs: tlv.Tlvs, told: str) -> str:
    state = tlv.number(tlvs, tlv.MESSAGE_STATE)
    if state is not None and state in _STATS:
        return _STATS[state]
    return told.upper()[:7] or STATS[MessageState.UNKNOWN]


def _network_error(tlvs: tlv.Tlvs) -> str | None:
    network = tlvs.get(tlv.NETWORK_ERROR_CODE, b"")
    if len(network) == _NETWORK_ERROR_OCTETS:
        return str(int.from_bytes(network[1:]))
    return None
