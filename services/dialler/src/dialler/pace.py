"""How many calls to place now: the pacer's answer, within the limits that always bind. No clock."""

from datetime import datetime, time, timedelta
from typing import Protocol

from campaign_events.voice import TimeWindow, VoiceSettings
from campaign_events.windows import closing
from dialler.pacing import PredictivePacer, ProgressivePacer
from dialler.rate import Rate
from dialler.room import Room, RoomEvent
from dialler.run import Run
from dialler.tally import LENGTHS, Tally

DAY = timedelta(days=1)
WHOLE = 1.0


class Pacer(Protocol):
    """Decides from what it saw; knows no clock but `now`."""

    def on_event(self, event: RoomEvent) -> None:
        """Learn from what happened."""
        ...

    def calls_to_place(self, now: float, room: Room) -> int:
        """Return how many calls to place now."""
        ...


class Pace:
    """The pacer of one run, its room, and what the limit on abandoned calls is counted by."""

    def __init__(self, settings: VoiceSettings, tally: Tally, now: float) -> None:
        self.tally = tally
        self.rate = Rate(settings.cps_limit)
        self.room = Room(
            staffed=settings.concurrency_limit,
            target=settings.abandon.limit,
            max_wait=settings.abandon.max_wait_s,
            amd_on=settings.amd.enabled,
            now=now,
        )
        self._settings = settings
        self._pacer = _pacer(settings)
        self._closes_at: datetime | None = None

    def follow(self, settings: VoiceSettings) -> None:
        """Go by these settings from now on; what was learnt is kept where it still holds."""
        was, self._settings = self._settings, settings
        if (was.pacing, was.abandon) != (settings.pacing, settings.abandon):
            self._pacer = _pacer(settings)
        self.rate.per_s = settings.cps_limit
        self.room.target = settings.abandon.limit
        self.room.max_wait = settings.abandon.max_wait_s
        self.room.amd_on = settings.amd.enabled
        self.room.staff(settings.concurrency_limit)

    def learn(self, now: datetime) -> None:
        """Tell the pacer, and the tally, what has happened in the room."""
        events = self.room.events.copy()
        self.room.events.clear()
        for event in events:
            self._pacer.on_event(event)
        people = sum(event[0] == "HUMAN" for event in events)
        abandoned = sum(event[0] == "ABANDONED" for event in events)
        if people or abandoned:
            self.tally.add(now, people, abandoned)

    def calls_to_place(self, run: Run, now: datetime) -> int:
        """Return how many calls may be placed now; answers nothing about whether they are ready."""
        self.learn(now)
        at = now.timestamp()
        room = self.room
        room.humans, room.abandoned = self.tally.over(self._settings.abandon.window, now)
        room.elapsed_frac = self._elapsed(run, now)
        wanted = self._pacer.calls_to_place(at, room)
        return max(min(wanted, self.rate.room(at)), 0)

    def _elapsed(self, run: Run, now: datetime) -> float:
        """Return which share of the people of the limit's window has answered by now, about.

        By the time of dialling that is left today, and by the contacts that are left at all.
        """
        window = self._settings.time_window
        if self._closes_at is None or self._closes_at <= now:
            self._closes_at = closing(window, now)
        if self._closes_at is None:
            return WHOLE
        left = (self._closes_at - now) / _length(window)
        length = LENGTHS[self._settings.abandon.window]
        counted = now - run.opened_at
        days = (counted if length is None else min(counted, length)) // DAY
        by_time = (days + 1 - left) / (days + 1)
        by_contacts = run.attempts / max(run.attempts + run.waiting, 1)
        return min(max(by_time, by_contacts, 0.0), WHOLE)


def _pacer(settings: VoiceSettings) -> Pacer:
    if settings.pacing == "progressive":
        return ProgressivePacer(settings.abandon.limit)
    return PredictivePacer(settings.abandon.limit)


def _length(window: TimeWindow) -> timedelta:
    """Return for how long it is open, when clocks are left alone."""
    start, end = (time.fromisoformat(shown) for shown in (window.start, window.end))
    minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
    return timedelta(minutes=minutes % (24 * 60) or 24 * 60)
