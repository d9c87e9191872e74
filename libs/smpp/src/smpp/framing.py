"""Bytes in, whole PDUs out."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

HEADER: Final = Struct(">IIII")
HEADER_OCTETS: Final = 16
LONGEST: Final = 70_000
"""A message_payload of 64 KiB and everything else around it."""

_unpack = HEADER.unpack_from
_pack = HEADER.pack


class MalformedPduError(ValueError):
    """The bytes are no PDU. After a wrong length the stream has lost its place and must end."""


class Frame(NamedTuple):
    """One PDU: its header, and the rest still unread."""

    command: int
    status: int
    sequence: int
    body: bytes


def pack(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """One PDU as it goes over the wire."""
    return _pack(HEADER_OCTETS + len(body), command, status, sequence) + body


class Framer:
    """Cuts a byte stream into PDUs, however the bytes were cut on their way."""

    __slots__ = ("_longest", "_rest")

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield every PDU that is whole now; keep the rest for the next call.

        Exhaust it before the next `feed`. PDUs before a broken one are still given.

        Raises:
            MalformedPduError: a length is impossible; nothing behind it can be read.

        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        at = 0
        available = len(data)
        longest = self._longest
        while available - at >= HEADER_OCTETS:
            length, command, status, sequence = _unpack(data, at)
            if not HEADER_OCTETS <= length <= longest:
                raise MalformedPduError(f"a PDU of {length} octets")
            end = at + length
            if end > available:
                break
            yield Frame(command, status, sequence, data[at + HEADER_OCTETS : end])
            at = end
        self._rest = data[at:]
