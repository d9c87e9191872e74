"""What we have Asterisk do with calls, one request each: it takes no more at once."""

from math import ceil
from typing import Final

import structlog

from dialler.telephony.ari import Ari, AriError, Json
from dialler.telephony.lines import AMD_MS, DESTINATION, Line, leg_of
from dialler.telephony.settings import AsteriskSettings
from dialler.telephony.telephony import CallId, Originate, TelephonyDownError

AGENT_RING_S: Final = 30
OK: Final = range(200, 300)
ALREADY_THERE: Final = 409

log = structlog.get_logger()


class Orders:
    """Orders over one connection. One without an answer is left to be compared later."""

    def __init__(self, settings: AsteriskSettings, ari: Ari) -> None:
        self._settings = settings
        self._ari = ari

    async def place(self, call: Originate, number: str) -> bool:
        """Ring somebody; False when Asterisk will not. Not into the address: logs show those."""
        variables = {DESTINATION: call.destination}
        if call.amd is not None:
            variables[AMD_MS] = str(call.amd.total_analysis_ms)
        wanted = {
            "channelId": call.call_id,
            "endpoint": self._settings.endpoint.replace("{number}", number),
            "app": self._settings.app,
            "appArgs": "call" if call.amd is None else "call,amd",
            "callerId": call.caller_id,
            "timeout": max(1, ceil(call.ring_timeout_s)),
            "variables": variables,
        }
        status = await self._try("POST", "/channels", wanted)
        return status is None or status in OK or status == ALREADY_THERE

    async def screen(self, line: Line) -> None:
        """Have the dialplan listen to who answered."""
        await self._go_on(line, self._settings.amd_context, "s")

    async def attach(self, line: Line) -> None:
        """Send a call to its destination, or have the destination called first."""
        target = line.destination or await self._destination(line.call_id)
        if "/" not in target:
            extension, _, context = target.partition("@")
            await self._go_on(line, context, extension)
            return
        line.leg = True
        leg = {
            "channelId": leg_of(line.call_id),
            "endpoint": target,
            "app": self._settings.app,
            "appArgs": "agent",
            "originator": line.call_id,
            "timeout": AGENT_RING_S,
        }
        await self._do(line, "/channels", leg)

    async def bridge(self, line: Line) -> None:
        """Both ends are there: let them hear each other."""
        bridge = f"/bridges/bridge-{line.call_id}"
        both = f"{line.call_id},{leg_of(line.call_id)}"
        if await self._do(line, bridge, type="mixing"):
            await self._do(line, f"{bridge}/addChannel", channel=both)

    async def clear_away(self, line: Line) -> None:
        """A call is over: its destination's channel and their bridge go with it."""
        await self.end(leg_of(line.call_id))
        await self._try("DELETE", f"/bridges/bridge-{line.call_id}")

    async def end(self, channel_id: str) -> None:
        """Hang up; a channel that is gone already is fine too."""
        await self._try("DELETE", f"/channels/{channel_id}")

    async def refuse(self, channel_id: str) -> None:
        """Hang up on somebody whose destination took no call; the cause tells so."""
        await self._try("DELETE", f"/channels/{channel_id}", reason="congestion")

    async def channels(self) -> dict[str, Json]:
        """Every channel by its id.

        Raises:
            TelephonyDownError: there is no answer.

        """
        try:
            return {one["id"]: one for one in await self._ari.ask("/channels") or ()}
        except AriError as error:
            raise TelephonyDownError(str(error)) from error

    async def ours(self) -> set[str]:
        """The ids of the channels that our application hears of.

        Raises:
            TelephonyDownError: there is no answer.

        """
        try:
            told = await self._ari.ask(f"/applications/{self._settings.app}")
        except AriError as error:
            raise TelephonyDownError(str(error)) from error
        return set(told["channel_ids"]) if told else set()

    async def _destination(self, call_id: CallId) -> str:
        """Where an earlier process wanted the call to go; an empty place is refused."""
        try:
            told = await self._ari.ask(f"/channels/{call_id}/variable", variable=DESTINATION)
        except AriError as error:
            log.warning("destination in doubt", call=call_id, reason=str(error))
            return ""
        return str(told["value"]) if told else ""

    async def _go_on(self, line: Line, context: str, extension: str) -> None:
        path = f"/channels/{line.call_id}/continue"
        await self._do(line, path, context=context, extension=extension, priority="1")

    async def _do(self, line: Line, path: str, body: Json | None = None, **query: str) -> bool:
        """Have something done with a call; where that is refused, the call is no use any more."""
        status = await self._try("POST", path, body, **query)
        if status is not None and status not in OK and status != ALREADY_THERE:
            log.warning("call ended: refused by Asterisk", call=line.call_id, status=status)
            await self.refuse(line.call_id)
        return status in OK

    async def _try(
        self, method: str, path: str, body: Json | None = None, **query: str
    ) -> int | None:
        try:
            return await self._ari.do(method, path, body, **query)
        except AriError as error:
            log.warning("order in doubt", reason=str(error))
            return None
