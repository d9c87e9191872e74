"""A gateway's user, a process of its own: asks for messages over HTTP and counts their reports.

`python -m bench.gateway_user DOOR COUNT CONNECTIONS` prints one JSON line; the door is JSON too.
Requests and reports are read by what ends them, nothing more: it must not limit the gateway.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import cast

import uvloop

from bench.gateway import Door

FIRST_DESTINATION = 4915120000000
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
LAST_CHUNK = b"0\r\n\r\n"
SILENCE_S = 12.0
"""Longer than a gateway waits before it tries something again."""
LOOK_S = 0.05


class Reports(asyncio.Protocol):
    """One connection over which the gateway tells reports."""

    def __init__(self, heard: Callable[[int], None], thanks: str) -> None:
        self._heard = heard
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(thanks)}\r\n\r\n"
        self._answer = (head + thanks).encode()
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer whatever whole requests there are: none of them has a body."""
        assert self._transport is not None
        *whole, self._rest = (self._rest + data).split(HEAD_END)
        self._transport.write(self._answer * len(whole))
        self._heard(len(whole))


class Asking(asyncio.Protocol):
    """One connection that asks for the next message when the last one is accepted."""

    def __init__(self, door: Door, next_request: Callable[[], bytes | None]) -> None:
        self._door = door
        self._accepted = door.accepted.encode()
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
        _, counted, rest = head.lower().partition(LENGTH)
        if len(body) >= int(rest.split(b"\r\n")[0]) if counted else body.endswith(LAST_CHUNK):
            if not head.startswith(self._accepted):
                sys.exit(f"{self._door.name} says {self._read.decode()}")
            self._read = b""
            self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        request = self._next_request()
        if request is not None:
            self._transport.write(request)


async def use(door: Door, count: int, connections: int) -> dict[str, float]:
    """Have `count` messages sent; return seconds to the last report, and what this process cost.

    Reports that are missing when none has come for `SILENCE_S` are lost.
    """
    loop = asyncio.get_running_loop()
    reported, last = 0, time.perf_counter()

    def heard(more: int) -> None:
        nonlocal reported, last
        reported += more
        last = time.perf_counter()

    reports = await loop.create_server(lambda: Reports(heard, door.thanks), "127.0.0.1", 0)
    report_to = f"http://127.0.0.1:{reports.sockets[0].getsockname()[1]}/"
    destinations = iter(range(FIRST_DESTINATION, FIRST_DESTINATION + count))
    asked = 0.0

    def next_request() -> bytes | None:
        nonlocal asked
        destination = next(destinations, None)
        if destination is None:
            asked = asked or time.perf_counter()
            return None
        path = door.path.format(destination=destination, report_to=report_to)
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(connections):
        await loop.create_connection(lambda: Asking(door, next_request), "127.0.0.1", door.port)
    while reported < count and time.perf_counter() - last < SILENCE_S:
        await asyncio.sleep(LOOK_S)
    reports.close()
    return {
        "seconds": last - began,
        "asked_s": asked - began,
        "cpu_s": time.process_time() - cpu,
        "reported": reported,
    }


def main() -> None:
    door, count, connections = sys.argv[1:]
    figures = uvloop.run(use(Door(**json.loads(door)), int(count), int(connections)))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
