"""The carrier itself: takes messages, decides their fate by the book, tells about them later."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from time import monotonic, time
from typing import Final, Protocol

from smpp import short_message, tlv
from smpp.pdu import QuerySmResp
from smpp.receipt import STATES, MessageState
from smpp.short_message import ShortMessage
from smpp.status import status_name
from smsc.agenda import Agenda
from smsc.config import Account, Config
from smsc.fate import Fate, Fates
from smsc.ledger import Ledger, Line
from smsc.message import Message, Owed, parting
from smsc.outbox import Outbox
from smsc.receipts import stamp
from smsc.throttle import Gate

_RECEIPT_WANTED: Final = 0x03
_ONLY_FAILURES: Final = 0x02
_SWEEP_S: Final = 0.25
_TOLD_TOGETHER_MS: Final = 5
"""Receipts leave in lots, as from a carrier's queue: each up to so much after its time."""
_AFTER_EARLY_S: Final = 0.005
"""How far behind an early receipt its submit answer stays."""


class Submitter(Protocol):
    """A session that submits messages."""

    system_id: str

    def send(self, pdu: bytes) -> None:
        """Send a PDU at the end of this loop turn, if the session still lives."""
        ...

    def flush(self) -> None:
        """Hand what was sent to the socket."""
        ...


class Carrier:
    """Everything that outlives a session."""

    def __init__(self, config: Config, ledger: Ledger, fates: Fates, first: int) -> None:
        self.config = config
        self._ledger = ledger
        self._fates = fates
        self._next = first
        self._loop = asyncio.get_running_loop()
        self._gate = Gate(config.throttle, config.seed, time())
        self._answers = Agenda(self._loop, _send_answers)
        self._due = Agenda(self._loop, self._tell, _TOLD_TOGETHER_MS)
        self._sweep = self._loop.call_later(_SWEEP_S, self._retry)
        self._outboxes: dict[str, Outbox] = {}
        self._known: OrderedDict[str, Message] = OrderedDict()
        self._dirty: set[Submitter] = set()

    def account(self, system_id: str) -> Account | None:
        """The account of that name."""
        return next((one for one in self.config.accounts if one.system_id == system_id), None)

    def outbox(self, system_id: str) -> Outbox:
        """What that ESME is owed."""
        if system_id not in self._outboxes:
            self._outboxes[system_id] = Outbox(self.config.receipts, self._loop.time)
        return self._outboxes[system_id]

    def touched(self, session: Submitter) -> None:
        """Flush this session when the loop's turn ends, after the ledger."""
        if not self._dirty:
            self._loop.call_soon(self.flush)
        self._dirty.add(session)

    def submit(
        self, session: Submitter, sequence: int, submit: ShortMessage, arrived: float
    ) -> None:
        """Take or refuse a message and answer when its time has come, counted from its arrival."""
        now = time()
        line: Line = {
            "event": "accepted",
            "at": now,
            "system_id": session.system_id,
            "destination": submit.destination.digits,
            "source": submit.source.digits,
            "reference": tlv.number(submit.tlvs, tlv.USER_MESSAGE_REFERENCE),
        }
        line["part"], line["parts"] = parting(submit)
        throttled = self._gate.refuses(session.system_id, now)
        if throttled:
            line |= {"event": "throttled", "status": status_name(throttled)}
            answered_at = arrived + self.config.answers.latency_ms / 1000
            self._answer(session, sequence, "", throttled, answered_at)
        else:
            fate = self._fates.next(submit.destination.digits)
            if fate.refused:
                line |= {"event": "refused", "status": status_name(fate.refused)}
                self._answer(session, sequence, "", fate.refused, arrived + fate.latency)
            else:
                message = self._accept(session, submit, fate, line)
                self._promise(message, fate, line["receipts"], arrived)
                if fate.answered:
                    latency = max(fate.latency, _AFTER_EARLY_S) if fate.early else fate.latency
                    self._answer(session, sequence, message.message_id, 0, arrived + latency)
        self._ledger.put(line)
        self.touched(session)

    def query(self, message_id: str) -> QuerySmResp | None:
        """The state of a message, while the carrier remembers it."""
        message = self._known.get(message_id)
        if message is None:
            return None
        if time() < message.due:
            return QuerySmResp(message_id, "", MessageState.ENROUTE, 0)
        error = int(message.error) % 256 if message.error.isdecimal() else 0
        final_date = stamp(message.due) + "00000+"
        return QuerySmResp(message_id, final_date, STATES[message.stat], error)

    def acknowledged(self, owed: Owed) -> None:
        """The ESME has it; the debt is paid."""
        message = owed.message
        line = {
            "event": owed.kind,
            "at": time(),
            "system_id": message.system_id,
            "destination": message.destination.digits,
            "message_id": message.message_id,
            "tries": owed.tries,
        }
        if owed.kind == "receipt":
            line |= {"stat": message.stat, "error": message.error}
        self._ledger.put(line)

    def declined(self, owed: Owed) -> None:
        """The ESME does not want it now; it is sent again later."""
        self._due.put(monotonic() + self.config.receipts.retry_after_s, owed)

    def owe(self, debts: Iterable[tuple[float, Owed]]) -> None:
        """Send each of these after so many seconds."""
        now = monotonic()
        for after, owed in debts:
            self._due.put(now + after, owed)

    def remember(self, message: Message) -> None:
        """Answer questions about this message for a while."""
        self._known[message.message_id] = message
        if len(self._known) > self.config.memory.messages:
            self._known.popitem(last=False)

    def flush(self) -> None:
        """End a loop turn: the ledger first, then the sockets."""
        self._ledger.flush()
        dirty, self._dirty = self._dirty, set()
        for session in dirty:
            session.flush()

    def close(self) -> None:
        """Say nothing more; what is still owed is in the ledger."""
        self._answers.close()
        self._due.close()
        self._sweep.cancel()
        self.flush()

    def _accept(self, session: Submitter, submit: ShortMessage, fate: Fate, line: Line) -> Message:
        number, self._next = self._next, self._next + 1
        message = Message(
            number=number,
            message_id=f"{number:08X}" if self.config.answers.ids == "hex" else str(number),
            system_id=session.system_id,
            source=submit.source,
            destination=submit.destination,
            reference=submit.tlvs.get(tlv.USER_MESSAGE_REFERENCE),
            stat=fate.stat,
            error=fate.error,
            submitted=line["at"],
            due=line["at"] + fate.delay,
            session=session,
        )
        receipts = fate.receipts if _wanted(submit, fate.stat) else 0
        line |= {
            "number": number,
            "message_id": message.message_id,
            "stat": fate.stat,
            "error": fate.error,
            "due": message.due,
            "receipts": receipts,
            "answered": fate.answered,
            "reply": fate.reply,
        }
        self.remember(message)
        return message

    def _promise(self, message: Message, fate: Fate, receipts: int, arrived: float) -> None:
        if fate.early:
            self.outbox(message.system_id).put(Owed(message, "receipt") for _ in range(receipts))
        else:
            for _ in range(receipts):
                self._due.put(arrived + fate.delay, Owed(message, "receipt"))
        if fate.reply is not None:
            reply_at = arrived + fate.delay + self.config.replies.delay_s
            self._due.put(reply_at, Owed(message, "inbound", fate.reply))

    def _answer(
        self, session: Submitter, sequence: int, message_id: str, status: int, at: float
    ) -> None:
        answer = short_message.submit_sm_resp(sequence, message_id, status)
        self._answers.put(at, (session, answer))

    def _tell(self, ready: list[Owed]) -> None:
        self._answers.catch_up()  # no receipt before an answer that was due before it
        by_system: dict[str, list[Owed]] = {}
        for owed in ready:
            by_system.setdefault(owed.message.system_id, []).append(owed)
        for system_id, owing in by_system.items():
            self.outbox(system_id).put(owing)

    def _retry(self) -> None:
        self._sweep = self._loop.call_later(_SWEEP_S, self._retry)
        for outbox in self._outboxes.values():
            outbox.retry()


def _wanted(submit: ShortMessage, stat: str) -> bool:
    wanted = submit.registered_delivery & _RECEIPT_WANTED
    return bool(wanted) and (wanted != _ONLY_FAILURES or stat != "DELIVRD")


def _send_answers(ready: list[tuple[Submitter, bytes]]) -> None:
    for session, pdu in ready:
        session.send(pdu)
