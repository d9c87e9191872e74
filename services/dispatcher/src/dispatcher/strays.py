"""Delivery reports for messages that nobody knows yet: kept until their submit is answered."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campaign_events.message import UnmatchedReport

STRAYS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Stray:
    """A report without its message; where it was remembered from tells no destination."""

    report: UnmatchedReport
    destination: str | None = None
    source: str = ""
    reference: int | None = None
    other_ids: tuple[str, ...] = ()


class Strays:
    """The newest of a link's stray reports, by every reading of their ids and by destination.

    Older ones stay in the view for a week, where people can find them; they decide nothing more.
    """

    def __init__(self, kept: int = STRAYS_KEPT) -> None:
        self._kept = kept
        self._by_id: OrderedDict[str, Stray] = OrderedDict()
        self._readings: dict[str, str] = {}
        self._to: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def keep(self, stray: Stray) -> bool:
        """Keep a report; False when one about the same id is here already."""
        name = stray.report.carrier_id
        if name in self._by_id:
            return False
        self._by_id[name] = stray
        for reading in stray.other_ids:
            self._readings.setdefault(reading, name)
        if stray.destination:
            self._to.setdefault(stray.destination, []).append(name)
        while len(self._by_id) > self._kept:
            self._remove(next(iter(self._by_id)))
        return True

    def remember(self, reports: Iterable[UnmatchedReport]) -> None:
        """Know reports that an earlier owner of the link kept."""
        for report in reports:
            self.keep(Stray(report))

    def take(self, carrier_id: str, destination: str) -> UnmatchedReport | None:
        """Take out the report on the message that the carrier calls so.

        By another reading of its id only if it is about the same destination.
        """
        name = carrier_id
        if name not in self._by_id:
            name = self._readings.get(carrier_id, "")
            stray = self._by_id.get(name)
            if stray is None or stray.destination != destination:
                return None
        return self._remove(name).report

    def to(self, destination: str) -> Sequence[Stray]:
        """Return what was reported about messages to this destination."""
        return [self._by_id[name] for name in self._to.get(destination, ())]

    def _remove(self, name: str) -> Stray:
        stray = self._by_id.pop(name)
        for reading in stray.other_ids:
            if self._readings.get(reading) == name:
                del self._readings[reading]
        if stray.destination:
            names = self._to[stray.destination]
            names.remove(name)
            if not names:
                del self._to[stray.destination]
        return stray
