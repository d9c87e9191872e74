"""One ESME's connection: binding, submitting, acknowledging, until either side has enough."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, cast

from smpp import pdu, short_message, tlv
from smpp.command import RESPONSE, Command
from smpp.framing import Frame, Framer, MalformedPduError, pack
from smpp.pdu import Bind, BindResp, QuerySm
from smpp.status import Status
from smsc.carrier import Carrier
from smsc.message import Owed

_BINDS: Final = (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER)
_SUBMITS: Final = (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER)
_RECEIVES: Final = (Command.BIND_TRANSCEIVER, Command.BIND_RECEIVER)
_LAST_SEQUENCE: Final = 0x7FFFFFFF
_NAME: Final = "smsc"
_DELIVER_SM: Final = int(Command.DELIVER_SM)


class Session(asyncio.Protocol):
    """An SMPP session on the carrier's side."""

    def __init__(self, carrier: Carrier, bound: dict[str, int]) -> None:
        self.system_id = ""
        self.unacknowledged: dict[int, tuple[Owed, float]] = {}
        self._carrier = carrier
        self._bound = bound
        self._kind: Command | None = None
        self._framer = Framer()
        self._out: list[bytes] = []
        self._sequence = 0
        self._submits = 0
        self._arrived = 0.0
        self._transport: asyncio.Transport | None = None
        self._unbound_for_long: asyncio.TimerHandle | None = None
        self._handlers: dict[int, Callable[[Frame], None]] = {
            Command.SUBMIT_SM: self._on_submit,
            Command.DELIVER_SM_RESP: self._on_acknowledgement,
            Command.QUERY_SM: self._on_query,
            Command.ENQUIRE_LINK: self._on_enquire,
            Command.UNBIND: self._on_unbind,
            Command.GENERIC_NACK: self._on_acknowledgement,
            **dict.fromkeys(_BINDS, self._on_bind),
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An ESME has connected; it should bind soon."""
        self._transport = cast("asyncio.Transport", transport)
        self._unbound_for_long = asyncio.get_running_loop().call_later(
            self._carrier.config.listen.bind_within_s, transport.close
        )

    def data_received(self, data: bytes) -> None:
        """Do what every whole PDU asks for."""
        self._arrived = monotonic()
        try:
            for frame in self._framer.feed(data):
                self._handle(frame)
                if self._transport is None:
                    return
        except MalformedPduError:
            self.send(pack(Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, 0))
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The ESME is gone; what it did not acknowledge stays owed."""
        del exc
        self._transport = None
        if self._unbound_for_long is not None:
            self._unbound_for_long.cancel()
        self._unbind()

    def pause_writing(self) -> None:
        """An ESME that does not read is not read either."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def send(self, pdu: bytes) -> None:
        """Send a PDU at the end of this loop turn, if the session still lives."""
        if self._transport is not None:
            self._out.append(pdu)
            self._carrier.touched(self)

    def flush(self) -> None:
        """Hand what was sent to the socket."""
        out, self._out = self._out, []
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(out))

    def deliver(self, body: bytes) -> int:
        """Send a deliver_sm and tell its sequence number."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        self.send(pack(_DELIVER_SM, 0, self._sequence, body))
        return self._sequence

    def _handle(self, frame: Frame) -> None:
        handler = self._handlers.get(frame.command)
        try:
            if handler is not None:
                handler(frame)
            elif not frame.command & RESPONSE:
                self.send(pack(Command.GENERIC_NACK, Status.ESME_RINVCMDID, frame.sequence))
        except MalformedPduError:
            self.send(pack(Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, frame.sequence))

    def _on_submit(self, frame: Frame) -> None:
        if self._kind not in _SUBMITS:
            self._refuse(frame, Status.ESME_RINVBNDSTS)
            return
        submit = short_message.decode(frame.body)
        self._carrier.submit(self, frame.sequence, submit, self._arrived)
        self._submits += 1
        if self._submits == self._carrier.config.faults.drop_after and self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _on_acknowledgement(self, frame: Frame) -> None:
        owed, _ = self.unacknowledged.pop(frame.sequence, (None, 0.0))
        if owed is None:
            return
        if frame.status or frame.command == Command.GENERIC_NACK:
            self._carrier.declined(owed)
        else:
            self._carrier.acknowledged(owed)
        self._carrier.touched(self)
        self._carrier.outbox(self.system_id).pump()

    def _on_query(self, frame: Frame) -> None:
        asked = pdu.decode(frame)
        found = self._carrier.query(asked.message_id) if isinstance(asked, QuerySm) else None
        if self._kind not in _SUBMITS:
            self._refuse(frame, Status.ESME_RINVBNDSTS)
        elif found is None:
            self._refuse(frame, Status.ESME_RQUERYFAIL)
        else:
            self.send(pdu.encode(Command.QUERY_SM_RESP, frame.sequence, found))

    def _on_enquire(self, frame: Frame) -> None:
        self.send(pack(Command.ENQUIRE_LINK_RESP, 0, frame.sequence))

    def _on_unbind(self, frame: Frame) -> None:
        self.send(pack(Command.UNBIND_RESP, 0, frame.sequence))
        self._unbind()
        self._close()

    def _on_bind(self, frame: Frame) -> None:
        status = self._bind_status(frame)
        if status:
            self._refuse(frame, status)
            self._close()
            return
        self.send(
            pdu.encode(
                frame.command | RESPONSE,
                frame.sequence,
                BindResp(_NAME, {tlv.SC_INTERFACE_VERSION: bytes((pdu.VERSION,))}),
            )
        )
        if self._unbound_for_long is not None:
            self._unbound_for_long.cancel()
        if self._kind in _RECEIVES:
            self._carrier.outbox(self.system_id).join(self)

    def _bind_status(self, frame: Frame) -> Status:
        """Bind, or tell why not."""
        bind = pdu.decode(frame)
        if self._kind is not None or not isinstance(bind, Bind):
            return Status.ESME_RALYBND
        account = self._carrier.account(bind.system_id)
        if account is None:
            return Status.ESME_RINVSYSID
        if account.password != bind.password:
            return Status.ESME_RINVPASWD
        if self._bound.get(account.system_id, 0) >= account.max_sessions:
            return Status.ESME_RBINDFAIL
        self.system_id = account.system_id
        self._kind = Command(frame.command)
        self._bound[account.system_id] = self._bound.get(account.system_id, 0) + 1
        return Status.ESME_ROK

    def _unbind(self) -> None:
        if self._kind is not None:
            self._kind = None
            self._bound[self.system_id] -= 1
            self._carrier.outbox(self.system_id).leave(self)
            self.unacknowledged.clear()

    def _refuse(self, frame: Frame, status: Status) -> None:
        self.send(pack(frame.command | RESPONSE, status, frame.sequence))

    def _close(self) -> None:
        """Close once everything said so far is on its way."""
        self._carrier.touched(self)
        self._carrier.flush()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
