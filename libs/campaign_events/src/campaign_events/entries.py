"""Entries of the log as they are stored: each becomes an event only when somebody comes to it.

Whoever goes through a batch once has one event in hand at a time, and lets go of it while it is
still in the processor's cache: a batch of events that were all read beforehand has left it long
before they are folded.
"""

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple, Protocol, overload

from campaign_events.catalogue import read, tokens
from campaign_events.envelope import Address, Recorded


class Heading(Protocol):
    """What an entry is about. An event tells it, and so does the subject of an entry."""

    @property
    def seq(self) -> int:
        """Its place in its stream."""
        ...

    @property
    def address(self) -> Address:
        """The thing that it is about."""
        ...

    @property
    def type(self) -> str:
        """What kind of fact it is: `kind.fact`."""
        ...


class Stored(NamedTuple):
    """One entry, as the server delivers it."""

    stream: str
    seq: int
    subject: str
    payload: bytes

    @property
    def address(self) -> Address:
        """The thing that its subject names."""
        _, workspace, thing, _ = tokens(self.subject)
        return Address(workspace, thing)

    @property
    def type(self) -> str:
        """What its subject says: the type that it was written as, whatever it is called today."""
        kind, _, _, fact = tokens(self.subject)
        return f"{kind}.{fact}"


class Entries(Sequence[Recorded[Any]]):
    """A batch as events, in log order; one that is asked for twice is read twice.

    What can not be read is among them, as `Unknown` or `Unreadable`.
    """

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[Recorded[Any]]:
        return starmap(read, self.stored)

    @overload
    def __getitem__(self, place: int) -> Recorded[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> "Entries": ...
    def __getitem__(self, place: int | slice) -> "Recorded[Any] | Entries":
        if isinstance(place, slice):
            return Entries(self.stored[place])
        return read(*self.stored[place])

    @property
    def last_seq(self) -> int:
        """The place of the last one."""
        return self.stored[-1].seq

    @property
    def octets(self) -> int:
        """How much there is to be read."""
        return sum(len(one.payload) for one in self.stored)

    def until(self, seq: int) -> "Entries":
        """Return those up to a place in the stream: this very batch where that is all of it."""
        if not self.stored or self.last_seq <= seq:
            return self
        return Entries([one for one in self.stored if one.seq <= seq])
