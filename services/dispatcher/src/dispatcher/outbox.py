"""What is taken and not yet written to the carrier. Nothing stays here that must not go out."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

from dispatcher.inflight import Message
from dispatcher.links.link import Part
from dispatcher.outcomes import Outcomes
from dispatcher.settling import Settling

type Say = Literal["go", "hold", "back"]
"""What may become of a message that is not written: it may go, has to wait, or goes back."""


class Outbox:
    """Parts on their way to the carrier's window, in order."""

    def __init__(self, settling: Settling) -> None:
        self._settling = settling
        self._parts: deque[Part] = deque()
        self._held: deque[Part] = deque()

    def __len__(self) -> int:
        return len(self._parts)

    def put(self, messages: Iterable[Message]) -> None:
        """Have all parts of these messages written soon."""
        for message in messages:
            self._settling.open[message.key] = message
            self._parts.extend(message.submits)

    def put_again(self, parts: Iterable[Part]) -> None:
        """Have parts written that the carrier did not take the first time."""
        self._parts.extend(parts)

    def review(self, say: Callable[[Message], Say], out: Outcomes) -> None:
        """Ask again what may become of each; of a message that the carrier has in part, for good.

        What has to wait stands aside, so that others are not kept waiting.
        """
        going: deque[Part] = deque()
        held: deque[Part] = deque()
        for part in (*self._held, *self._parts):
            message = self._settling.open.get(part.key[:2])
            said = "gone" if message is None else say(message)
            if said == "back":
                self._settling.withdrawn(part, out)
            elif said == "hold":
                held.append(part)
            elif said == "go":
                going.append(part)
        self._parts, self._held = going, held

    def next(self, room: int, say: Callable[[Message], Say]) -> list[Part]:
        """Take out what may be written now, as many parts as there is room for."""
        parts: list[Part] = []
        while self._parts and len(parts) < room:
            part = self._parts.popleft()
            message = self._settling.open.get(part.key[:2])
            if message is None:
                continue
            if say(message) == "go":
                message.written = True
                parts.append(part)
            else:
                self._held.append(part)
        return parts

    @property
    def reviewable(self) -> bool:
        """Whether anything is in it."""
        return bool(self._parts or self._held)

    def empty(self) -> list[Part]:
        """Take out everything."""
        parts = [*self._held, *self._parts]
        self._held.clear()
        self._parts.clear()
        return parts
