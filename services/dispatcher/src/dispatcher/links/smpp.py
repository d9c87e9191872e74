"""A link that speaks SMPP 3.4: its sessions, kept bound whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from random import uniform
from typing import Final

import structlog
from prometheus_client import Counter

from dispatcher.links.inbox import Inbox
from dispatcher.links.link import (
    Answer,
    Batch,
    Health,
    Inbound,
    Link,
    Part,
    Question,
    Report,
    Told,
)
from dispatcher.links.session import Session, SessionLostError
from dispatcher.links.settings import LinkSettings

RECONNECTS = Counter("carillon_link_reconnects", "Sessions bound again after a loss", ["link"])

CONNECT_S: Final = 10.0
"""How long connecting and binding may take."""
UNBIND_S: Final = 2.0
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 10.0
MOST_DOUBLINGS: Final = 10
STEADY_S: Final = 10.0
"""A session that lived so long proves that the carrier is well: the back-off begins anew."""

log = structlog.get_logger()


class SmppLink:
    """One carrier, one or more binds."""

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._sessions: list[Session] = []
        self._reason: str | None = "not connected yet"
        self._failed_at: datetime | None = None
        self._binds = 0
        self._reconnects = RECONNECTS.labels(settings.id)
        self._inbox = Inbox(lambda: (self.up, self.reason))

    @property
    def id(self) -> str:
        """The name that campaigns choose it by."""
        return self._settings.id

    @property
    def up(self) -> bool:
        """Whether at least one session is bound."""
        return any(session.bound for session in self._sessions)

    @property
    def reason(self) -> str | None:
        """Why it is down, or why not all of its sessions are up."""
        bound = sum(session.bound for session in self._sessions)
        return None if bound == self._settings.sessions else self._reason

    def room(self) -> int:
        """How many parts fit into the windows of all bound sessions now; 0 when down."""
        return sum(session.room() for session in self._sessions)

    def submit(self, parts: Sequence[Part]) -> None:
        """Send through the emptiest windows; what fits into none is answered `unsent`."""
        left = parts
        while left:
            session = max(self._sessions, key=Session.room, default=None)
            room = session.room() if session is not None else 0
            if session is None or not room:
                self._unsent(left)
                return
            share = room if len(self._sessions) == 1 else -(-room // len(self._sessions))
            session.submit(left[:share])
            left = left[share:]

    @property
    def stirred(self) -> asyncio.Event:
        """Set when something has happened."""
        return self._inbox.stirred

    def collect(self) -> Batch:
        """Tell all that has happened since the last time."""
        return self._inbox.collect()

    def acknowledge(self, arrivals: Sequence[Report | Inbound]) -> None:
        """Confirm to the carrier what is durable now."""
        for arrival in arrivals:
            arrival.token.session.acknowledge(arrival.token.sequence)

    async def ask(self, questions: Sequence[Question]) -> Sequence[Told]:
        """Ask what became of messages, over the sessions with the most room."""
        return await asyncio.gather(*(self._ask(question) for question in questions))

    async def _ask(self, question: Question) -> Told:
        session = max(self._sessions, key=Session.room, default=None)
        if session is None or not session.room():
            return "silent"
        return await session.ask(question)

    def health(self) -> Health:
        """Tell how the connection is."""
        settings = self._settings
        return Health(
            sessions=settings.sessions,
            sessions_up=sum(session.bound for session in self._sessions),
            window=settings.unanswered,
            window_used=sum(session.unanswered for session in self._sessions),
            reconnects=max(0, self._binds - settings.sessions),
            last_error=self._reason if self._failed_at else None,
            last_error_at=self._failed_at,
        )

    async def keep_bound(self) -> None:
        """Have one session bound, now and again after every loss, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            self._tell(await self._live())
            failures = 0 if loop.time() - began > STEADY_S else failures + 1
            pause = pause_after(failures)
            log.warning("link session lost", link=self.id, reason=self._reason, retry_in_s=pause)
            await asyncio.sleep(pause)

    def watch(self, keeper: asyncio.Task[None]) -> None:
        """Tell whoever collects when a keeper ends by a mistake of ours."""
        failure = None if keeper.cancelled() else keeper.exception()
        if failure is not None:
            self._inbox.fail(failure)

    async def _live(self) -> str:
        """One session from connecting to its end; tells why it ended."""
        settings = self._settings
        session: Session | None = None
        try:
            async with asyncio.timeout(CONNECT_S):
                _, session = await asyncio.get_running_loop().create_connection(
                    lambda: Session(settings, self._inbox, self._tell), settings.host, settings.port
                )
                self._sessions.append(session)
                await session.bind()
            self._binds += 1
            if self._binds > settings.sessions:
                self._reconnects.inc()
            log.info("link session bound", link=self.id)
            return await session.lost()
        except TimeoutError:
            return "no answer to connect or bind"
        except (SessionLostError, OSError) as error:
            return str(error)
        except asyncio.CancelledError:
            if session is not None:
                await _leave(session)
            raise
        finally:
            if session is not None:
                session.close("closed by us")
                await session.lost()
                self._sessions.remove(session)

    def _tell(self, reason: str) -> None:
        self._reason = reason
        self._failed_at = datetime.now(UTC)
        self._inbox.stir()

    def _unsent(self, parts: Sequence[Part]) -> None:
        now = datetime.now(UTC)
        for part in parts:
            self._inbox.answer(Answer(part.key, 0, None, "unsent", now))


@asynccontextmanager
async def open_smpp_link(settings: LinkSettings) -> AsyncIterator[Link]:
    """Keep an SMPP link connected inside the block; leaving it unbinds."""
    link = SmppLink(settings)
    keepers = [asyncio.create_task(link.keep_bound()) for _ in range(settings.sessions)]
    for keeper in keepers:
        keeper.add_done_callback(link.watch)
    try:
        yield link
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


def pause_after(failures: int) -> float:
    """How long to wait after so many failures in a row: longer each time, never two links alike."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, MOST_DOUBLINGS))
    return uniform(longest / 4, longest)  # noqa: S311 - spreads reconnects, keeps no secret


async def _leave(session: Session) -> None:
    with suppress(TimeoutError, SessionLostError):
        async with asyncio.timeout(UNBIND_S):
            await session.unbind()
