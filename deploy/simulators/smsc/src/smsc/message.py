"""A message that the carrier has taken, and what it still owes about it."""

from dataclasses import dataclass
from typing import Literal

from smpp import short_message, text, tlv
from smpp.short_message import Address, ShortMessage

type Parting = tuple[int, int]
"""(part from 1, parts)"""


@dataclass(slots=True)
class Message:
    """One accepted submit_sm."""

    number: int
    message_id: str
    system_id: str
    source: Address
    destination: Address
    reference: bytes | None
    stat: str
    error: str
    submitted: float
    due: float
    session: object = None
    """The session that submitted it, which hears of it for as long as it is there."""


@dataclass(slots=True)
class Owed:
    """One deliver_sm that the ESME has not acknowledged yet."""

    message: Message
    kind: Literal["receipt", "inbound"]
    text: str = ""
    tries: int = 0


def parting(submit: ShortMessage) -> Parting:
    """Which part of how many a submit_sm is: by its user data header, or by sar_* parameters."""
    if submit.esm_class & short_message.UDH_INDICATOR:
        header, _ = text.split_header(submit.payload)
        told = text.concatenation(header)
        if told:
            return told[2], told[1]
    parts = tlv.number(submit.tlvs, tlv.SAR_TOTAL_SEGMENTS)
    part = tlv.number(submit.tlvs, tlv.SAR_SEGMENT_SEQNUM)
    return (part, parts) if part and parts else (1, 1)
