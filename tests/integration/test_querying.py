"""Which overdue messages a carrier is asked about, and when it is left alone."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaign_events.projection import Database, View
from dispatcher import querying
from dispatcher.blocks import BlockChange, block_of
from dispatcher.links.link import Batch, Health, Inbound, Part, Question, Report, Told
from dispatcher.links.settings import LinkSettings
from dispatcher.querying import Querying
from dispatcher.reading import Views
from dispatcher.views import CAMPAIGNS, MESSAGES

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(minutes=30)


class Asked:
    """A carrier that takes questions and has one answer to all of them."""

    id = "l"
    up = True
    reason = None

    def __init__(self, answer: Told = "interim") -> None:
        self.answer = answer
        self.batches: list[list[str]] = []

    async def ask(self, questions: Sequence[Question]) -> Sequence[Told]:
        self.batches.append([question.message_id for question in questions])
        return [self.answer] * len(questions)

    @property
    def asked(self) -> list[str]:
        return [name for batch in self.batches for name in batch]

    def room(self) -> int:
        raise AssertionError("nothing is sent")

    def submit(self, parts: Sequence[Part]) -> None:
        raise AssertionError(parts)

    @property
    def stirred(self) -> asyncio.Event:
        raise AssertionError("nothing is heard")

    def collect(self) -> Batch:
        raise AssertionError("nothing is heard")

    def acknowledge(self, arrivals: Sequence[Report | Inbound]) -> None:
        raise AssertionError(arrivals)

    def health(self) -> Health:
        raise AssertionError("nobody asks")


def settings(**values: Any) -> LinkSettings:
    login = {"host": "127.0.0.1", "port": 1, "system_id": "c", "password": "p"}
    return LinkSettings.model_validate(
        {"id": "l", **login, "segments_per_second": 100_000, "query_after_s": 600, **values}
    )


@pytest.fixture
async def views(db: Database) -> Views:
    seen = Views(View(CAMPAIGNS, db), View(MESSAGES, db), db)
    revision = {"saddr": "Shop", "ston": 5, "snpi": 0, "dton": 1, "dnpi": 1}
    await seen.senders.insert_one({"_id": "s", "current": 1, "revisions": {"1": revision}})
    return seen


async def campaign(views: Views, name: str, taken_to: int, **sending: Any) -> None:
    told = {"sender_id": "s", "link_id": sending.pop("link", "l")}
    await views.campaigns.insert_one({"_id": name, "workspace": "w", "settings": told})
    facts = {"submitted": 1, "last_submitted_at": NOW, "taken_to": taken_to}
    await views.sendings.insert_one({"_id": name, **facts, **sending})


async def message(views: Views, name: str, number: int, **facts: Any) -> None:
    usual = {"status": "submitted", "submitted_at": LONG_AGO, "carrier_ids": [f"{name}{number}"]}
    row = {"link": "l", **usual, **facts}
    change = BlockChange(name, block_of(number), {number: row}, Counter([str(row["status"])]))
    await views.blocks.bulk_write([change.write()])


async def test_only_what_waits_for_too_long_is_asked_about_in_row_order(views: Views) -> None:
    await campaign(views, "a", 5)
    await message(views, "a", 5)
    await message(views, "a", 1)
    await message(views, "a", 2, status="delivered")
    await message(views, "a", 3, submitted_at=NOW)
    await message(views, "a", 4, status="failed")
    link = Asked()

    await Querying(link, settings(), views).look()

    assert link.asked == ["a1", "a5"]


async def test_parts_are_asked_about_one_by_one_by_the_ids_that_the_carrier_gave(
    views: Views,
) -> None:
    await campaign(views, "a", 1)
    parts = {"carrier_ids": ["1f", "20", "21"], "given_ids": ["001F", "0020", "0021"]}
    await message(views, "a", 1, **parts, ends={"1": "delivered"})
    link = Asked()

    await Querying(link, settings(), views).look()

    assert link.asked == ["001F", "0021"]


@pytest.mark.parametrize(
    "sending",
    [
        {"link": "another"},
        {"submitted": 0},
        {"last_submitted_at": NOW - timedelta(hours=25)},
    ],
)
async def test_other_links_and_what_is_over_are_left_alone(
    views: Views, sending: dict[str, Any]
) -> None:
    await campaign(views, "a", 1, **sending)
    await message(views, "a", 1)
    link = Asked()

    await Querying(link, settings(), views).look()

    assert link.asked == []


async def test_questions_come_a_few_at_a_time_and_campaigns_take_turns(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querying, "STRETCH", 5)
    for name in ("a", "b"):
        await campaign(views, name, 10)
        for number in range(1, 11):
            await message(views, name, number)
    link = Asked()

    await Querying(link, settings(window=30), views).look()

    assert max(len(batch) for batch in link.batches) == 3
    assert [name[0] for name in link.asked] == list("aaaaabbbbbaaaaabbbbb")


async def test_a_walk_begins_where_the_first_message_waits_or_may_wait_yet(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querying, "STRETCH", 2)
    await campaign(views, "a", 8, open=[4])
    for number in range(1, 9):
        await message(views, "a", number, status="submitted" if number > 5 else "delivered")
    asking = Querying(Asked(), settings(), views)
    await asking.look()
    assert asking._floor == {"a": 3}

    await views.sendings.update_one({"_id": "a"}, {"$set": {"open": []}})
    await views.deferred.insert_one({"_id": "a/2", "campaign": "a", "number": 2, "due_at": NOW})
    await asking.look()
    assert asking._floor == {"a": 1}

    await views.deferred.delete_many({})
    await asking.look()
    assert asking._floor == {"a": 5}


@pytest.mark.parametrize("answer", ["unsupported", "refused", "silent"])
async def test_a_carrier_that_never_tells_is_left_alone_after_a_few_questions(
    views: Views, answer: Told
) -> None:
    await campaign(views, "a", 50)
    for number in range(1, 51):
        await message(views, "a", number)
    link = Asked(answer)

    await Querying(link, settings(window=10), views).look()

    assert len(link.asked) == querying.FEW
