"""HTTP clients that cost next to nothing, in a process of their own: `python -m bench.load`.

Each has one connection, which it keeps. Reads what to do from standard input, writes what it saw
to standard output; both JSON.
"""

import asyncio
import os
import random
import sys
import time
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop
from pydantic import BaseModel, ConfigDict

OK = b"HTTP/1.1 200"
END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Offered(BaseModel):
    """What the clients do for `seconds`: ask one after the other, or each once in `every_s`."""

    model_config = ConfigDict(frozen=True)

    url: str
    token: str = ""
    clients: int
    seconds: float
    every_s: float = 0


class Seen(BaseModel):
    """What they saw."""

    model_config = ConfigDict(frozen=True)

    per_s: float
    milliseconds: tuple[float, ...]
    """Of each request, from its first byte to the last one of the answer."""


async def load(offered: Offered) -> Seen:
    """Have clients ask, from another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ,
    )
    said, _ = await process.communicate(offered.model_dump_json().encode())
    if process.returncode:
        raise SystemExit("the clients were refused")
    return Seen.model_validate_json(said)


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._whole: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a type of its own

    def connection_lost(self, exc: Exception | None) -> None:
        if self._whole is not None and not self._whole.done():
            self._whole.set_exception(exc or ConnectionResetError("the server went away"))

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head = self._heard.find(END)
        if head < 0 or self._whole is None:
            return
        at = self._heard.lower().index(LENGTH) + len(LENGTH)
        length = int(self._heard[at : self._heard.index(b"\r", at)])
        if len(self._heard) == head + len(END) + length:
            self._whole.set_result(None)

    async def ask(self, request: bytes) -> float:
        """Return how long the answer took, in ms; anything but a 200 ends it all."""
        self._heard.clear()
        self._whole = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._transport.write(request)
        await self._whole
        if not self._heard.startswith(OK):
            raise SystemExit(self._heard.decode())
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        self._transport.close()


async def _client(offered: Offered, request: bytes, seen: list[float], begin: float) -> None:
    place = urlsplit(offered.url)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(_Client, place.hostname or "", place.port or 0)
    turn = begin + random.random() * offered.every_s
    try:
        while turn < begin + offered.seconds:
            await asyncio.sleep(turn - loop.time())
            seen.append(await client.ask(request))
            turn = max(turn + offered.every_s, loop.time())
    finally:
        client.close()


async def _run(offered: Offered) -> Seen:
    place = urlsplit(offered.url)
    request = f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
    if offered.token:
        request += f"Authorization: Bearer {offered.token}\r\n"
    whole, seen = f"{request}\r\n".encode(), list[float]()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with asyncio.TaskGroup() as group:
        for _ in range(offered.clients):
            group.create_task(_client(offered, whole, seen, begin))
    return Seen(per_s=len(seen) / (loop.time() - begin), milliseconds=tuple(seen))


if __name__ == "__main__":
    sys.stdout.buffer.write(
        orjson.dumps(
            uvloop.run(_run(Offered.model_validate_json(sys.stdin.buffer.read()))).model_dump()
        )
    )
