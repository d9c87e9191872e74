"""The live calls of a run: what the phone side tells moves them, and they get seats. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from campaign_events.voice import VoiceSettings
from dialler.calling import Call, hang_up, hear, take_over
from dialler.room import Room
from dialler.telephony.telephony import CallEvent, Ended, LiveCall


@dataclass(slots=True)
class Orders:
    """What the phone side is to be told, and whose end is to be stored."""

    attach: list[str] = field(default_factory=list)
    hang_up: list[str] = field(default_factory=list)
    ended: list[tuple[Call, Ended]] = field(default_factory=list)


class Talking:
    """Live calls by their names at the phone side."""

    def __init__(self, room: Room) -> None:
        self.calls: dict[str, Call] = {}
        self.changed: set[str] = set()
        self._room = room

    @property
    def numbers(self) -> set[int]:
        """Which contacts are being called."""
        return {call.number for call in self.calls.values()}

    def count(self, *states: str) -> int:
        """Return how many calls are in these states."""
        return sum(call.state in states for call in self.calls.values())

    def place(self, calls: Iterable[Call]) -> None:
        """These are being dialled now."""
        for call in calls:
            self.calls[call.call_id] = call
            self.changed.add(call.call_id)
            self._room.dial(call)

    def hear(self, events: Iterable[CallEvent], settings: VoiceSettings, orders: Orders) -> None:
        """Move calls on; what is about none of ours, or came before, moves nothing."""
        for event in events:
            call = self.calls.get(event.call_id)
            if call is None:
                continue
            if isinstance(event, Ended):
                del self.calls[event.call_id]
                self.changed.discard(event.call_id)
                self._room.end(call, event.wrap_s)
                orders.ended.append((call, event))
                continue
            if hear(call, event, settings.amd) == "hang_up":
                orders.hang_up.append(call.call_id)
            self.changed.add(call.call_id)
            self._room.follow(call)

    def adopt(
        self, standings: Sequence[LiveCall], settings: VoiceSettings, now: datetime, orders: Orders
    ) -> None:
        """Go on with calls that an earlier owner placed, where the phone side says they are."""
        for found in standings:
            call = self.calls.get(found.call_id)
            if call is None:
                continue
            if call.meant or take_over(call, found, settings.amd, now) == "hang_up":
                orders.hang_up.append(call.call_id)
            self.changed.add(call.call_id)
            self._room.adopt(call)

    def seat(self, now: float, max_wait_s: float, orders: Orders) -> None:
        """Seat those who wait, the longest waiting first; give up who has waited too long."""
        for call_id, since in sorted(self._room.waiting.items(), key=lambda one: one[1]):
            call = self.calls[call_id]
            if self._room.seat(call):
                call.asked = True
                orders.attach.append(call_id)
            elif now - since >= max_wait_s:
                hang_up(call, "machine" if call.amd == "machine" else "abandoned")
                self._room.abandon(call)
                orders.hang_up.append(call_id)
            else:
                continue
            self.changed.add(call_id)

    def next_deadline(self, max_wait_s: float) -> float | None:
        """Return when the first of those who wait has waited too long."""
        waiting = self._room.waiting.values()
        return min(waiting) + max_wait_s if waiting else None
