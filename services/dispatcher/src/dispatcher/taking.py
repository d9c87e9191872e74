"""Taking messages: the intent is durable before the carrier sees a byte."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from campaign_events.envelope import Address, new_id
from campaign_events.eventlog import Fact
from campaign_events.message import (
    BATCH,
    MessagesSkipped,
    MessagesTaken,
    Skipped,
    SkipReason,
    Span,
)
from dispatcher.inflight import Message
from dispatcher.outcomes import Facts, keep, origin
from dispatcher.outgoing import Outgoing
from dispatcher.resting import Recipient


class Taker:
    """Takes messages of the campaigns of one link, under one ownership of it."""

    def __init__(
        self, store: Facts, link: str, epoch: int, is_suppressed: Callable[[str], bool]
    ) -> None:
        self._store = store
        self._link = link
        self._epoch = epoch
        self._is_suppressed = is_suppressed

    async def take(self, campaign: Outgoing, some: Sequence[Recipient]) -> list[Message]:
        """Store the intent to send to these; return the messages.

        Those who opted out, or were erased, since the plan was made are skipped.

        Raises:
            Conflict: somebody else sends this campaign.

        """
        began = time.monotonic()
        wanted: list[Recipient] = []
        unwanted: list[tuple[Recipient, SkipReason]] = []
        for one in some:
            if one.is_erased:
                unwanted.append((one, "erased"))
            elif self._is_suppressed(one.phone_hash):
                unwanted.append((one, "suppressed"))
            else:
                wanted.append(one)
        await self._skip(campaign, unwanted)
        if not wanted:
            return []
        fresh = [one.number for one in wanted if one.number > campaign.taken_to]
        event = MessagesTaken(
            link=self._link,
            epoch=self._epoch,
            spans=spans(fresh),
            retried=tuple(one.number for one in wanted if one.number <= campaign.taken_to),
            count=len(wanted),
        )
        address = Address(campaign.workspace, campaign.id)
        fact = Fact(event, address, new_id(), after=campaign.taken_seq)
        campaign.took(wanted, await self._store.append_fact(fact, origin()))
        return [_message(campaign, recipient, began) for recipient in wanted]

    async def open_portion(self, campaign: Outgoing, now: datetime) -> None:
        """Open the day's portion of a campaign that is spread, if it is time; once a day.

        Raises:
            Conflict: somebody else has opened it.

        """
        portion = campaign.portion(now)
        if portion is not None:
            address = Address(campaign.workspace, campaign.id)
            fact = Fact(portion, address, new_id(), after=campaign.portion_seq)
            campaign.opened(portion, await self._store.append_fact(fact, origin()))

    async def _skip(self, campaign: Outgoing, some: Sequence[tuple[Recipient, SkipReason]]) -> None:
        """Leave these out, and say why."""
        address = Address(campaign.workspace, campaign.id)
        for start in range(0, len(some), BATCH):
            piece = some[start : start + BATCH]
            skipped = tuple(Skipped(number=one.number, reason=why) for one, why in piece)
            seq = await keep(self._store, MessagesSkipped(skipped=skipped), address, origin())
            campaign.skipped([one for one, _ in piece], seq)


def spans(numbers: Sequence[int]) -> tuple[Span, ...]:
    """Return ascending numbers as runs without gaps."""
    found: list[Span] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def _message(campaign: Outgoing, recipient: Recipient, taken_at: float) -> Message:
    return Message(
        campaign=campaign.id,
        workspace=campaign.workspace,
        number=recipient.number,
        parts=recipient.segments,
        tries=recipient.tries,
        since=recipient.since,
        phone=recipient.phone,
        phone_hash=recipient.phone_hash,
        source=campaign.source.address.removeprefix("+"),
        ends_at=campaign.ends_at,
        taken_at=taken_at,
        submits=recipient.parts,
    )
