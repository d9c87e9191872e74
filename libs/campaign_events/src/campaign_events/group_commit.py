"""Group commit: appends that are asked for at the same moment are stored in one atomic batch.

The log syncs once for a batch and answers once. It takes a batch whole or not at all, so where it
takes none, each of its appends is made alone: what becomes of one never depends on another.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import batched

from campaign_events.jetstream import Message, Reply

LEAST = 16
"""A batch costs the server as much as so many messages, before the first one is in it."""
MOST = 100

type Send = Callable[[Sequence[Message]], Coroutine[None, None, Reply]]
"""Sends one message, or several as an atomic batch, and returns what the log says."""
type _Asked = tuple[Message, asyncio.Future[Reply | None]]


class GroupCommit:
    """Sends messages that are asked for in one turn of the event loop together, if it is worth it.

    A boundary is twice in no batch: each message in it expects another history.
    """

    def __init__(self, send: Send) -> None:
        self._alone = send
        self._asked: dict[str, _Asked] = {}
        self._under_way = 0
        self._batches: set[asyncio.Task[Reply]] = set()

    async def send(self, message: Message, boundary: str) -> Reply:
        """Send one message as if it were alone."""
        self._under_way += 1
        try:
            if self._under_way == 1 or boundary in self._asked:
                return await self._alone((message,))
            if not self._asked:
                asyncio.get_running_loop().call_soon(self._go)
            answer: asyncio.Future[Reply | None] = asyncio.Future()
            self._asked[boundary] = message, answer
            return await answer or await self._alone((message,))
        finally:
            self._under_way -= 1

    def _go(self) -> None:
        """Send on what was asked for in this turn."""
        asked = [one for one in self._asked.values() if not one[1].done()]
        self._asked.clear()
        for some in batched(asked, MOST):
            if len(some) < LEAST:
                _answer(some, None)
            else:
                self._together(some)

    def _together(self, asked: Sequence[_Asked]) -> None:
        self._batches.add(
            sending := asyncio.create_task(self._alone([message for message, _ in asked]))
        )
        sending.add_done_callback(self._batches.discard)
        sending.add_done_callback(lambda sent: _answer(asked, _end(sent)))


def _end(sent: asyncio.Task[Reply]) -> int | None:
    """Return where the last message of a batch is; None when they are to be tried alone."""
    if sent.cancelled() or sent.exception() is not None or "error" in sent.result():
        return None
    return int(sent.result()["seq"])


def _answer(asked: Sequence[_Asked], end: int | None) -> None:
    for behind, (_, answer) in enumerate(reversed(asked)):
        if not answer.done():
            answer.set_result(None if end is None else {"seq": end - behind})
