"""Uploads give way to sending: both need the same cores and the same database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import Counter

RESTED = Counter("carillon_upload_rest_seconds", "Time that uploads have rested for sending")


class UploadPace:
    """Lets batches of all uploads through one by one, with rests, while messages go out.

    `share` is how much of the time they may take then; 1 is all of it.
    """

    def __init__(self, is_sending: Callable[[], bool], share: float) -> None:
        self._is_sending = is_sending
        self._rests = 1 / share - 1
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Wait for a turn; inside, True says that the batch must be stored before it ends."""
        if not self._rests or not self._is_sending():
            yield False
            return
        clock = asyncio.get_running_loop().time
        async with self._lock:
            rest_s = max(0.0, self._free_at - clock())
            RESTED.inc(rest_s)
            await asyncio.sleep(rest_s)
            began = clock()
            yield True
            ended = clock()
            self._free_at = ended + (ended - began) * self._rests
