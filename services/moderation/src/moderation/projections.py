"""The projection that keeps the queue and the senders: one stream, so one place."""

from dataclasses import dataclass
from typing import Self

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Batch
from campaign_events.projection import Database, Document, Projection, Writes
from moderation import directory, queue


def fold(batch: Batch) -> Writes:
    """Keep what waits for moderators, and who may be written under which name."""
    return {queue.NAME: queue.fold(batch), directory.NAME: directory.fold(batch)}


MODERATION = Projection(
    name="moderation",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold,
    collections={queue.NAME: queue.INDEXES, directory.NAME: directory.INDEXES},
)


@dataclass(frozen=True, slots=True)
class Views:
    """The collections that the projection keeps."""

    queue: AsyncCollection[Document]
    senders: AsyncCollection[Document]

    @classmethod
    def of(cls, db: Database) -> Self:
        """Return the views in a database."""
        return cls(
            queue=db[MODERATION.collection(queue.NAME)],
            senders=db[MODERATION.collection(directory.NAME)],
        )
