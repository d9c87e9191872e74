"""What the owner of a link says in the log: it must follow the fact that the link became its own.

So of two that believe to own a link only the later one can say anything about its messages, however
late what the earlier one has sent arrives. And what the later one reads after its own fact is all
that the earlier one has ever said.
"""

from dataclasses import dataclass, replace
from typing import Self

from campaign_events.catalogue import subject_of
from campaign_events.envelope import Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.leases import Lease
from campaign_events.message import LinkOwned
from dispatcher.outcomes import LINKS, origin


@dataclass(frozen=True, slots=True)
class Ownership:
    """The log as the owner of a link writes to it; `seq` is the place of its own fact."""

    store: EventLog
    boundary: str
    seq: int

    @classmethod
    async def declare(cls, store: EventLog, link: str, lease: Lease) -> Self:
        """Say in the log that the link has a new owner.

        Raises:
            Unavailable, Rejected: the log did not take it.

        """
        event, address = LinkOwned(epoch=lease.epoch), Address(LINKS, link)
        seq = await store.append_fact(Fact(event, address, new_id()), origin())
        return cls(store, subject_of(event, address), seq)

    async def append_fact(self, fact: Fact, origin: Origin) -> int:
        """Append one fact, unless the link has another owner by now; return its sequence.

        A fact with an expectation of its own is fenced by that one.

        Raises:
            Conflict: the link has another owner, or the fact's own expectation is not met.
            Unavailable, Rejected: as for `EventLog.append_fact`.

        """
        if fact.after is None:
            fact = replace(fact, after=self.seq, boundary=self.boundary)
        return await self.store.append_fact(fact, origin)
