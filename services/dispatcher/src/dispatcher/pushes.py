"""All that is pushed through this process: one line per campaign, and the work on it."""

import asyncio
from collections import OrderedDict

from pymongo import IndexModel

from campaign_events.projection import Document
from dispatcher.pushing import Line, Push, Pushed, Stores

LINES_KEPT = 1_000
LEAVE_S = 2.0


class Pushes:
    """The lines of all campaigns that are pushed to through this process."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._work: dict[str, asyncio.Task[None]] = {}
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def prepare(self) -> None:
        """Make the index that gives every number away once."""
        index = IndexModel([("audience", 1), ("number", 1)], unique=True)
        await self._stores.views.pushed.create_indexes([index])

    async def push(self, campaign: Document, push: Push) -> Pushed:
        """Plan one message; one that was planned before is the same message still.

        Raises:
            Problem: 429 when too many wait.
            Unavailable, Rejected, PyMongoError: it may have been taken; ask again with its key.

        """
        line = self._line(campaign)
        future = line.put(push)
        self._keep_working(campaign["_id"])
        found = await future
        return found if isinstance(found, Pushed) else await line.tell(found)

    def take_up(self, campaign: Document) -> None:
        """Plan what was stored without having been planned when a dispatcher died."""
        self._line(campaign).unsettled = True
        self._keep_working(campaign["_id"])

    async def run(self) -> None:
        """Watch over the work until cancelled; then let those who wait have their answer."""
        try:
            await self._broken
        finally:
            if self._work:
                await asyncio.wait(self._work.values(), timeout=LEAVE_S)
            for task in self._work.values():
                task.cancel()
            await asyncio.gather(*self._work.values(), return_exceptions=True)

    def _line(self, campaign: Document) -> Line:
        name = campaign["_id"]
        if name not in self._lines:
            self._lines[name] = Line(self._stores, campaign)
        self._lines.move_to_end(name)
        for idle in list(self._lines)[: max(0, len(self._lines) - LINES_KEPT)]:
            if idle not in self._work:
                del self._lines[idle]
        return self._lines[name]

    def _keep_working(self, name: str) -> None:
        if name not in self._work:
            task = asyncio.create_task(self._lines[name].work(), name=f"pushes of {name}")
            self._work[name] = task
            task.add_done_callback(lambda done: self._done(name, done))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._work[name]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self._broken.done():
            self._broken.set_exception(error)
        elif self._lines[name].busy:
            self._keep_working(name)
