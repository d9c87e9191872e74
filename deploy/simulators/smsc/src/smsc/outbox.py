"""What one ESME is owed: sent while its sessions have room, again until it is acknowledged."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Protocol

from smsc.config import Receipts
from smsc.message import Owed
from smsc.receipts import deliver


class Receiver(Protocol):
    """A session that takes deliver_sm, and what it has not acknowledged, oldest first."""

    unacknowledged: dict[int, tuple[Owed, float]]

    def deliver(self, body: bytes) -> int:
        """Send a deliver_sm and tell its sequence number."""
        ...


class Outbox:
    """The deliver_sm that a system_id is owed: to the session that submitted, else to any."""

    def __init__(self, how: Receipts, now: Callable[[], float]) -> None:
        self._how = how
        self._now = now
        self._waiting: deque[Owed] = deque()
        self._receivers: list[Receiver] = []

    def put(self, owed: Iterable[Owed]) -> None:
        """Owe these too, and send what can be sent."""
        self._waiting.extend(owed)
        self.pump()

    def join(self, receiver: Receiver) -> None:
        """Send to this session as well."""
        self._receivers.append(receiver)
        self.pump()

    def leave(self, receiver: Receiver) -> None:
        """The session is gone; what it did not acknowledge goes to others, or waits."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)
            self._take_back(receiver, len(receiver.unacknowledged))
            self.pump()

    def retry(self) -> None:
        """Send again what has waited too long for its answer."""
        long_ago = self._now() - self._how.retry_after_s
        for receiver in self._receivers:
            sent = (at for _, at in receiver.unacknowledged.values())
            overdue = sum(1 for _ in takewhile(long_ago.__ge__, sent))
            self._take_back(receiver, overdue)
        self.pump()

    def pump(self) -> None:
        """Send while something waits and a window has room."""
        waiting, receivers, window = self._waiting, self._receivers, self._how.window
        while waiting and receivers:
            receiver = self._receiver_of(waiting[0])
            room = window - len(receiver.unacknowledged)
            if room <= 0:
                return
            now = self._now()
            for _ in range(min(room, len(waiting)) if len(receivers) == 1 else 1):
                owed = waiting.popleft()
                owed.tries += 1
                sequence = receiver.deliver(deliver(owed, self._how))
                receiver.unacknowledged[sequence] = owed, now

    def _receiver_of(self, owed: Owed) -> Receiver:
        for receiver in self._receivers:
            if receiver is owed.message.session:
                return receiver
        return min(self._receivers, key=_load)

    def _take_back(self, receiver: Receiver, count: int) -> None:
        oldest = list(receiver.unacknowledged)[:count]
        self._waiting.extendleft(receiver.unacknowledged.pop(key)[0] for key in reversed(oldest))


def _load(receiver: Receiver) -> int:
    return len(receiver.unacknowledged)
