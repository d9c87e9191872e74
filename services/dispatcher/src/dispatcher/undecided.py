"""Messages of which nobody knows whether the carrier has them: a submit without an answer."""

import time
from collections.abc import Sequence
from typing import Final

from dispatcher.inflight import Message

KEPT_S: Final = 72 * 3600.0
"""So long after its submit a report may still be told to belong to an undecided message. Carriers
give up within that time; a report for the same number later on is about something else."""


class Undecided:
    """Found by whom they went to; each has a deadline at which it is given up."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._to: dict[str, list[Message]] = {}
        self._by_key: dict[tuple[str, int], Message] = {}
        self._deadlines: dict[tuple[str, int], float] = {}
        self._since: dict[tuple[str, int], float] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, message: Message) -> None:
        """Wait for a report on this message."""
        self._to.setdefault(message.digits, []).append(message)
        self._by_key[message.key] = message
        now = time.monotonic()
        self._since[message.key] = now
        self._deadlines[message.key] = now + self._wait_s

    def get(self, key: tuple[str, int]) -> Message | None:
        """Return the message of this name."""
        return self._by_key.get(key)

    def to(self, destination: str) -> Sequence[Message]:
        """Return those that went to a number, given without a plus."""
        return self._to.get(destination, ())

    def remove(self, message: Message) -> None:
        """Something has told what became of it."""
        del self._by_key[message.key], self._since[message.key]
        self._deadlines.pop(message.key, None)
        waiting = self._to[message.digits]
        waiting.remove(message)
        if not waiting:
            del self._to[message.digits]

    def over(self) -> Sequence[Message]:
        """Return, once, those whose deadline has passed; they can still be told about.

        What has been here for longer than any report takes is forgotten.
        """
        now = time.monotonic()
        over = [key for key, deadline in self._deadlines.items() if deadline <= now]
        for key in over:
            del self._deadlines[key]
        given_up = [self._by_key[key] for key in over]
        while self._since and next(iter(self._since.values())) <= now - KEPT_S:
            oldest = next(iter(self._since))
            if oldest in self._deadlines:
                break
            self.remove(self._by_key[oldest])
        return given_up
