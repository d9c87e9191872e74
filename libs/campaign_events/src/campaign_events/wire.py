"""The part of the NATS client protocol that a reader of streams needs, and nothing else.

The general client parses the headers of each message and hands it through a queue to a task; a
reader of the log gets hundreds of entries with one read and wants the payload and the place.
Protocol: docs.nats.io, "Client protocol"; status lines in headers: ADR-4.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self
from urllib.parse import ParseResult, unquote

import orjson

from campaign_events.nats_login import NatsLogin

CHUNK = 1 << 18
LIMIT = 1 << 24
"""Bytes that may wait to be read before the server has to."""
HANDSHAKE_S = 5.0
_MESSAGE = re.compile(rb"(H)?MSG (\S+) \S+ (?:(\S+) )?(?(1)(\d+) )(\d+)\r\n")
"""`MSG subject sid [reply] size` and `HMSG subject sid [reply] head size`."""
_STATUS = slice(len("NATS/1.0 "), len("NATS/1.0 100"))


class Delivery(NamedTuple):
    """One message: where answers go, what it holds, the status of an empty one, its subject."""

    reply: bytes
    payload: bytes
    status: str | None
    subject: bytes = b""


class WireLost(Exception):
    """The connection has ended, or the server refuses it."""


class Wire:
    """A connection that sends requests and reads what comes, in order. Open it with `open`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""

    @classmethod
    async def open(cls, server: ParseResult, login: NatsLogin) -> Self:
        """Connect with the key of this login, or as the user that the server's URL names.

        Raises:
            WireLost: the server can not be reached, or does not let us in.

        """
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                reader, writer = await asyncio.open_connection(
                    server.hostname, server.port, limit=LIMIT
                )
                wire = cls(reader, writer)
                try:
                    await wire._greet(server, login)
                except BaseException:
                    writer.close()
                    raise
        except (OSError, TimeoutError, ValueError) as error:
            raise WireLost(repr(error)) from error
        return wire

    async def _greet(self, server: ParseResult, login: NatsLogin) -> None:
        trusted = login.tls
        if trusted is not None:
            await self._writer.start_tls(trusted, server_hostname=server.hostname)
        greeting = await self._reader.readline()
        if not greeting.startswith(b"INFO "):
            raise WireLost(greeting.decode(errors="replace").strip() or "nobody greets")
        info = orjson.loads(greeting.removeprefix(b"INFO "))
        if trusted is None and (server.scheme == "tls" or info.get("tls_required")):
            await self._writer.start_tls(
                ssl.create_default_context(), server_hostname=server.hostname
            )
        options = {
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "lang": "python",
            "version": "1",
            "protocol": 1,
            "user": unquote(server.username or ""),
            "pass": unquote(server.password or ""),
            **login.proof(info),
        }
        self._writer.write(b"CONNECT %b\r\nPING\r\n" % orjson.dumps(options))
        while not (line := await self._reader.readline()).startswith(b"PONG"):
            if not line or line.startswith(b"-ERR"):
                raise WireLost(line.decode(errors="replace").strip() or "the connection was closed")

    def subscribe(self, subject: str) -> None:
        """Hear what is sent to this subject."""
        self._writer.write(b"SUB %b 1\r\n" % subject.encode())

    def publish(self, subject: str, payload: bytes, reply: str) -> None:
        """Send a request whose answers go to `reply`."""
        head = f"PUB {subject} {reply} {len(payload)}\r\n".encode()
        self._writer.write(head + payload + b"\r\n")

    async def close(self) -> None:
        """End the connection; what was not sent yet is not."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def read(self) -> Sequence[Delivery]:
        """Wait for bytes and return the messages that they complete: maybe none.

        Raises:
            WireLost: there will be no more.

        """
        try:
            chunk = await self._reader.read(CHUNK)
        except OSError as error:
            raise WireLost(repr(error)) from error
        if not chunk:
            raise WireLost("the connection was closed")
        data = self._rest + chunk
        deliveries: list[Delivery] = []
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            begin = end + 2
            found = _MESSAGE.match(data, at)
            if found is None:
                self._heed(data[at:end])
                at = begin
                continue
            _, subject, reply, head, size = found.groups()
            stop = begin + int(size)
            if len(data) < stop + 2:
                break
            at = stop + 2
            status, body = None, begin
            if head:
                body += int(head)
                if data.startswith(b" ", begin + len("NATS/1.0")):
                    status = data[begin + _STATUS.start : begin + _STATUS.stop].decode()
            deliveries.append(Delivery(reply or b"", data[body:stop], status, subject))
        self._rest = data[at:]
        return deliveries

    def _heed(self, line: bytes) -> None:
        if line == b"PING":
            self._writer.write(b"PONG\r\n")
        elif line.startswith(b"-ERR"):
            raise WireLost(line.decode(errors="replace"))
