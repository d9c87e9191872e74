"""A telephony that is not there: named by a campaign, but by no table of telephony.toml."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from dialler.telephony.telephony import (
    Batch,
    CallEvent,
    CallId,
    Ended,
    LiveCall,
    Originate,
    Standing,
)


class Nowhere:
    """Carries nothing, and knows of no call."""

    def __init__(self, telephony: str) -> None:
        self.id = telephony
        self.up = False
        self.reason: str | None = f"there is no telephony called {telephony}"

    def originate(self, calls: Sequence[Originate]) -> None:
        """Place nothing: nobody asks while it is not up."""

    def attach(self, calls: Sequence[CallId]) -> None:
        """There are no calls."""

    def hang_up(self, calls: Sequence[CallId]) -> None:
        """There are no calls."""

    async def live(self) -> Sequence[LiveCall]:
        """Return nothing."""
        return ()

    async def recall(self, calls: Sequence[CallId]) -> Sequence[Standing]:
        """Say that nobody can tell more of these calls."""
        return [Ended(call, datetime.now(UTC), "unknown") for call in calls]

    async def events(self) -> Batch:
        """Wait for ever."""
        await asyncio.Event().wait()
        return Batch((), up=False)

    def acknowledge(self, events: Sequence[CallEvent]) -> None:
        """There is nothing to forget."""
