"""Kannel's user, a process of its own: asks for messages over HTTP and counts their reports.

`python -m bench.kannel_user PORT COUNT CONNECTIONS` prints one JSON line. Requests and reports are
read by what ends them, nothing more: it must not be what limits Kannel.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import cast

import uvloop

from bench.kannel import Kannel

FIRST_DESTINATION = 4915120000000
ACCEPTED = b"HTTP/1.1 202"
HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LENGTH = b"content-length:"
SILENCE_S = 10.0
LOOK_S = 0.05


class Reports(asyncio.Protocol):
    """One connection over which Kannel tells reports."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        self._heard = heard
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer whatever whole requests there are: none of them has a body."""
        assert self._transport is not None
        *whole, self._rest = (self._rest + data).split(HEAD_END)
        self._transport.write(ANSWER * len(whole))
        self._heard(len(whole))


class Asking(asyncio.Protocol):
    """One connection that asks for the next message when the last one is accepted."""

    def __init__(self, next_request: Callable[[], bytes | None]) -> None:
        self._next_request = next_request
        self._read = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Go on after a whole answer; anything but an acceptance ends the measure."""
        self._read += data
        head, end, body = self._read.partition(HEAD_END)
        if not end:
            return
        length = int(head.lower().partition(LENGTH)[2].split(b"\r\n")[0])
        if len(body) >= length:
            if not head.startswith(ACCEPTED):
                sys.exit(f"Kannel says {self._read.decode()}")
            self._read = b""
            self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        request = self._next_request()
        if request is not None:
            self._transport.write(request)


async def use(kannel: Kannel, count: int, connections: int) -> dict[str, float]:
    """Have `count` messages sent; return seconds to the last report, and what this process cost.

    Reports that are missing when none has come for `SILENCE_S` are lost.
    """
    loop = asyncio.get_running_loop()
    reported, last = 0, time.perf_counter()

    def heard(more: int) -> None:
        nonlocal reported, last
        reported += more
        last = time.perf_counter()

    door = await loop.create_server(lambda: Reports(heard), "127.0.0.1", 0)
    report_to = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}/"
    destinations = iter(range(FIRST_DESTINATION, FIRST_DESTINATION + count))
    asked = 0.0

    def next_request() -> bytes | None:
        nonlocal asked
        destination = next(destinations, None)
        if destination is None:
            asked = asked or time.perf_counter()
            return None
        path = kannel.path(str(destination), report_to)
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(connections):
        await loop.create_connection(lambda: Asking(next_request), "127.0.0.1", kannel.http)
    while reported < count and time.perf_counter() - last < SILENCE_S:
        await asyncio.sleep(LOOK_S)
    door.close()
    return {
        "seconds": last - began,
        "asked_s": asked - began,
        "cpu_s": time.process_time() - cpu,
        "reported": reported,
    }


def main() -> None:
    port, count, connections = (int(argument) for argument in sys.argv[1:])
    figures = uvloop.run(use(Kannel(port, {}), count, connections))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
