"""One caller's connection: lines of JSON in both directions."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, assert_never

import orjson
from pydantic import ValidationError

from phones.call import Event
from phones.exchange import Exchange
from phones.wire import (
    REQUEST,
    Acknowledge,
    Attach,
    HangUp,
    Hello,
    Live,
    Originate,
    Recall,
    Request,
)

LONGEST_LINE: Final = 8 * 1024 * 1024
_HELLO_WITHIN_S: Final = 10


class Session:
    """A connection, from its hello until either side has enough."""

    def __init__(self, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        self._exchange = exchange
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._events: list[Event] = []

    def tell(self, events: list[Event]) -> None:
        """Send events at the end of this loop turn, if the connection still lives."""
        if not self._events:
            self._loop.call_soon(self._flush)
        self._events += events

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Do what is asked for, line after line."""
        while line := await reader.readline():
            self._do(REQUEST.validate_json(line))
            await self._writer.drain()

    def _do(self, request: Request) -> None:
        match request:
            case Originate():
                self._exchange.originate(self, request.calls)
            case Attach():
                self._exchange.attach(request.calls)
            case HangUp():
                self._exchange.hang_up(request.calls)
            case Acknowledge():
                self._exchange.acknowledge(request.events)
            case Live():
                self._answer(request.ask, self._exchange.live())
            case Recall():
                self._answer(request.ask, self._exchange.recall(self, request.calls))
            case _:
                assert_never(request)

    def _answer(self, ask: int, calls: list[dict[str, Any]]) -> None:
        self._flush()
        say(self._writer, {"answer": ask, "calls": calls})

    def _flush(self) -> None:
        events, self._events = self._events, []
        if events:
            say(self._writer, {"events": events})


async def serve(
    exchanges: Mapping[str, Exchange], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Look after one connection until it ends."""
    exchange: Exchange | None = None
    session: Session | None = None
    try:
        async with asyncio.timeout(_HELLO_WITHIN_S):
            name = Hello.model_validate_json(await reader.readline()).hello
        exchange = exchanges.get(name)
        if exchange is None:
            say(writer, {"refused": f"there is no simulated telephony called {name}"})
            return
        say(writer, {"hello": name})
        session = Session(exchange, writer)
        await session.listen(reader)
    except (ValidationError, ValueError) as error:
        say(writer, {"refused": str(error)})
    except (TimeoutError, ConnectionError):
        pass
    finally:
        if exchange is not None and session is not None:
            exchange.left(session)
        writer.close()


def say(writer: asyncio.StreamWriter, line: dict[str, Any]) -> None:
    """Send one line, if anybody is there."""
    if not writer.is_closing():
        writer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
