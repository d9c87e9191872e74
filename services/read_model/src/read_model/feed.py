"""The newest answer to one question, worked out once for all who watch it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from pymongo.errors import PyMongoError

GAP_S = 0.5
"""Two answers a second are enough for anybody."""
QUIET_S = 0.05
HEAD_START_S = 0.1
TICK_S = 1.0
REFRESH_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question[T]:
    """How to find an answer; None when there is none any more, which ends the feed.

    `differs` tells whether a new answer is worth showing, `aged` whether one that nobody has
    touched has become wrong by the passing of time.
    """

    read: Callable[[], Awaitable[T | None]]
    differs: Callable[[T, T], bool]
    aged: Callable[[T], Awaitable[bool]]


class Feed[T]:
    """Keeps the answer to one question new for as long as somebody watches."""

    def __init__(self, question: Question[T]) -> None:
        self._question = question
        self._stirred = asyncio.Event()
        self._moved = asyncio.Event()
        self._read_at = 0.0
        self._told_at = float("-inf")
        self.answer: T | None = None
        self.version = 0
        self.over = False

    def stir(self) -> None:
        """Take note that the answer may have changed."""
        self._stirred.set()

    def end(self) -> None:
        """Let everybody who watches go."""
        self.over = True
        self._moved.set()

    async def newer(self, version: int) -> None:
        """Wait for an answer behind this version, or for the end."""
        while self.version <= version and not self.over:
            await self._moved.wait()

    async def run(self) -> None:
        """Read when stirred, at most twice a second, until there is no answer any more."""
        try:
            while not self.over:
                self._stirred.clear()
                await asyncio.sleep(await self._read())
                await self._cause()
        finally:
            self.end()

    async def _read(self) -> float:
        """Read once and return how long to rest: short when there was nothing to show.

        The next reading starts early by as long as this one took, so that answers are neither
        more than two a second nor older than they must be.
        """
        began = time.monotonic()
        try:
            answer = await self._question.read()
        except PyMongoError as error:
            log.warning("feed waits for the database", why=repr(error))
            self._stirred.set()
            return TICK_S
        self._read_at = time.monotonic()
        if answer is None:
            self.end()
            return 0
        if self.answer is not None and not self._question.differs(self.answer, answer):
            return QUIET_S
        took = self._read_at - began
        await asyncio.sleep(self._told_at + GAP_S - self._read_at)
        self._tell(answer)
        return GAP_S - min(took, HEAD_START_S)

    def _tell(self, answer: T) -> None:
        self.answer = answer
        self.version += 1
        self._told_at = time.monotonic()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _cause(self) -> None:
        """Wait for a reason to read again."""
        while not self.over and not self._stirred.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), TICK_S)
                return
            if time.monotonic() - self._read_at > REFRESH_S:
                return
            if self.answer is not None and await self._question.aged(self.answer):
                return
