"""Group commit: appends that are asked for at the same moment are stored in one atomic batch.

The log syncs once for a batch and answers once. It takes a batch whole or not at all, so where it
takes none, each of its appends is made alone: what becomes of one never depends on another.

Who was in a batch often asks for the next append as soon as it is answered. So answers are handed
out a few at a time, and what is asked for upon these is on its way to the log, which needs a while
to make room for a batch, before the next are handed out.
"""

import asyncio
from collections import deque
from functools import partial
from itertools import islice

from campaign_events.jetstream import Batch, JetStream, Message, Reply

LEAST = 16
"""A batch costs the server as much as so many messages, before the first one is in it."""
MOST = 100
PORTION = 25
"""So many answers are handed out in one turn of the event loop: half of those at one moment."""

type _Asked = tuple[Message, asyncio.Future[Reply | None]]


class GroupCommit:
    """Sends messages together that are asked for in one turn of the event loop, if it is worth it.

    So are those that come while answers are handed out. A boundary is twice in no batch: each
    message in it expects another history.
    """

    def __init__(self, jetstream: JetStream) -> None:
        self._jetstream = jetstream
        self._under_way = 0
        self._asked: dict[str, _Asked] = {}
        self._gathered: dict[str, _Asked] = {}
        self._answers: deque[tuple[asyncio.Future[Reply | None], Reply]] = deque()
        self._gathering: asyncio.Task[Reply | None] | None = None
        self._batches: set[asyncio.Task[Reply | None]] = set()

    async def send(self, message: Message, boundary: str) -> Reply:
        """Send one message as if it were alone."""
        self._under_way += 1
        try:
            if self._under_way == 1 or boundary in self._asked or boundary in self._gathered:
                return await self._jetstream.store((message,))
            answer: asyncio.Future[Reply | None] = asyncio.Future()
            self._asked[boundary] = message, answer
            self._go_on()
            return await answer or await self._jetstream.store((message,))
        finally:
            self._under_way -= 1

    def _go_on(self) -> None:
        """Gather a batch, unless that is being done or there is nobody to answer or to wait for."""
        if self._gathering is None and (self._asked or self._answers):
            self._gathered = {}
            self._gathering = asyncio.create_task(self._gather())
            self._batches.add(self._gathering)
            self._gathering.add_done_callback(partial(self._settle, self._gathered))

    async def _gather(self) -> Reply | None:
        """Send what is asked for until all answers are handed out; None when it is not worth it."""
        gathered, batch = self._gathered, self._jetstream.batch()
        while True:
            self._take()
            if len(gathered) + len(self._answers) >= LEAST:
                await _add(batch, gathered)
            if not self._answers or len(gathered) == MOST:
                break
            self._hand_out()
            await asyncio.sleep(0)
        self._gathering = None
        self._go_on()
        return await batch.end() if batch.size else None

    def _take(self) -> None:
        """Take in what is asked for, as far as there is room and somebody waits for it."""
        for boundary in list(islice(self._asked, MOST - len(self._gathered))):
            asked = self._asked.pop(boundary)
            if not asked[1].done():
                self._gathered[boundary] = asked

    def _hand_out(self) -> None:
        for _ in range(min(PORTION, len(self._answers))):
            answer, reply = self._answers.popleft()
            if not answer.done():
                answer.set_result(reply)

    def _settle(self, gathered: dict[str, _Asked], sent: asyncio.Task[Reply | None]) -> None:
        """Keep the answers of a batch that was stored; of another, send each message alone."""
        self._batches.discard(sent)
        if self._gathering is sent:
            self._gathering = None
        answers = [answer for _, answer in gathered.values()]
        reply = None if sent.cancelled() or sent.exception() else sent.result()
        if reply is None or "error" in reply:
            for answer in answers:
                if not answer.done():
                    answer.set_result(None)
        else:
            first = int(reply["seq"]) - len(answers) + 1
            self._answers.extend(
                (answer, {"seq": seq}) for seq, answer in enumerate(answers, first)
            )
        self._go_on()


async def _add(batch: Batch, gathered: dict[str, _Asked]) -> None:
    """Send what is not sent yet."""
    new = list(islice(gathered.values(), batch.size, None))
    await batch.add([message for message, _ in new])
