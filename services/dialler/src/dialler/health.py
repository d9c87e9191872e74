"""What others ask: `core.health.voice`, and `dialler.live` about one campaign.

A campaign is known to its owner only; owners tell the other diallers every second how it goes.
"""

import asyncio
import time
from collections.abc import Mapping
from math import inf
from typing import Any, Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import Gauge

from dialler.owning import Owners
from dialler.switchboard import Switchboard

SUBJECT: Final = "core.health.voice"
LIVE: Final = "dialler.live"
TOLD: Final = "core.dialling"
QUEUE: Final = "dialler"
TELL_S: Final = 1.0
HOLDS_S: Final = 3.0
"""What another dialler said of its campaigns counts for so long."""

UP = Gauge("carillon_telephony_up", "1 while calls can be placed", ["telephony"])
RINGING = Gauge("carillon_ringing_calls", "Calls that nobody has answered yet")
SEATS = Gauge("carillon_seats", "Conversations that campaigns may hold at once")
SEATS_USED = Gauge("carillon_used_seats", "Seats in conversation or wrapping up")
OCCUPANCY = Gauge("carillon_seat_occupancy_ratio", "Share of the seats that are used")
ABANDONED = Gauge(
    "carillon_abandoned_ratio",
    "Abandoned ÷ answered by a person, of the campaign that is nearest to its limit",
)
LIMIT = Gauge("carillon_abandoned_limit_ratio", "The limit of that campaign")
LIMIT_USED = Gauge("carillon_abandoned_limit_used_ratio", "The one ÷ the other")

type State = dict[str, Any]


class Health:
    """Answers how the telephonies are, and how the dialling of a campaign goes."""

    def __init__(self, nc: Client, owners: Owners, switchboards: Mapping[str, Switchboard]) -> None:
        self._nc = nc
        self._owners = owners
        self._switchboards = switchboards
        self._blocks: dict[str, State] = {}
        self._heard: dict[str, tuple[float, State]] = {}

    def telephony(self) -> list[State]:
        """Return every configured telephony and how it is."""
        return [
            {
                "id": name,
                "state": "up" if one.telephony.up else "down",
                "reason": one.telephony.reason,
            }
            for name, one in self._switchboards.items()
        ]

    async def run(self) -> None:
        """Answer and tell until cancelled; one of several diallers answers each question."""
        answering = await self._nc.subscribe(SUBJECT, queue=QUEUE, cb=self._answer)
        showing = await self._nc.subscribe(LIVE, queue=QUEUE, cb=self._show)
        hearing = await self._nc.subscribe(TOLD, cb=self._hear)
        try:
            while True:
                await self._tell()
                await asyncio.sleep(TELL_S)
        finally:
            if not self._nc.is_closed:
                for subscription in (answering, showing, hearing):
                    await subscription.unsubscribe()

    async def _answer(self, question: Msg) -> None:
        body = {"status": "ok", "telephony": self.telephony()}
        await question.respond(orjson.dumps(body))

    async def _show(self, question: Msg) -> None:
        try:
            asked = orjson.loads(question.data)
            workspace, campaign = asked["workspace"], asked["campaign"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            await question.respond(b"null")
            return
        known = self._known(campaign)
        shown = None
        if known is not None and known["workspace"] == workspace:
            shown = {name: value for name, value in known.items() if name != "workspace"}
        await question.respond(orjson.dumps(shown))

    def _known(self, campaign: str) -> State | None:
        own = self._owners.block(campaign)
        if own is not None:
            return own
        heard_at, heard = self._heard.get(campaign, (float("-inf"), {}))
        return heard if time.monotonic() - heard_at <= HOLDS_S else None

    async def _hear(self, told: Msg) -> None:
        now = time.monotonic()
        self._heard = {
            name: one for name, one in self._heard.items() if now - one[0] <= HOLDS_S
        } | {name: (now, block) for name, block in orjson.loads(told.data).items()}

    async def _tell(self) -> None:
        """Tell the others, and the metrics, how the campaigns of this process go."""
        self._measure()
        names = [dialling.run.campaign for dialling in self._owners.diallings]
        blocks = {name: block for name in names if (block := self._owners.block(name))}
        if blocks and self._nc.is_connected:
            await self._nc.publish(TOLD, orjson.dumps(blocks))

    def _measure(self) -> None:
        for name, one in self._switchboards.items():
            UP.labels(name).set(one.telephony.up)
        diallings = self._owners.diallings
        rooms = [dialling.pace.room for dialling in diallings]
        seats = sum(room.staffed for room in rooms)
        used = sum(len(room.talking) + len(room.wrapping) for room in rooms)
        RINGING.set(sum(len(room.dialling) for room in rooms))
        SEATS.set(seats)
        SEATS_USED.set(used)
        OCCUPANCY.set(used / seats if seats else 0)
        ratios = [(room.abandoned / room.humans, room.target) for room in rooms if room.humans]
        worst = max(((_used(*one), *one) for one in ratios), default=(0, 0, 0))
        for gauge, value in zip((LIMIT_USED, ABANDONED, LIMIT), worst, strict=True):
            gauge.set(value)


def _used(ratio: float, limit: float) -> float:
    """Return how much of a limit is used up; where nobody may be abandoned one is too many."""
    if limit:
        return ratio / limit
    return inf if ratio else 0.0
