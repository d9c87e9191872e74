"""Server-sent events: a first answer at once, then every change, at most two a second."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import structlog
from fastapi.responses import StreamingResponse
from prometheus_client import Gauge
from starlette.types import Send

from campaign_events.problems import Problem
from read_model.feed import GAP_S, Feed, Question
from read_model.notices import Notices

PING_S = 15.0
GRACE_S = 0.1
"""For how long one who joined between two beats waits for the next beat beyond their turn."""
JITTER_S = 0.02
MAX_STREAMS = 1000
OPEN = Gauge("carillon_event_streams", "Server-sent event streams that are open")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """What a feed is about: a workspace's overview, or one campaign of it."""

    workspace: str
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One event on its way to a page."""

    event: str
    id: str
    data: bytes

    @property
    def encoded(self) -> bytes:
        """The frame as the HTML standard spells it (9.2.6); `data` holds no line break."""
        return b"event: %s\nid: %s\ndata: %s\n\n" % (
            self.event.encode(),
            self.id.encode(),
            self.data,
        )


@dataclass(slots=True)
class _Watched:
    feed: Feed[Any]
    task: asyncio.Task[None]
    watchers: int = 0


@dataclass(slots=True)
class Streams:
    """All feeds that somebody watches in this process."""

    notices: Notices
    _watched: dict[Key, _Watched] = field(default_factory=dict)
    _open: int = 0
    _closed: bool = False

    async def run(self) -> None:
        """Hear of changes until cancelled; then every open stream ends."""
        subscription = await self.notices.heard_by(self._stir)
        try:
            await asyncio.Event().wait()
        finally:
            self._closed = True
            for watched in self._watched.values():
                watched.feed.end()
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    def check_room(self) -> None:
        """Make sure that one more stream may be opened.

        Raises:
            Problem: 429 when this process has as many as it can serve.

        """
        if self._open >= MAX_STREAMS:
            raise Problem(429, "rate_limited", "Too many pages are open here; try again later.")

    async def frames[T](
        self, key: Key, question: Question[T], show: Callable[[T], Frame]
    ) -> AsyncGenerator[bytes]:
        """Give the bytes of one stream until there is nothing more to tell."""
        with self._watching(key, question) as feed:
            version, free_at, ping_at = 0, 0.0, time.monotonic() + PING_S
            yield b"retry: 1000\n\n"
            while not feed.over:
                try:
                    await asyncio.wait_for(_turn(feed, version, free_at), _left(ping_at))
                except TimeoutError:
                    yield b": ping\n\n"
                    ping_at = time.monotonic() + PING_S
                    continue
                if feed.answer is None or feed.version == version:
                    continue
                version = feed.version
                yield show(feed.answer).encoded
                free_at = time.monotonic() + GAP_S - JITTER_S

    @contextmanager
    def _watching[T](self, key: Key, question: Question[T]) -> Iterator[Feed[T]]:
        watched = self._watched.get(key)
        if watched is None or watched.feed.over:
            feed = Feed(question)
            watched = _Watched(feed, asyncio.create_task(feed.run()))
            watched.task.add_done_callback(_report)
            self._watched[key] = watched
        if self._closed:
            watched.feed.end()
        watched.watchers += 1
        self._open += 1
        OPEN.set(self._open)
        try:
            yield watched.feed
        finally:
            self._open -= 1
            OPEN.set(self._open)
            watched.watchers -= 1
            if watched.watchers == 0:
                watched.task.cancel()
                if self._watched.get(key) is watched:
                    del self._watched[key]

    def _stir(self, workspace: str, things: frozenset[str]) -> None:
        for key in (Key(workspace), *(Key(workspace, thing) for thing in things)):
            if watched := self._watched.get(key):
                watched.feed.stir()


async def _turn(feed: Feed[Any], version: int, free_at: float) -> None:
    """Wait until there is something new and it may go out.

    Who joined between two beats of the feed lets the next beat overtake what came too early, and
    is in step from then on; else every later answer would wait for up to half a second.
    """
    await feed.newer(version)
    early = free_at - time.monotonic()
    if early > 0 and not feed.over:
        with suppress(TimeoutError):
            await asyncio.wait_for(feed.newer(feed.version), early + GRACE_S)
        if not feed.over:
            await asyncio.sleep(_left(free_at))


def _left(moment: float) -> float:
    return max(0.0, moment - time.monotonic())


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("feed ended", exc_info=error)


class EventStream(StreamingResponse):
    """A response that lets its feed go as soon as the page is gone."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes], position: str) -> None:
        self._frames = frames
        super().__init__(
            frames,
            headers={
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
                "Event-Position": position,
            },
        )

    async def stream_response(self, send: Send) -> None:
        """Send frames until the end, whoever brings it about."""
        try:
            await super().stream_response(send)
        finally:
            await self._frames.aclose()
