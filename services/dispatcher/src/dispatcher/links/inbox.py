"""What came back from the carrier and has not been collected yet, over all sessions of a link."""

import asyncio
from collections.abc import Callable
from typing import Final

from dispatcher.links.link import Answer, Batch, Inbound, Report

REPORTS_WAIT_S: Final = 0.01
"""Nobody waits for a report as a slot waits for an answer: so long it may wait for company."""
MOST_ARRIVALS: Final = 5_000
"""Reports and inbound messages that may wait for the application before reading stops."""


class Inbox:
    """Collects until somebody asks, and says when it has had enough.

    `stirred` is set with everything that comes, a moment later with what is not urgent.
    """

    def __init__(self, state: Callable[[], tuple[bool, str | None]]) -> None:
        self._state = state
        self.stirred = asyncio.Event()
        self._answers: list[Answer] = []
        self._late: list[Answer] = []
        self._reports: list[Report] = []
        self._inbound: list[Inbound] = []
        self._emptied: list[Callable[[], None]] = []
        self._failure: BaseException | None = None
        self._soon: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        """Whether sessions should stop reading."""
        return len(self._reports) + len(self._inbound) >= MOST_ARRIVALS

    def answer(self, answer: Answer) -> None:
        """A submit has ended."""
        self._answers.append(answer)
        self.stirred.set()

    def late(self, answer: Answer) -> None:
        """A submit that had been given up was answered after all."""
        self._late.append(answer)
        self.stirred.set()

    def report(self, report: Report) -> None:
        """The carrier tells about a message."""
        self._reports.append(report)
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(REPORTS_WAIT_S, self.stirred.set)

    def inbound(self, inbound: Inbound) -> None:
        """A person wrote."""
        self._inbound.append(inbound)
        self.stirred.set()

    def stir(self) -> None:
        """The link's state has changed."""
        self.stirred.set()

    def fail(self, failure: BaseException) -> None:
        """The link is broken beyond reconnecting; whoever collects shall know."""
        self._failure = failure
        self.stirred.set()

    def when_emptied(self, call: Callable[[], None]) -> None:
        """Call back, once, after the next collection."""
        self._emptied.append(call)

    def collect(self) -> Batch:
        """Hand over all that there is."""
        if self._failure is not None:
            raise self._failure
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        up, reason = self._state()
        batch = Batch(
            answers=self._answers,
            reports=self._reports,
            inbound=self._inbound,
            up=up,
            late=self._late,
            reason=reason,
        )
        self._answers, self._reports, self._inbound, self._late = [], [], [], []
        emptied, self._emptied = self._emptied, []
        for call in emptied:
            call()
        return batch
