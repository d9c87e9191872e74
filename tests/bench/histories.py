"""Whole lives of campaigns, written straight into the log: as their services would say them."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched

from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCompleted,
    CampaignCreated,
    CampaignStarted,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import (
    BATCH,
    MessagesPlanned,
    MessagesReported,
    MessagesSubmitted,
    MessagesTaken,
    Submission,
)

AT_ONCE = 500
"""Appends that are under way at the same time."""
DAYS = 30
AUTHORS = 20
LINK = "bench"


@dataclass(frozen=True, slots=True)
class History:
    """What shall have happened to one campaign; one that still sends has no reports yet."""

    address: Address
    messages: int
    at: datetime
    author: Actor
    sends: bool


def histories(workspace: str, campaigns: int, messages: int, *, sending: int) -> list[History]:
    """Make campaigns over the last month; the last `sending` of them are under way now."""
    now = datetime.now(UTC)
    made = []
    for number in range(campaigns):
        sends = number >= campaigns - sending
        ago = timedelta() if sends else timedelta(days=DAYS) * (1 - number / campaigns)
        author = Actor(id=f"author{number % AUTHORS}", name=f"Author {number % AUTHORS}")
        made.append(History(Address(workspace, new_id()), messages, now - ago, author, sends))
    return made


async def tell(log: EventLog, chosen: Sequence[History]) -> None:
    """Append all of it: what happened to one campaign in order, many campaigns at a time."""
    for some in batched(chosen, AT_ONCE):
        for step in zip(*(_life(history) for history in some), strict=True):
            pairs = zip(some, step, strict=True)
            await _append(log, ((history, event) for history, event in pairs if event))
    for history_and_event in batched(_all_messages(chosen), AT_ONCE):
        await _append(log, history_and_event)


async def _append(log: EventLog, facts: Iterable[tuple[History, Event]]) -> None:
    async with asyncio.TaskGroup() as group:
        for history, event in facts:
            fact = Fact(event, history.address, new_id())
            group.create_task(log.append_fact(fact, Origin(new_id(), history.at, "bench")))


def _life(history: History) -> tuple[Event | None, ...]:
    count, by = history.messages, history.author
    settings = SmsSettings(
        name="Winter sale",
        text="Hello {{name}}, all boots at half price until Sunday: https://shop.example/boots",
        sender_id=new_id(),
        link_id=LINK,
    )
    return (
        CampaignCreated(settings=settings, author=by),
        ContactsUploaded(
            audience=new_id(), accepted=count, invalid=3, duplicate=5, suppressed=0, by=by, review=1
        ),
        CampaignApproved(was="new", by=by, review=-1),
        CampaignBuilt(was="building", queued=count, skipped=0, segments=count),
        CampaignStarted(was="pending"),
        None if history.sends else CampaignCompleted(was="sending"),
    )


def _all_messages(chosen: Sequence[History]) -> Iterator[tuple[History, Event]]:
    for history in chosen:
        for first in range(1, history.messages + 1, BATCH):
            last = min(first + BATCH - 1, history.messages)
            for event in _messages(history, range(first, last + 1)):
                yield history, event


def _messages(history: History, numbers: range) -> Iterator[Event]:
    count, first, last = len(numbers), numbers[0], numbers[-1]
    name = history.address.thing[-6:]
    sent = tuple(Submission(number, (f"{name}{number:x}",)) for number in numbers)
    yield MessagesPlanned(audience="a", first=first, last=last, parts=((1, count),))
    yield MessagesTaken(link=LINK, epoch=1, spans=((first, last),), count=count)
    yield MessagesSubmitted(link=LINK, messages=sent)
    if not history.sends:
        yield MessagesReported(link=LINK, delivered=tuple(numbers))
