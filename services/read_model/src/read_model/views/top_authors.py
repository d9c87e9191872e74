"""Who has created the most campaigns lately? One document per author and day."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.campaign import CampaignCreated
from campaign_events.envelope import Recorded
from campaign_events.paging import Page
from campaign_events.projection import Document, Write
from campaign_events.voice import VoiceCampaignCreated

NAME = "authors"
INDEXES = (IndexModel([("workspace", 1), ("day", 1)]),)

CREATED = frozenset((CampaignCreated, VoiceCampaignCreated))

type Key = tuple[str, datetime, str]


class Authors:
    """What each author has created on each day (UTC); the author's last name stands."""

    def __init__(self) -> None:
        self._created: Counter[Key] = Counter()
        self._names: dict[Key, str] = {}

    def add(self, recorded: Recorded[Any]) -> None:
        """Count a campaign that was created."""
        if type(recorded.event) in CREATED:
            author = recorded.event.author
            key = (recorded.address.workspace, _day(recorded.time), author.id)
            self._created[key] += 1
            self._names[key] = author.name

    def writes(self) -> Sequence[Write]:
        """Return one write per author and day."""
        return [_write(key, number, self._names[key]) for key, number in self._created.items()]


def _write(key: Key, number: int, name: str) -> UpdateOne:
    workspace, day, author = key
    return UpdateOne(
        {"_id": f"{workspace}/{day:%Y-%m-%d}/{author}"},
        {
            "$inc": {"campaigns": number},
            "$set": {"workspace": workspace, "day": day, "author": {"id": author, "name": name}},
        },
        upsert=True,
    )


async def ranking(
    authors: AsyncCollection[Document], workspace: str, now: datetime, days: int, asked: Page
) -> Sequence[Document]:
    """Return one page of the authors and one more, the busiest first; `place` is the rank."""
    since = _day(now) - timedelta(days=days)
    skipped = asked.after or 0
    pipeline: list[dict[str, Any]] = [
        {"$match": {"workspace": workspace, "day": {"$gte": since}}},
        {"$sort": {"day": 1}},
        {
            "$group": {
                "_id": "$author.id",
                "name": {"$last": "$author.name"},
                "campaigns": {"$sum": "$campaigns"},
            }
        },
        {"$sort": {"campaigns": -1, "name": 1, "_id": 1}},
        {"$skip": skipped},
        {"$limit": asked.limit + 1},
    ]
    ranked = await (await authors.aggregate(pipeline)).to_list()
    return [entry | {"place": rank} for rank, entry in enumerate(ranked, skipped + 1)]


def shown(entry: Document) -> dict[str, Any]:
    """Return an author as the ranking shows them."""
    return {
        "author": {"id": entry["_id"], "name": entry["name"]},
        "campaigns": entry["campaigns"],
    }


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
