"""One bind: a window of submits on the way, reports coming in, and a watch over both."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, cast

import structlog

from campaign_events.faults import said
from dispatcher.links.errors import verdict
from dispatcher.links.inbox import Inbox
from dispatcher.links.link import Answer, Part, Question, Report, Token, Told
from dispatcher.links.reports import read_deliver, read_queried
from dispatcher.links.settings import LinkSettings
from dispatcher.links.window import Window
from smpp import message_ids, pdu, short_message, tlv
from smpp.command import RESPONSE, Command
from smpp.framing import Frame, Framer, MalformedPduError, pack
from smpp.pdu import Bind, QuerySm, QuerySmResp
from smpp.short_message import UDH_INDICATOR, Address, ShortMessage
from smpp.status import Status, status_name

_LAST_SEQUENCE: Final = 0x7FFFFFFF
_WATCH_S: Final = 0.5
_MISSES: Final = 2
_RECEIPT_WANTED: Final = 1
_SUBMIT_SM_RESP: Final = int(Command.SUBMIT_SM_RESP)
_DELIVER_SM: Final = int(Command.DELIVER_SM)

log = structlog.get_logger()


class SessionLostError(ConnectionError):
    """The session ended, or never came to be bound."""


class Session(asyncio.Protocol):
    """An SMPP session on our side. Every submitted part gets one answer, come what may."""

    def __init__(self, settings: LinkSettings, inbox: Inbox, ended: Callable[[str], None]) -> None:
        self.bound = False
        self._ended = ended
        self._settings = settings
        self._inbox = inbox
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._framer = Framer()
        self._sequence = 0
        self._out: list[bytes] = []
        self._window = Window()
        self._replies: dict[int, asyncio.Future[Frame]] = {}
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._why = ""
        self._congested = False
        self._reading = True
        self._reading_since = self._heard = self._enquired = 0.0
        self._misses = 0
        self._watch: asyncio.TimerHandle | None = None
        self._retired = False
        self._asked = 0
        self._handlers: dict[int, Callable[[Frame], None]] = {
            Command.GENERIC_NACK: self._on_nack,
            Command.ENQUIRE_LINK: self._on_enquire,
            Command.ENQUIRE_LINK_RESP: self._on_enquired,
            Command.UNBIND: self._on_unbind,
            Command.UNBIND_RESP: self._on_reply,
            Command.BIND_TRANSCEIVER_RESP: self._on_bound,
            Command.QUERY_SM_RESP: self._on_reply,
        }

    # -- what the link calls ---------------------------------------------------------------

    async def bind(self) -> None:
        """Bind with the link's credentials.

        Raises:
            SessionLostError: the carrier refused, or hung up.

        """
        settings = self._settings
        credentials = Bind(settings.system_id, settings.password.get_secret_value())
        reply = await self._request(Command.BIND_TRANSCEIVER, credentials)
        if reply.status:
            raise SessionLostError(self._why)
        self.bound = True
        self._inbox.stir()

    async def unbind(self) -> None:
        """Take leave politely; the carrier may be gone already."""
        if self._transport is not None and not self._transport.is_closing():
            self.bound = False
            await self._request(Command.UNBIND)

    async def lost(self) -> str:
        """Wait until the session is over and tell why."""
        return await asyncio.shield(self._lost)

    def close(self, why: str) -> None:
        """End the session now."""
        if self._transport is not None and not self._transport.is_closing():
            self._why = self._why or why
            self._transport.abort()

    def room(self) -> int:
        """How many submits the window still takes."""
        if not self.bound or self._congested:
            return 0
        return max(0, self._settings.window - self.unanswered)

    @property
    def unanswered(self) -> int:
        """How much of the window is used, by submits and by questions."""
        return len(self._window) + self._asked

    def submit(self, parts: Sequence[Part]) -> None:
        """Send these at once, in one write with what waits for the end of the loop's turn."""
        now = self._loop.time()
        for part in parts:
            sequence = self._next_sequence()
            try:
                octets = short_message.submit_sm(sequence, _short_message(part))
            except (ValueError, OverflowError) as error:
                self._refuse(part, error)
                continue
            self._window.put(sequence, part, now)
            self._out.append(octets)
        self._flush()

    def _refuse(self, part: Part, error: Exception) -> None:
        """Answer for the carrier, which can not be told of this part: it has failed."""
        log.error(
            "submit not encoded", link=self._settings.id, campaign=part.key[0], why=said(error)
        )
        status, now = Status.ESME_RSUBMITFAIL, datetime.now(UTC)
        self._inbox.answer(Answer(part.key, status, None, "permanent", now))

    async def ask(self, question: Question) -> Told:
        """Ask what became of a message; a final state is put into the inbox as a report."""
        source = question.source
        address = Address(source.address.removeprefix("+"), source.ton, source.npi)
        self._asked += 1
        try:
            async with asyncio.timeout(self._settings.submit_timeout_s):
                frame = await self._request(Command.QUERY_SM, QuerySm(question.message_id, address))
        except (TimeoutError, SessionLostError):
            return "silent"
        finally:
            self._asked -= 1
        return self._told(question, frame)

    def _told(self, question: Question, frame: Frame) -> Told:
        if frame.command == Command.GENERIC_NACK or frame.status == Status.ESME_RINVCMDID:
            return "unsupported"
        if frame.status:
            return "refused"
        try:
            said = pdu.decode(frame)
        except MalformedPduError as error:
            log.warning("unreadable query_sm_resp", link=self._settings.id, reason=str(error))
            return "refused"
        if not isinstance(said, QuerySmResp):
            return "refused"
        report = read_queried(question, said, datetime.now(UTC))
        if report.state == "interim":
            return "interim"
        self._inbox.report(report)
        return "final"

    def acknowledge(self, sequence: int) -> None:
        """Confirm a deliver_sm; a session that is over leaves it to the carrier to repeat it."""
        self._write(short_message.deliver_sm_resp(sequence))

    # -- what the loop calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The carrier has picked up."""
        self._transport = cast("asyncio.Transport", transport)
        self._heard = self._loop.time()
        self._watch = self._loop.call_later(_WATCH_S, self._look_after)

    def data_received(self, data: bytes) -> None:
        """Take in every whole PDU; stop reading when nobody collects what comes."""
        self._heard = self._loop.time()
        self._misses = 0
        now = datetime.now(UTC)
        try:
            for frame in self._framer.feed(data):
                if frame.command == _SUBMIT_SM_RESP:
                    self._on_answer(frame, now)
                elif frame.command == _DELIVER_SM:
                    self._on_deliver(frame, now)
                else:
                    self._on_other(frame)
        except MalformedPduError as error:
            self.close(f"unreadable: {error}")
            return
        if self._reading and self._inbox.full:
            self._stop_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was on the way is unknown now; what was not written was not sent."""
        hung_up = f"connection lost: {exc}" if exc else "connection closed by the carrier"
        self._why = self._why or hung_up
        self._transport = None
        self.bound = False
        if self._watch is not None:
            self._watch.cancel()
        now = datetime.now(UTC)
        for key, fate in self._window.lose():
            self._inbox.answer(Answer(key, 0, None, fate, now))
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(SessionLostError(self._why))
        if not self._lost.done():
            self._lost.set_result(self._why)
        self._ended(self._why)

    def pause_writing(self) -> None:
        """The carrier does not read; give it nothing more to read."""
        self._congested = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._congested = False
        self._inbox.stir()

    # -- what the carrier says -------------------------------------------------------------

    def _on_answer(self, frame: Frame, at: datetime) -> None:
        message_id = given_id = None
        if not frame.status:
            given_id = short_message.message_id(frame.body).strip() or None
            message_id = message_ids.folded(given_id or "") or None
        if frame.status == Status.ESME_RINVBNDSTS:
            self._retire("the carrier has lost our bind")
        outcome = verdict(frame.status, self._settings.errors)
        if waiting := self._window.answered(frame.sequence):
            part, since = waiting
            took_s = self._heard - since
            self._inbox.answer(
                Answer(part.key, frame.status, message_id, outcome, at, given_id, took_s)
            )
        elif key := self._window.answered_late(frame.sequence):
            self._inbox.late(Answer(key, frame.status, message_id, outcome, at, given_id))

    def _on_deliver(self, frame: Frame, at: datetime) -> None:
        token = Token(self, frame.sequence)
        try:
            arrival = read_deliver(frame.body, self._settings.dlr_ids, at, token)
        except MalformedPduError as error:
            log.warning("unreadable deliver_sm", link=self._settings.id, reason=str(error))
            refusal = short_message.deliver_sm_resp(frame.sequence, Status.ESME_RX_P_APPN)
            self._write(refusal)
            return
        if isinstance(arrival, Report):
            self._inbox.report(arrival)
        else:
            self._inbox.inbound(arrival)

    def _on_other(self, frame: Frame) -> None:
        handler = self._handlers.get(frame.command)
        if handler is not None:
            handler(frame)
        elif not frame.command & RESPONSE:
            self._write(pack(Command.GENERIC_NACK, Status.ESME_RINVCMDID, frame.sequence))

    def _on_nack(self, frame: Frame) -> None:
        if frame.sequence in self._window:
            status = frame.status or Status.ESME_RUNKNOWNERR
            self._on_answer(frame._replace(status=status), datetime.now(UTC))
        elif self.bound:
            self._on_reply(frame)
        else:
            self._on_bound(frame)

    def _on_bound(self, frame: Frame) -> None:
        if frame.status:
            self._why = f"bind refused: {status_name(frame.status)}"
        self._on_reply(frame)

    def _on_reply(self, frame: Frame) -> None:
        reply = self._replies.pop(frame.sequence, None)
        if reply is not None and not reply.done():
            reply.set_result(frame)

    def _on_enquire(self, frame: Frame) -> None:
        self._write(pack(Command.ENQUIRE_LINK_RESP, 0, frame.sequence))

    def _on_enquired(self, frame: Frame) -> None:
        """Having heard anything at all is answer enough."""

    def _on_unbind(self, frame: Frame) -> None:
        self.bound = False
        self._why = "unbound by the carrier"
        self._write(pack(Command.UNBIND_RESP, 0, frame.sequence))
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # -- the rest --------------------------------------------------------------------------

    def _look_after(self) -> None:
        """Give up submits that wait too long, and ask a silent carrier whether it lives."""
        self._watch = self._loop.call_later(_WATCH_S, self._look_after)
        if not self._reading:
            return
        now = self._loop.time()
        self._give_up(now)
        if self._retired and not self._window:
            self.close(self._why)
            return
        idle_s = self._settings.enquire_link_s
        if self.bound and min(now - self._heard, now - self._enquired) >= idle_s:
            if self._misses >= _MISSES:
                self.close("no answer to enquire_link")
                return
            self._misses += 1
            self._enquired = now
            self._write(pack(Command.ENQUIRE_LINK, 0, self._next_sequence()))

    def _give_up(self, now: float) -> None:
        """Call unknown what has waited too long, but not for answers that we left unread."""
        limit = now - self._settings.submit_timeout_s
        if self._reading_since > limit:
            return
        at = datetime.now(UTC)
        for key in self._window.give_up(limit):
            self._inbox.answer(Answer(key, 0, None, "unknown", at))

    def _retire(self, why: str) -> None:
        """Submit nothing more here; end when what is on the way is answered."""
        self._retired, self._why = True, self._why or why
        self.bound = False

    def _stop_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()
            self._inbox.when_emptied(self._read_on)

    def _read_on(self) -> None:
        self._reading = True
        self._reading_since = self._heard = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    async def _request(self, command: Command, body: pdu.Body = pdu.BARE) -> Frame:
        if self._transport is None:
            raise SessionLostError(self._why)
        sequence = self._next_sequence()
        reply: asyncio.Future[Frame] = self._loop.create_future()
        self._replies[sequence] = reply
        self._write(pdu.encode(command, sequence, body))
        try:
            return await reply
        finally:
            self._replies.pop(sequence, None)

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def _write(self, octets: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(octets)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(out))
            self._window.written()


def _short_message(part: Part) -> ShortMessage:
    _, destination, reference, octets, data_coding, udh, source = part
    address, ton, npi, dton, dnpi = source
    return ShortMessage(
        Address(address.removeprefix("+"), ton, npi),
        Address(destination.removeprefix("+"), dton, dnpi),
        octets,
        data_coding,
        UDH_INDICATOR if udh else 0,
        _RECEIPT_WANTED,
        {tlv.USER_MESSAGE_REFERENCE: reference.to_bytes(2)},
    )
