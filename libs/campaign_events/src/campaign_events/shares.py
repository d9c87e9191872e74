"""How much each process of one service owns, so that they share the work: told every second.

Core NATS: a word may be lost, and what was said holds for a moment only. It decides who reaches for
a lease first; who owns is decided by the lease alone.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

TELL_S: Final = 1.0
HOLDS_S: Final = 3.0
"""What another process said counts for so long."""
STEADY_S: Final = 2.0
"""How long shares must have been unequal before something is given up."""


@dataclass(slots=True)
class Shares:
    """The shares of all live processes of a service; `owned` tells this one's."""

    nc: Client
    service: str
    owner: str
    owned: Callable[[], Sequence[str]]
    _heard: dict[str, tuple[float, int]] = field(default_factory=dict)
    _unequal_since: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def subject(self) -> str:
        """Where the processes of the service tell each other."""
        return f"core.shares.{self.service}"

    def may(self) -> bool:
        """Whether no other live process owns less than this one: that one goes first."""
        mine = len(self.owned())
        return all(count >= mine for count in self._others())

    def too_many(self) -> bool:
        """Whether one should be given up: another process has had at least two less for a while."""
        mine = len(self.owned())
        if all(count >= mine - 1 for count in self._others()):
            self._unequal_since = None
            return False
        now = time.monotonic()
        if self._unequal_since is None:
            self._unequal_since = now
        return now - self._unequal_since >= STEADY_S

    def gave_up(self) -> None:
        """Begin anew: one thing was given up."""
        self._unequal_since = None
        self.changed()

    def changed(self) -> None:
        """Tell the others soon."""
        self._changed.set()

    async def run(self) -> None:
        """Tell and hear until cancelled."""
        hearing = await self.nc.subscribe(self.subject, cb=self._hear)
        try:
            while True:
                await self._tell()
                try:
                    await asyncio.wait_for(self._changed.wait(), TELL_S)
                except TimeoutError:
                    continue
                self._changed.clear()
        finally:
            if not self.nc.is_closed:
                await hearing.unsubscribe()

    def _others(self) -> list[int]:
        now = time.monotonic()
        self._heard = {one: told for one, told in self._heard.items() if now - told[0] <= HOLDS_S}
        return [count for _, count in self._heard.values()]

    async def _tell(self) -> None:
        if self.nc.is_connected:
            body = {"owner": self.owner, "owned": len(self.owned())}
            try:
                await self.nc.publish(self.subject, orjson.dumps(body))
            except nats.errors.Error:
                return

    async def _hear(self, told: Msg) -> None:
        body = orjson.loads(told.data)
        if body["owner"] != self.owner:
            self._heard[body["owner"]] = time.monotonic(), int(body["owned"])
