"""The simulated phone network, as the dialler talks to it: lines of JSON over TCP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson
import structlog
from pydantic import TypeAdapter

from dialler.telephony.connection import first, keep
from dialler.telephony.inbox import Inbox
from dialler.telephony.settings import SimulatorSettings
from dialler.telephony.telephony import (
    Answered,
    Attached,
    Batch,
    CallEvent,
    CallId,
    Ended,
    LiveCall,
    Originate,
    Ringing,
    Screened,
    Standing,
    Telephony,
    TelephonyDownError,
)

CONNECT_S: Final = 10.0
HEARTBEAT_S: Final = 5.0
ANSWER_S: Final = 10.0
LONGEST_LINE: Final = 64 * 1024 * 1024
_EVENTS: Final[dict[str, TypeAdapter[CallEvent]]] = {
    "ringing": TypeAdapter(Ringing),
    "answered": TypeAdapter(Answered),
    "screened": TypeAdapter(Screened),
    "attached": TypeAdapter(Attached),
    "ended": TypeAdapter(Ended),
}
_ENDED: Final = TypeAdapter(Ended)
_LIVE_CALL: Final = TypeAdapter(LiveCall)

log = structlog.get_logger()


class Simulator:
    """One connection to the simulator, made again whenever it is lost."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._reason: str | None = "not connected yet"
        self._writer: asyncio.StreamWriter | None = None
        self._following: set[CallId] = set()
        self._wishes: dict[CallId, Literal["attach", "hang_up"]] = {}
        self._questions: dict[int, asyncio.Future[list[dict[str, Any]]]] = {}
        self._asked = 0
        self.inbox = Inbox(lambda: (self.up, self.reason))

    @property
    def id(self) -> str:
        """The name that destinations choose it by."""
        return self._settings.id

    @property
    def up(self) -> bool:
        """Whether calls can be placed now."""
        return self._reason is None

    @property
    def reason(self) -> str | None:
        """Why they cannot."""
        return self._reason

    def originate(self, calls: Sequence[Originate]) -> None:
        """Place calls; while the network is away they end as `unsent`."""
        if not self.up:
            now = datetime.now(UTC)
            self.inbox.put(Ended(call.call_id, now, "unsent") for call in calls)
            return
        self._following.update(call.call_id for call in calls)
        self._say({"do": "originate", "calls": [_wanted(call) for call in calls]})

    def attach(self, calls: Sequence[CallId]) -> None:
        """Connect answered calls to their destinations, later if the network is away."""
        self._wish("attach", calls)

    def hang_up(self, calls: Sequence[CallId]) -> None:
        """End calls, later if the network is away."""
        self._wish("hang_up", calls)

    async def live(self) -> Sequence[LiveCall]:
        """Every call that lives on the network, whoever placed it."""
        return [_LIVE_CALL.validate_python(one) for one in await self._ask({"do": "live"})]

    async def recall(self, calls: Sequence[CallId]) -> Sequence[Standing]:
        """Tell where calls are that an earlier process placed, and follow them."""
        if not self.up:
            raise TelephonyDownError(self._reason)
        standings = await self._recall(calls)
        self._following.update(one.call_id for one in standings if isinstance(one, LiveCall))
        return standings

    async def events(self) -> Batch:
        """Wait until something has happened, then tell all of it."""
        return await self.inbox.collect()

    def acknowledge(self, events: Sequence[CallEvent]) -> None:
        """Let the network forget what is durable now; while it is away it will tell it again."""
        tokens = [event.token for event in events if event.token]
        if tokens:
            self._say({"do": "acknowledge", "events": tokens})

    async def connection(self) -> str:
        """One connection from its beginning to its end; tells why that came."""
        why = "closed by the simulator"
        try:
            async with asyncio.TaskGroup() as group:
                reader = await self._connect()
                group.create_task(self._read(reader))
                group.create_task(self._catch_up_and_watch())
        except* TimeoutError:
            why = "no answer"
        except* (TelephonyDownError, OSError, ValueError) as errors:
            why = str(first(errors))
        finally:
            self._lost(why)
        return why

    async def _connect(self) -> asyncio.StreamReader:
        async with asyncio.timeout(CONNECT_S):
            reader, self._writer = await asyncio.open_connection(
                self._settings.host, self._settings.port, limit=LONGEST_LINE
            )
            self._say({"hello": self.id})
            _accepted(await reader.readline())
        return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take every line for what it is, until there are no more."""
        while line := await reader.readline():
            said = _accepted(line)
            if "events" in said:
                self._happened([_event(one) for one in said["events"]])
            else:
                question = self._questions.pop(said["answer"], None)
                if question is not None and not question.done():
                    question.set_result(said["calls"])
        raise TelephonyDownError("closed by the simulator")

    async def _catch_up_and_watch(self) -> None:
        """Learn what became of our calls, then ask again and again whether anybody is there."""
        standings = await self._recall(list(self._following))
        self._happened(
            [one for one in standings if isinstance(one, Ended) and one.call_id in self._following]
        )
        for wish in ("attach", "hang_up"):
            left = [call_id for call_id, wished in self._wishes.items() if wished == wish]
            if left:
                self._say({"do": wish, "calls": left})
        self._reason = None
        self.inbox.stir()
        log.info("telephony up", telephony=self.id, calls=len(self._following))
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self._recall([])

    async def _recall(self, calls: Sequence[CallId]) -> list[Standing]:
        told = await self._ask({"do": "recall", "calls": list(calls)})
        return [_standing(one) for one in told]

    async def _ask(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        if self._writer is None:
            raise TelephonyDownError(self._reason)
        self._asked += 1
        answer: asyncio.Future[list[dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self._questions[self._asked] = answer
        self._say({**question, "ask": self._asked})
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError as error:
            raise TelephonyDownError("no answer") from error

    def _happened(self, events: Sequence[CallEvent]) -> None:
        """Pass events on; calls that are over need no following."""
        for event in events:
            if isinstance(event, Ended):
                self._following.discard(event.call_id)
                self._wishes.pop(event.call_id, None)
            elif isinstance(event, Attached):
                self._wishes.pop(event.call_id, None)
        if events:
            self.inbox.put(events)

    def _wish(self, wish: Literal["attach", "hang_up"], calls: Sequence[CallId]) -> None:
        if not calls:
            return
        self._wishes |= {call_id: wish for call_id in calls if call_id in self._following}
        if self.up:
            self._say({"do": wish, "calls": list(calls)})

    def _say(self, line: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _lost(self, why: str) -> None:
        self._reason = why
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        questions, self._questions = self._questions, {}
        for question in questions.values():
            if not question.done():
                question.set_exception(TelephonyDownError(why))
        self.inbox.stir()


@asynccontextmanager
async def open_simulator(settings: SimulatorSettings) -> AsyncIterator[Telephony]:
    """Keep a simulated phone network connected inside the block; leaving it ends no call."""
    simulator = Simulator(settings)
    keeper = asyncio.create_task(keep(settings.id, simulator.connection))
    keeper.add_done_callback(simulator.inbox.watch)
    try:
        yield simulator
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


def _accepted(line: bytes) -> dict[str, Any]:
    if not line:
        raise TelephonyDownError("closed by the simulator")
    said: dict[str, Any] = orjson.loads(line)
    if "refused" in said:
        raise TelephonyDownError(f"refused by the simulator: {said['refused']}")
    return said


def _wanted(call: Originate) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "phone": call.phone,
        "caller_id": call.caller_id,
        "ring_timeout_s": call.ring_timeout_s,
        "destination": call.destination,
        "amd_ms": None if call.amd is None else call.amd.total_analysis_ms,
    }


def _event(told: dict[str, Any]) -> CallEvent:
    return _EVENTS[told["event"]].validate_python(told)


def _standing(told: dict[str, Any]) -> Standing:
    if told.get("event") == "ended":
        return _ENDED.validate_python(told)
    if told["state"] == "unknown":
        return Ended(told["call_id"], datetime.now(UTC), "unknown")
    return _LIVE_CALL.validate_python(told)
