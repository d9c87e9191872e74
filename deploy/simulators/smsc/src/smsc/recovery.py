"""After a death, even by kill -9: the ledger says what is owed and which ids are taken."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from time import time

from smpp.short_message import Address
from smsc.carrier import Carrier
from smsc.config import Config
from smsc.fate import Fates
from smsc.ledger import Line, lines
from smsc.message import Message, Owed

_ALPHANUMERIC_TON, _INTERNATIONAL_TON, _ISDN = 5, 1, 1


@dataclass(slots=True)
class Debt:
    """One message about which something has not been acknowledged."""

    message: Message
    receipts: int
    reply: str | None


@dataclass(slots=True)
class Past:
    """What an earlier run of the carrier left behind."""

    first: int
    debts: dict[str, Debt] = field(default_factory=dict)
    messages: OrderedDict[str, Message] = field(default_factory=OrderedDict)


def read(path: Path | None, config: Config, fates: Fates) -> Past:
    """Go through the ledger once: count tries, note debts, find the first free id.

    A new book begins with the microsecond of its birth, so that ids differ from those of any
    book before it.
    """
    past = Past(first=int(time() * 1e6))
    begun = False
    for line in lines(path):
        event = line["event"]
        if event in ("accepted", "refused"):
            fates.count(line["destination"])
        if event == "accepted":
            past.first = line["number"] + 1 if not begun else max(past.first, line["number"] + 1)
            begun = True
            _accepted(past, line, config.memory.messages)
        elif event in ("receipt", "inbound"):
            _acknowledged(past, line)
    return past


def resume(carrier: Carrier, past: Past, config: Config) -> None:
    """Let the carrier remember, and pay what is owed at the times it was promised for."""
    for message in past.messages.values():
        carrier.remember(message)
    now = time()
    for debt in past.debts.values():
        wait = max(0.0, debt.message.due - now)
        carrier.owe((wait, Owed(debt.message, "receipt")) for _ in range(debt.receipts))
        if debt.reply is not None:
            later = max(0.0, debt.message.due + config.replies.delay_s - now)
            carrier.owe([(later, Owed(debt.message, "inbound", debt.reply))])


def _accepted(past: Past, line: Line, remembered: int) -> None:
    reference = line["reference"]
    message = Message(
        number=line["number"],
        message_id=line["message_id"],
        system_id=line["system_id"],
        source=_address(line["source"]),
        destination=_address(line["destination"]),
        reference=None if reference is None else reference.to_bytes(2),
        stat=line["stat"],
        error=line["error"],
        submitted=line["at"],
        due=line["due"],
    )
    past.messages[message.message_id] = message
    if len(past.messages) > remembered:
        past.messages.popitem(last=False)
    if line["receipts"] or line["reply"] is not None:
        past.debts[message.message_id] = Debt(message, line["receipts"], line["reply"])


def _acknowledged(past: Past, line: Line) -> None:
    debt = past.debts.get(line["message_id"])
    if debt is None:
        return
    if line["event"] == "receipt":
        debt.receipts -= 1
    else:
        debt.reply = None
    if debt.receipts <= 0 and debt.reply is None:
        del past.debts[line["message_id"]]


def _address(digits: str) -> Address:
    """The ledger keeps no numbering plans; these are the usual ones."""
    if digits.isdecimal():
        return Address(digits, _INTERNATIONAL_TON, _ISDN)
    return Address(digits, _ALPHANUMERIC_TON, 0)
