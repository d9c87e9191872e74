"""A deliver_sm as the application sees it: a report on our message, or a person's own."""

from datetime import datetime
from typing import Final, Literal

from dispatcher.links.link import Inbound, Question, Report, Token
from smpp import message_ids, receipt, short_message, text
from smpp.message_ids import DlrIds
from smpp.pdu import QuerySmResp
from smpp.receipt import STATS, MessageState
from smpp.short_message import INTERIM_NOTICE, MESSAGE_TYPE, ShortMessage

type State = Literal["delivered", "failed", "interim"]

STATES: Final[dict[str, State]] = {
    "DELIVRD": "delivered",
    "DELIVER": "delivered",
    "UNDELIV": "failed",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "REJECTD": "failed",
    "REJECTE": "failed",
    "FAILED": "failed",
}
"""What the first seven letters of a receipt's state decide; all others (ENROUTE, ACCEPTD, UNKNOWN,
SCHEDUL, inventions) are interim: news, but nothing final. See `docs/carriers.md`."""

LONGEST_ERROR: Final = 16
"""Carriers write what they like into `err`; a code is short, and nothing else is to be kept."""


class _Asked:
    """Where a report came from that we asked for: nobody waits for an acknowledgement."""

    def acknowledge(self, sequence: int) -> None:
        """Nothing to confirm."""


_ASKED: Final = _Asked()


def read_deliver(body: bytes, dlr_ids: DlrIds, at: datetime, token: Token) -> Report | Inbound:
    """What a deliver_sm tells: what became of which message, or what a person wrote.

    `at` is the time of arrival: carriers name no time zone with their own dates.

    Raises:
        MalformedPduError: it cannot be read.

    """
    notice = False
    usual = receipt.read_usual(body)
    if usual is not None:
        phone, sender, said = usual
    else:
        message = short_message.decode(body)
        if not receipt.is_receipt(message):
            return _inbound(message, at, token)
        notice = message.esm_class & MESSAGE_TYPE == INTERIM_NOTICE
        phone, sender = message.source.digits, message.destination.digits
        said = receipt.read(message)
    ids = message_ids.receipted(said, dlr_ids)
    return Report(
        ids[0] if ids else "",
        "interim" if notice else STATES.get(said.stat, "interim"),
        said.error[:LONGEST_ERROR] if said.error else None,
        said.stat[:LONGEST_ERROR],
        at,
        phone.removeprefix("+"),
        sender.removeprefix("+"),
        said.reference,
        token,
        ids[1:],
    )


def read_queried(question: Question, said: QuerySmResp, at: datetime) -> Report:
    """What the answer to a query says; it tells no destination and needs none."""
    known = said.message_state in STATS
    stat = STATS[MessageState(said.message_state)] if known else "UNKNOWN"
    return Report(
        message_id=message_ids.folded(question.message_id),
        state=STATES.get(stat, "interim"),
        error=f"{said.error_code:03d}" if said.error_code else None,
        stat=stat,
        at=at,
        destination="",
        source="",
        reference=None,
        token=Token(_ASKED, 0),
    )


def _inbound(message: ShortMessage, at: datetime, token: Token) -> Inbound:
    """What a person wrote."""
    octets, part = message.payload, None
    if message.esm_class & short_message.UDH_INDICATOR:
        header, octets = text.split_header(octets)
        part = text.concatenation(header)
    return Inbound(
        source=message.source.digits.removeprefix("+"),
        destination=message.destination.digits.removeprefix("+"),
        text=text.decode(octets, message.data_coding),
        at=at,
        token=token,
        part=part,
    )
