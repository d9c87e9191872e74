"""A deliver_sm as the application sees it: a report on our message, or a person's own."""

from datetime import datetime
from typing import Final, Literal

from dispatcher.links.link import Inbound, Report, Token
from smpp import message_ids, receipt, short_message, text
from smpp.message_ids import DlrIds
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
SCHEDUL, inventions) are interim: news, but nothing final."""


def read_report(message: ShortMessage, dlr_ids: DlrIds, at: datetime, token: Token) -> Report:
    """What a receipt says about which message.

    `at` is the time of arrival: carriers name no time zone with their own dates.
    """
    said = receipt.read(message)
    ids = message_ids.receipted(said, dlr_ids)
    notice = message.esm_class & MESSAGE_TYPE == INTERIM_NOTICE
    return Report(
        message_id=ids[0] if ids else "",
        state="interim" if notice else STATES.get(said.stat, "interim"),
        error=said.error,
        stat=said.stat,
        at=at,
        destination=message.source.digits.removeprefix("+"),
        source=message.destination.digits.removeprefix("+"),
        reference=said.reference,
        token=token,
        other_ids=ids[1:],
    )


def read_inbound(message: ShortMessage, at: datetime, token: Token) -> Inbound:
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
