"""Phones of a request's body, read as an upload reads its rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from campaign_events.uploads.contacts import SHOWN_BAD_ROWS, BadRow
from campaign_events.uploads.phones import PhoneReader, Unusable


@dataclass(slots=True)
class Rows:
    """What was given: the first place of each phone, and how many rows say nothing new.

    Places count from 1, as lines do.
    """

    phones: dict[str, int] = field(default_factory=dict)
    duplicate: int = 0
    invalid: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    @classmethod
    def read(cls, cells: Iterable[str], region: str | None) -> "Rows":
        """Read every cell as a phone."""
        rows, reader = cls(), PhoneReader(region)
        for place, cell in enumerate(cells, 1):
            try:
                phone = reader.read(cell)
            except Unusable as error:
                rows.refuse(place, str(error))
                continue
            if rows.phones.setdefault(phone, place) != place:
                rows.duplicate += 1
        return rows

    def refuse(self, place: int, reason: str) -> None:
        """Count a row that can not be used."""
        self.invalid += 1
        if len(self.bad_rows) < SHOWN_BAD_ROWS:
            self.bad_rows.append(BadRow(place, reason))
