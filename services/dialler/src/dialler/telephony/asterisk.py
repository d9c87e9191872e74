"""Real calls, by an Asterisk that we command over ARI.

A call is a channel with our own id, placed into the application and attached either by a second
channel and a bridge (a destination with a slash: `PJSIP/desk@pbx`) or by going on in the dialplan
(`queue@sales`: extension and context). A context of the dialplan runs AMD() and comes back:

    [carillon-amd]
    exten => s,1,AMD(,,,${CARILLON_AMD_MS})
     same => n,Stasis(carillon,amd,${AMDSTATUS})
     same => n,Hangup()

While nobody controls the application Asterisk keeps the calls that were answered before, and hangs
up on whoever answers then; which calls those were it does not tell later.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from dialler.telephony.ari import Ari, AriError, Json, open_ari, when
from dialler.telephony.connection import first, keep
from dialler.telephony.inbox import Inbox
from dialler.telephony.lines import (
    VERDICTS,
    Line,
    Wish,
    adopted,
    arguments_of,
    call_of,
    is_leg,
    leg_of,
    state_of,
)
from dialler.telephony.orders import Orders
from dialler.telephony.settings import AsteriskSettings
from dialler.telephony.telephony import (
    Answered,
    Attached,
    Batch,
    CallEvent,
    CallId,
    Cause,
    Ended,
    LiveCall,
    Originate,
    Ringing,
    Screened,
    Standing,
    Telephony,
    TelephonyDownError,
)

COMPARE_S: Final = 5.0
COMPARE_AGAIN_S: Final = 0.5
"""How often our calls are compared with Asterisk's; sooner when one of them was not there."""
REMEMBERED: Final = 50_000
"""Ended calls whose outcome can still be asked for."""

log = structlog.get_logger()


class Asterisk:
    """The application's one controller, connected again whenever the connection is lost."""

    def __init__(self, settings: AsteriskSettings) -> None:
        self._settings = settings
        self._reason: str | None = "not connected yet"
        self._orders: Orders | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._lines: dict[CallId, Line] = {}
        self._over: OrderedDict[CallId, Ended] = OrderedDict()
        self._handlers: dict[str, Callable[[Json], None]] = {
            "Dial": self._on_dial,
            "ChannelStateChange": self._on_state,
            "StasisStart": self._on_stasis,
            "ChannelDialplan": self._on_dialplan,
            "ChannelEnteredBridge": self._on_bridge,
            "ChannelVarset": self._on_variable,
            "ChannelDestroyed": self._on_destroyed,
            "ApplicationReplaced": self._on_replaced,
        }
        self._now = asyncio.get_running_loop().time
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
        """Place calls, one request each, because Asterisk takes no more at once."""
        for call in calls:
            if call.call_id in self._lines:
                continue
            if call.call_id in self._over:
                self.inbox.put([self._over[call.call_id]])
            elif not self.up:
                self.inbox.put([Ended(call.call_id, datetime.now(UTC), "unsent")])
            else:
                # The channel's events can overtake the answer to the request that made it.
                line = Line(call.call_id, call.destination, placing=True)
                line.gives_up_at = self._now() + call.ring_timeout_s
                self._lines[call.call_id] = line
                self._start(self._place(line, call))

    def attach(self, calls: Sequence[CallId]) -> None:
        """Connect answered calls to their destinations, later if Asterisk is away."""
        self._wish("attach", calls)

    def hang_up(self, calls: Sequence[CallId]) -> None:
        """End calls, later if Asterisk is away."""
        self._wish("hang_up", calls)

    async def live(self) -> Sequence[LiveCall]:
        """Every call of the application, whoever placed it."""
        channels, ours = await self._asking().channels(), await self._asking().ours()
        return [
            LiveCall(one, state_of(channel, channels, self._settings.amd_context))
            for one, channel in channels.items()
            if one in ours and not is_leg(one)
        ]

    async def recall(self, calls: Sequence[CallId]) -> Sequence[Standing]:
        """Tell where calls are that an earlier process placed, and follow them."""
        channels = await self._asking().channels()
        standings: list[Standing] = []
        for call_id in calls:
            if call_id in channels and call_id not in self._lines:
                self._adopt(channels[call_id], channels)
            if call_id in self._lines:
                line = self._lines[call_id]
                standings.append(LiveCall(call_id, line.state, line.verdict))
            else:
                unknown = Ended(call_id, datetime.now(UTC), "unknown")
                standings.append(self._over.get(call_id, unknown))
        return standings

    async def events(self) -> Batch:
        """Wait until something has happened, then tell all of it."""
        return await self.inbox.collect()

    def acknowledge(self, events: Sequence[CallEvent]) -> None:
        """Asterisk keeps nothing that it could forget."""

    async def connection(self) -> str:
        """One connection from its beginning to its end; tells why that came."""
        why = "closed by Asterisk"
        try:
            async with open_ari(self._settings) as ari:
                self._orders = Orders(self._settings, ari)
                await self._live_on(ari)
        except* (AriError, TelephonyDownError) as errors:
            why = str(first(errors))
        self._reason = why
        self.inbox.stir()
        return why

    async def _live_on(self, ari: Ari) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(ari))
                group.create_task(self._compare_and_watch())
        except* (AriError, TelephonyDownError) as errors:
            self._reason = str(first(errors))
            raise
        finally:
            self._orders, self._reason = None, self._reason or "closed by us"
            self.inbox.stir()
            for task in self._work:
                task.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)
            for line in self._lines.values():
                line.placing = False

    # -- what Asterisk tells ---------------------------------------------------------------

    async def _listen(self, ari: Ari) -> None:
        async for event in ari.events():
            handler = self._handlers.get(event["type"])
            if handler is not None:
                handler(event)

    def _on_dial(self, event: Json) -> None:
        if event["dialstatus"] in ("RINGING", "PROGRESS"):
            self._rings(event["peer"]["id"], when(event))

    def _on_state(self, event: Json) -> None:
        if event["channel"]["state"] == "Ringing":
            self._rings(event["channel"]["id"], when(event))

    def _on_stasis(self, event: Json) -> None:
        call_id = event["channel"]["id"]
        line = self._lines.get(call_of(call_id))
        if is_leg(call_id):
            if line is None:
                self._order(Orders.end, call_id)
            else:
                self._order(Orders.bridge, line)
        elif line is not None:
            self._arrived(line, event["args"], when(event))

    def _on_dialplan(self, event: Json) -> None:
        line = self._lines.get(event["channel"]["id"])
        if line is not None:
            self._went_on(line, event["channel"], {}, when(event))

    def _on_bridge(self, event: Json) -> None:
        line = self._lines.get(event["channel"]["id"])
        if line is not None:
            line.bridged = True
            self._attached(line, when(event))

    def _on_variable(self, event: Json) -> None:
        line = self._lines.get(call_of(event.get("channel", {}).get("id", "")))
        if line is not None and event["variable"].startswith("CARILLON_"):
            line.told[event["variable"]] = event["value"]

    def _on_destroyed(self, event: Json) -> None:
        channel = event["channel"]
        line = self._lines.get(call_of(channel["id"]))
        if line is None:
            return
        if is_leg(channel["id"]):
            self._order(Orders.end if line.bridged else Orders.refuse, line.call_id)
            return
        cause = Cause(event["cause"], event.get("tech_cause") or None)
        up = channel["state"] == "Up"
        self._over_with(line.over(when(event), cause, up=up, now=self._now()))
        if line.leg:
            self._order(Orders.clear_away, line)

    def _on_replaced(self, event: Json) -> None:
        raise TelephonyDownError(
            f"another program has taken the application {event['application']}"
        )

    def _rings(self, call_id: CallId, at: datetime) -> None:
        line = self._lines.get(call_id)
        if line is not None and line.state == "dialling":
            line.state, line.rang = "ringing", True
            self.inbox.put([Ringing(call_id, at)])

    def _arrived(self, line: Line, arguments: Sequence[str], at: datetime) -> None:
        """A call waits in our application: it was answered, or AMD() is through with it."""
        came = arguments[0] if arguments else ""
        if came == "call" and line.state in ("dialling", "ringing", "screening"):
            if line.state != "screening":
                self.inbox.put([Answered(line.call_id, at)])
            line.state = "screening" if "amd" in arguments[1:] else "answered"
            if line.state == "screening":
                self._order(Orders.screen, line)
        elif came == "amd" and line.state == "screening":
            line.state = "answered"
            line.verdict = VERDICTS.get(arguments[1] if len(arguments) > 1 else "", "unknown")
            self.inbox.put([Screened(line.call_id, at, line.verdict)])
        self._grant(line)

    # -- what follows from it --------------------------------------------------------------

    async def _place(self, line: Line, call: Originate) -> None:
        number = call.phone.removeprefix("+")
        now = datetime.now(UTC)
        if not (number.isascii() and number.isdigit()):
            self._over_with(Ended(call.call_id, now, "unallocated", Cause(28)))
        elif not await self._asking().place(call, number):
            self._over_with(Ended(call.call_id, now, "error"))
        line.placing = False
        self._grant(line)

    def _went_on(self, line: Line, channel: Json, channels: dict[str, Json], at: datetime) -> None:
        """A call that was to be attached may have reached its destination."""
        reached = state_of(channel, channels, self._settings.amd_context) == "attached"
        if reached and line.wish == "attach" and line.state == "answered":
            self._attached(line, at)

    # -- keeping our knowledge and Asterisk's the same -------------------------------------

    async def _compare_and_watch(self) -> None:
        await self._compare()
        self._reason = None
        self.inbox.stir()
        log.info("telephony up", telephony=self.id, calls=len(self._lines))
        while True:
            doubtful = any(line.missing for line in self._lines.values())
            await asyncio.sleep(COMPARE_AGAIN_S if doubtful else COMPARE_S)
            await self._compare()

    async def _compare(self) -> None:
        """Notice what we were not told: a call is lost when two lists in a row do not have it."""
        asked = [line for line in self._lines.values() if not line.placing]
        channels = await self._asking().channels()
        now = datetime.now(UTC)
        for line in asked:
            channel = channels.get(line.call_id)
            if line.call_id not in self._lines:
                continue
            if channel is not None:
                line.missing = False
                if channel["state"] == "Ringing":
                    self._rings(line.call_id, now)
                self._went_on(line, channel, channels, now)
                self._arrived(line, arguments_of(channel), now)
                if line.bridged and leg_of(line.call_id) not in channels:
                    self._order(Orders.end, line.call_id)
            elif line.missing:
                self._over_with(line.lost())
            else:
                line.missing = True

    def _adopt(self, channel: Json, channels: dict[str, Json]) -> None:
        line = adopted(channel, channels, self._settings.amd_context)
        self._lines[line.call_id] = line
        self._arrived(line, arguments_of(channel), datetime.now(UTC))

    # -- the rest --------------------------------------------------------------------------

    def _wish(self, wish: Wish, calls: Sequence[CallId]) -> None:
        for call_id in calls:
            line = self._lines.get(call_id)
            if line is not None:
                line.wish = wish
                line.cancelled |= wish == "hang_up"
                self._grant(line)
            elif wish == "hang_up" and call_id not in self._over:
                self._order(Orders.end, call_id)

    def _grant(self, line: Line) -> None:
        """Do what is wished for a call if the time has come; comparing asks again."""
        if line.placing or not self.up:
            return
        if line.wish == "hang_up":
            self._order(Orders.end, line.call_id)
        elif line.wish == "attach" and line.state == "answered":
            self._order(Orders.attach, line)

    def _attached(self, line: Line, at: datetime) -> None:
        if line.state != "attached":
            line.state, line.wish = "attached", None if line.wish == "attach" else line.wish
            self.inbox.put([Attached(line.call_id, at)])

    def _over_with(self, ended: Ended) -> None:
        if self._lines.pop(ended.call_id, None) is None:
            return
        self._over[ended.call_id] = ended
        if len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        self.inbox.put([ended])

    def _order[T](self, order: Callable[[Orders, T], Coroutine[Any, Any, None]], of: T) -> None:
        """Order something, if anybody can take orders now."""
        if self._orders is not None:
            self._start(order(self._orders, of))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not isinstance(failure, TelephonyDownError):
            self.inbox.watch(task)

    def _asking(self) -> Orders:
        if self._orders is None:
            raise TelephonyDownError(self._reason)
        return self._orders


@asynccontextmanager
async def open_asterisk(settings: AsteriskSettings) -> AsyncIterator[Telephony]:
    """Control an Asterisk inside the block; leaving it ends no call."""
    asterisk = Asterisk(settings)
    keeper = asyncio.create_task(keep(settings.id, asterisk.connection))
    keeper.add_done_callback(asterisk.inbox.watch)
    try:
        yield asterisk
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
