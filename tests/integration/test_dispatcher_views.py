"""What the dispatcher's views keep of sending: written by the real fold into a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.client import Client

from campaign_events.envelope import Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import (
    Deferral,
    Failure,
    MessagesDeferred,
    MessagesPlanned,
    MessagesRefused,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesTaken,
    PortionOpened,
    SendingExpired,
    Skipped,
    Submission,
)
from campaign_events.projection import Database, Document, View
from campaign_events.projector import Projector
from dispatcher.inflight import InFlight, Message, stored
from dispatcher.views import MESSAGES

MOMENT = datetime(2026, 6, 1, 9, tzinfo=UTC)


class Kept:
    """The view of one campaign."""

    def __init__(self, log: EventLog, db: Database, projector: Projector, workspace: str) -> None:
        self._log = log
        self._db = db
        self._projector = projector
        self.address = Address(workspace, new_id())

    async def after(self, *events: Event, at: datetime = MOMENT) -> dict[str, Any]:
        """The sending when these have been folded too."""
        for event in events:
            fact = Fact(event, self.address, new_id())
            seq = await self._log.append_fact(fact, Origin(new_id(), at, "test"))
        assert await self._projector.reached(seq, 10)
        sendings = self._db[MESSAGES.collection("sendings")]
        return await sendings.find_one({"_id": self.address.thing}) or {}

    async def deferred(self) -> Sequence[dict[str, Any]]:
        found = self._db[MESSAGES.collection("deferred")].find({"campaign": self.address.thing})
        return await found.sort("number").to_list()


@pytest.fixture
async def kept(nc: Client, log: EventLog, db: Database, workspace: str) -> AsyncIterator[Kept]:
    async with following(nc, db) as projector:
        yield Kept(log, db, projector, workspace)


@asynccontextmanager
async def following(nc: Client, db: Database) -> AsyncIterator[Projector]:
    projector = Projector(MESSAGES, nc, db)
    running = asyncio.create_task(projector.run())
    yield projector
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def planned(first: int, last: int) -> MessagesPlanned:
    return MessagesPlanned(audience="a", first=first, last=last, parts=((1, last - first + 1),))


def taken(*spans: tuple[int, int], again: tuple[int, ...] = ()) -> MessagesTaken:
    count = sum(last - first + 1 for first, last in spans) + len(again)
    return MessagesTaken(link="l", epoch=1, spans=spans, retried=again, count=count)


def deferred(number: int, *, temporary: bool) -> MessagesDeferred:
    deferral = Deferral(number=number, error="x", after_s=5, temporary=temporary)
    return MessagesDeferred(link="l", deferrals=(deferral,))


def refused(number: int) -> MessagesRefused:
    return MessagesRefused(link="l", failures=(Failure(number=number, error="0x0000000b"),))


async def test_a_portion_counts_what_is_taken_of_it_and_not_what_is_tried_again(kept: Kept) -> None:
    sending = await kept.after(
        planned(1, 10),
        PortionOpened(day=0, count=4),
        taken((1, 3)),
        deferred(1, temporary=False),
        taken(again=(1,)),
    )
    assert (sending["portion_day"], sending["portion_count"]) == (0, 4)
    assert sending["portion_taken"] == 3
    sending = await kept.after(PortionOpened(day=1, count=4))
    assert (sending["portion_day"], sending["portion_taken"]) == (1, 0)
    assert sending["queued"] == 7


async def test_a_plan_that_grows_tells_how_much_it_ever_listed(kept: Kept) -> None:
    await kept.after(planned(1, 5), taken((1, 4)))
    sending = await kept.after(planned(6, 8))
    assert (sending["listed"], sending["queued"], sending["planned_to"]) == (8, 4, 8)


async def test_only_what_the_carrier_refused_for_now_counts_as_a_try(kept: Kept) -> None:
    later = MOMENT.replace(hour=10)
    await kept.after(planned(1, 2), taken((1, 2)), deferred(1, temporary=False))
    await kept.after(deferred(2, temporary=True), taken(again=(1, 2)))
    await kept.after(deferred(1, temporary=False), deferred(2, temporary=True), at=later)
    first, second = await kept.deferred()
    assert "tries" not in first
    assert "since" not in first
    assert (second["tries"], second["since"]) == (2, MOMENT)
    assert first["due_at"] == later.replace(second=5)


async def test_who_was_skipped_waits_no_more(kept: Kept) -> None:
    await kept.after(planned(1, 2), taken((1, 2)), deferred(1, temporary=True))
    await kept.after(MessagesSkipped(skipped=(Skipped(number=1, reason="suppressed"),)))
    [row] = await kept.deferred()
    assert "due_at" not in row


async def test_refusals_in_a_row_are_known_until_any_other_answer(kept: Kept) -> None:
    later = MOMENT.replace(minute=9)
    await kept.after(planned(1, 9), taken((1, 9)), refused(1))
    sending = await kept.after(refused(2), at=later)
    assert (sending["refusing_since"], sending["refused_at"]) == (MOMENT, later)
    assert sending["refusals"] == 2
    submitted = MessagesSubmitted(link="l", messages=(Submission(5, ("id5",)),))
    sending = await kept.after(submitted)
    assert not {"refusing_since", "refusals"} & sending.keys()
    sending = await kept.after(refused(3), at=later)
    assert (sending["refusing_since"], sending["refusals"]) == (later, 1)


@pytest.mark.parametrize(("left", "finished"), [(0, False), (3, True)])
async def test_what_expired_with_nothing_left_still_waits_for_reports(
    kept: Kept, left: int, finished: bool
) -> None:
    sending = await kept.after(planned(1, 3), SendingExpired(left=left))
    assert (sending["expired"], sending["finished"]) == (True, finished)


async def test_a_message_is_one_whichever_of_its_ids_it_is_found_by(
    kept: Kept, db: Database
) -> None:
    two = Submission(number=7, carrier_ids=("p0", "p1"))
    await kept.after(planned(1, 9), taken((7, 7)), MessagesSubmitted(link="l", messages=(two,)))

    async def tell(rows: Sequence[Document], *, with_phones: bool) -> list[Message]:
        assert not with_phones
        return [stored(row, kept.address.workspace) for row in rows]

    inflight = InFlight("l", View(MESSAGES, db), lambda: 0, tell)
    known = Message(kept.address.thing, kept.address.workspace, 7, parts=2)
    inflight.know(known, 1, "p1")

    found = await inflight.find(["p0"], [])

    assert found["p0"] == (known, 0)
    assert found["p0"][0] is known
