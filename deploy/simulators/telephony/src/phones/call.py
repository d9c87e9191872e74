"""One call and what it has come to."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from phones.fate import Fate
from phones.wire import Wanted

type State = Literal["dialling", "ringing", "answered", "screening", "attached", "ended"]
type Event = dict[str, Any]
"""As it goes over the wire; its `token` is what acknowledging takes."""


class Listener(Protocol):
    """A connection that hears of calls."""

    def tell(self, events: list[Event]) -> None:
        """Send events, if the connection still lives."""
        ...


@dataclass(slots=True, eq=False)
class Call:
    """A call from dialling to its end, and the events of it that nobody has acknowledged."""

    wanted: Wanted
    fate: Fate
    nth: int
    dialled_at: float
    listener: Listener | None
    state: State = "dialling"
    ringing_at: float | None = None
    answered_at: float | None = None
    attached_at: float | None = None
    ringing_until: float | None = None
    next_step: asyncio.TimerHandle | None = None
    patience: asyncio.TimerHandle | None = None
    owed: dict[int, Event] = field(default_factory=dict)

    def still(self) -> None:
        """Let nothing more happen by itself."""
        for timer in (self.next_step, self.patience):
            if timer is not None:
                timer.cancel()
        self.next_step = self.patience = None
