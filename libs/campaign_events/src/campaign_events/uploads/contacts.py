"""From the bytes of a file to contacts and bad rows, in bounded memory. Pure, fit for a thread."""

from typing import NamedTuple

from campaign_events.uploads.phones import PhoneReader, Unusable
from campaign_events.uploads.rows import NumberList, Table, TextReader

SHOWN_BAD_ROWS = 20


type Contact = tuple[str, dict[str, str]]
"""One person of an audience: the phone in E.164 and the columns beside it."""


class BadRow(NamedTuple):
    """A row without a usable number: its physical line, and why."""

    line: int
    reason: str


class ContactReader:
    """Reads one file, piece by piece; counts the rows that hold no valid number."""

    def __init__(self, table: Table | NumberList, default_region: str | None) -> None:
        self._text = TextReader()
        self._table = table
        self._phones = PhoneReader(default_region)
        self.invalid = 0
        self.bad_rows: list[BadRow] = []

    def feed(self, data: bytes, *, last: bool = False) -> list[Contact]:
        """Return the contacts that are complete with this piece.

        Raises:
            Unreadable: the file is not the table that it should be.

        """
        text = self._text.feed(data, last=last)
        contacts: list[Contact] = []
        read = self._phones.read
        for line, cell, variables in self._table.rows(text, last=last):
            try:
                contacts.append((read(cell), variables))
            except Unusable as error:
                self.invalid += 1
                if len(self.bad_rows) < SHOWN_BAD_ROWS:
                    self.bad_rows.append(BadRow(line, str(error)))
        return contacts
