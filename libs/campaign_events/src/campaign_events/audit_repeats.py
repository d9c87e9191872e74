"""Many equal records in a minute are one with a count: nobody fills a disk by knocking."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from campaign_events.audit import ANYBODY, DENIED, Record
from campaign_events.envelope import new_id

WINDOW_S = 60.0
MOST_KNOCKING = 20
"""Different callers with bad tokens that are told apart within a window."""
MOST_WINDOWS = 1000

type Key = tuple[str | None, ...]
_OTHERS: Key = (DENIED, "others")


@dataclass(slots=True)
class _Window:
    ends_at: float
    last: Record
    more: int = 0


class Repeats:
    """The first record of its kind is kept at once, the others are counted until a minute is over.

    So a process writes at most two records a minute for each caller, and all callers with bad
    tokens together at most `2 * (MOST_KNOCKING + 1)`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[Key, _Window] = {}
        self._knocking = 0

    def is_first(self, record: Record) -> bool:
        """Tell whether to keep this record by itself; it is counted otherwise."""
        key = self._key(record)
        window = self._windows.get(key)
        if window is not None:
            window.more += 1
            window.last = record
            return False
        if len(self._windows) < MOST_WINDOWS:
            self._windows[key] = _Window(self._clock() + WINDOW_S, record)
            self._knocking += record.action == DENIED
        return True

    def over(self, *, ending: bool = False) -> list[Record]:
        """Return a record with a count for each window that is over, if anything was repeated."""
        now = self._clock()
        ended = [key for key, one in self._windows.items() if ending or one.ends_at <= now]
        windows = [(key, self._windows.pop(key)) for key in ended]
        self._knocking -= sum(key[0] == DENIED for key in ended)
        return [_sum(key, window) for key, window in windows if window.more]

    def _key(self, record: Record) -> Key:
        if record.action != DENIED:
            who = (record.actor.id, record.resource.type, record.resource.id)
            what = (record.action, record.workspace, record.outcome, record.refusal)
            return (*what, *who, record.ip)
        key = (DENIED, record.workspace, record.ip)
        return _OTHERS if key not in self._windows and self._knocking >= MOST_KNOCKING else key


def _sum(key: Key, window: _Window) -> Record:
    summed = replace(window.last, id=new_id(), count=window.more)
    if key == _OTHERS:
        return replace(summed, workspace=ANYBODY, ip=None, user_agent=None, request_id=None)
    return summed
