"""What came from the phone side and has not been collected yet."""

import asyncio
from collections.abc import Callable, Iterable

from dialler.telephony.telephony import Batch, CallEvent


class Inbox:
    """Collects until somebody asks. What waits is bounded by the calls that were placed."""

    def __init__(self, state: Callable[[], tuple[bool, str | None]]) -> None:
        self._state = state
        self._stirred = asyncio.Event()
        self._events: list[CallEvent] = []
        self._failure: BaseException | None = None

    def put(self, events: Iterable[CallEvent]) -> None:
        """Something happened to calls."""
        self._events += events
        self._stirred.set()

    def stir(self) -> None:
        """The connection's state has changed."""
        self._stirred.set()

    def watch(self, keeper: asyncio.Task[None]) -> None:
        """Tell whoever collects when the keeper of the connection ends by a mistake of ours."""
        self._failure = None if keeper.cancelled() else keeper.exception()
        self._stirred.set()

    async def collect(self) -> Batch:
        """Wait until there is something, then hand over all of it."""
        await self._stirred.wait()
        self._stirred.clear()
        if self._failure is not None:
            raise self._failure
        up, reason = self._state()
        events, self._events = self._events, []
        return Batch(events, up, reason)
