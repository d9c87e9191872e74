"""One telephony for all campaigns of this process: events find the campaign that they are for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dialler.names import campaign_of
from dialler.telephony.telephony import CallEvent, Telephony


def _ignore(_: Sequence[CallEvent]) -> None:
    """Nobody listens yet."""


@dataclass(slots=True)
class Extension:
    """Where the events of one campaign arrive."""

    telephony: Telephony
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    heard: Callable[[Sequence[CallEvent]], None] = _ignore
    failure: Exception | None = None
    """What kept the campaign from hearing on; its owner raises it."""

    def put(self, events: Sequence[CallEvent]) -> None:
        """Something happened."""
        if self.failure is None:
            try:
                self.heard(events)
            except Exception as error:  # noqa: BLE001 - one campaign's failure is raised by its owner
                self.failure = error
        self.stirred.set()


class Switchboard:
    """Hands on what one telephony tells. What is for nobody here is not acknowledged."""

    def __init__(self, telephony: Telephony) -> None:
        self.telephony = telephony
        self._extensions: dict[str, Extension] = {}

    def connect(self, campaign: str) -> Extension:
        """Have the events of a campaign's calls from now on."""
        extension = self._extensions[campaign] = Extension(self.telephony)
        return extension

    def disconnect(self, campaign: str) -> None:
        """Have them no more."""
        self._extensions.pop(campaign, None)

    async def run(self) -> None:
        """Hand on events for ever; when the telephony comes or goes everybody hears of it."""
        was_up = False
        while True:
            batch = await self.telephony.events()
            found: dict[str, list[CallEvent]] = {}
            for event in batch.events:
                found.setdefault(campaign_of(event.call_id), []).append(event)
            for campaign, events in found.items():
                if (extension := self._extensions.get(campaign)) is not None:
                    extension.put(events)
            if batch.up != was_up:
                was_up = batch.up
                for extension in self._extensions.values():
                    extension.stirred.set()
