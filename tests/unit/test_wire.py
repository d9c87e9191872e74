"""Reading the NATS client protocol, however the bytes are cut."""

import asyncio
from collections.abc import Sequence
from unittest.mock import create_autospec
from urllib.parse import urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.nats_login import NatsLogin
from campaign_events.wire import Delivery, Wire, WireLost

HEAD = b"NATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n"
BEAT = b"NATS/1.0 100 Idle Heartbeat\r\n\r\n"
BODY = b'{"line":"break\r\nMSG x 1 3\r\n"}'
STREAM = b"".join(
    (
        b"HMSG c.x 1 $JS.ACK.S.C.1.1.1.1.0 %d %d\r\n" % (len(HEAD), len(HEAD) + len(BODY)),
        HEAD + BODY + b"\r\n",
        b"PING\r\n",
        b"MSG c.x 1 $JS.ACK.S.C.1.2.2.1.0 2\r\n{}\r\n",
        b"+OK\r\n",
        b"HMSG _INBOX.a 1 %d %d\r\n" % (len(BEAT), len(BEAT)) + BEAT + b"\r\n",
        b"MSG _INBOX.a 1 0\r\n\r\n",
    )
)
DELIVERIES = [
    Delivery(b"$JS.ACK.S.C.1.1.1.1.0", BODY, None, b"c.x"),
    Delivery(b"$JS.ACK.S.C.1.2.2.1.0", b"{}", None, b"c.x"),
    Delivery(b"", b"", "100", b"_INBOX.a"),
    Delivery(b"", b"", None, b"_INBOX.a"),
]


async def read(pieces: Sequence[bytes]) -> tuple[list[Delivery], bytes]:
    """What a wire makes of bytes that come in these pieces, and what it sends."""
    reader = asyncio.StreamReader()
    writer = create_autospec(asyncio.StreamWriter, instance=True)
    wire = Wire(reader, writer)
    deliveries: list[Delivery] = []
    for piece in pieces:
        reader.feed_data(piece)
        deliveries += await wire.read()
    return deliveries, b"".join(call.args[0] for call in writer.write.call_args_list)


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_messages_are_whole_however_the_bytes_are_cut(cuts: set[int]) -> None:
    ends = [*sorted(cuts), len(STREAM)]
    pieces = [
        STREAM[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True) if end > start
    ]

    deliveries, sent = asyncio.run(read(pieces))

    assert deliveries == DELIVERIES
    assert sent == b"PONG\r\n"


async def test_an_error_of_the_server_ends_the_wire() -> None:
    with pytest.raises(WireLost, match="Permissions Violation"):
        await read([b"-ERR 'Permissions Violation for Subscription'\r\n"])


async def test_a_closed_connection_ends_the_wire() -> None:
    reader = asyncio.StreamReader()
    reader.feed_eof()

    with pytest.raises(WireLost):
        await Wire(reader, create_autospec(asyncio.StreamWriter, instance=True)).read()


@pytest.mark.parametrize(
    "greeting",
    [b"", b"-ERR 'maximum connections exceeded'\r\n", b"INFO {\r\n", b"x" * 99],
)
async def test_a_server_that_does_not_greet_is_a_lost_one(greeting: bytes) -> None:
    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(WireLost):
            await Wire.open(urlparse(f"nats://127.0.0.1:{port}"), NatsLogin("nats://127.0.0.1"))
